"""What a workflow is: the pure core that every service shares. Imports no gRPC, no Redis, no HTTP, no telemetry."""
