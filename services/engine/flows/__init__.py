"""Saved, published and compiled flows, and their secrets."""
