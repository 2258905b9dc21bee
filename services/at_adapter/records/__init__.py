"""What the adapter remembers of money that it was told to move."""
