"""What the engine stores: the port, how it is written, and for how long."""
