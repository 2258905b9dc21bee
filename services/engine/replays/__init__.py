"""Executions that run again with the inputs of before, and what went otherwise."""
