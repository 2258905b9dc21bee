"""The first answer of every send, kept under its key, so that a repeated key never sends twice."""
