"""The HTTP API that Africa's Talking's SDKs call. Formats and texts were recorded from the original."""
