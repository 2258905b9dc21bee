"""How executions go on, without transport and without storage."""
