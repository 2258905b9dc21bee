"""The services of the platform, each on its own, and the one entry that runs them."""
