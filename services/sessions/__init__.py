"""Sessions of phone users and the data that flows keep about them."""
