"""Payments: what was asked for, what people do about it, and what the platform is told."""
