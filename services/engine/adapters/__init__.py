"""The outside of the engine behind its ports: validator, sessions, AT adapter, encryption, spans."""
