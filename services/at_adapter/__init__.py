"""Everything that is Africa's Talking: outgoing calls over gRPC, their callbacks over HTTP."""
