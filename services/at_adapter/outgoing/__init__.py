"""What goes out to Africa's Talking: requests, answers, faults, limits."""
