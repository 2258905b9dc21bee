"""Executions from their beginning to what follows their end, in this process and across engines."""
