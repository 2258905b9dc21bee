"""How many files and connections a process may have open."""

import resource

import structlog

WANTED = 16_384
"""
What one process with every service may need at its bounds (docs/limits.md): two HTTP listeners, four gRPC servers, the
connections to Redis and to the web. Most systems begin with 1024 and allow more to who asks.
"""

ENOUGH = 4096
"""Fewer, and connections run out before the bounds are reached: what comes then gets no answer instead of a refusal."""

_log = structlog.get_logger()


def allow() -> int:
    """Raises the limit of this process to WANTED, or as far as the system allows, and returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= WANTED:
        return WANTED
    allowed = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError):
        # A system may have a bound of its own beside the hard limit.
        allowed = soft
    if allowed < ENOUGH:
        _log.warning(
            "few files and connections may be open: beyond them nobody gets an answer",
            limit=allowed,
            what_to_do=f"ulimit -n {WANTED}, or LimitNOFILE of the unit",
        )
    return allowed
