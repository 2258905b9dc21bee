"""The containers, built and used for real: `make compose-test`."""
