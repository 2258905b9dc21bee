"""What callers of the three gRPC services say and hear: a message in, the work done elsewhere, a message out."""
