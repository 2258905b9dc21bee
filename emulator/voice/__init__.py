"""Calls: placing, answering, and doing what the platform says."""
