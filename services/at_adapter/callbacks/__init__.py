"""What Africa's Talking posts to us, parsed and handed to the engine."""
