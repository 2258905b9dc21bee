"""The engine: executions, their journal, the registry of flows and the routing of triggers."""
