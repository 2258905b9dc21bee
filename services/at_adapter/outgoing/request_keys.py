"""Idempotency keys as Africa's Talking takes them."""

from hashlib import sha256


def their_key(key: str) -> str:
    """Returns the Idempotency-Key that stands for ours at Africa's Talking: a header cannot carry all of ours."""
    return sha256(key.encode()).hexdigest()
