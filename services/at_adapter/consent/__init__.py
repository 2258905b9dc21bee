"""Who does not want messages, and who has subscribed to them."""
