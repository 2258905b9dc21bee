"""Short messages in both directions and the reports on them."""
