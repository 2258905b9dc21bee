"""How a process is seen: traces, span attributes, logs, and the masking of phone numbers in all of them."""
