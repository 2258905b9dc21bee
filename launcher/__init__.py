"""Runs the whole set on one machine: the Redis server, the emulator and the services."""
