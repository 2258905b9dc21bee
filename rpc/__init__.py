"""How a process serves and calls: gRPC and HTTP servers, channels, errors, deadlines, documents, configuration."""
