"""The REST API: HTTP in, gRPC out, and nothing else."""
