"""The clock by which the store in Redis writes times; every module asks it here."""

import time


def now_ms() -> int:
    """Returns Unix time in ms."""
    return time.time_ns() // 1_000_000
