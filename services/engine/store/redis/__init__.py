"""Executions in Redis."""
