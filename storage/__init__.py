"""How a service reaches Redis: connections, scripts, and the one error that stands for a store that does not answer."""
