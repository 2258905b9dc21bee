"""Airtime: what was sent, and what the platform is told and asked about it."""
