"""What a valid flow is: checks and compiles flows, and lists the node types. Stateless."""
