"""HTTP requests of flows: to public addresses, and to those that the operator allows."""
