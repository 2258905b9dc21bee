"""When a failed attempt is tried again, and after how long."""

from collections.abc import Callable

from workflow.errors import ErrorType, NodeError
from workflow.spec import RetryPolicy

RETRIED = frozenset({ErrorType.TRANSIENT, ErrorType.RATE_LIMIT})


def next_delay_ms(
    policy: RetryPolicy | None,
    error: NodeError,
    attempt: int,
    retry_after_ms: int | None,
    random: Callable[[], float],
) -> int | None:
    """
    Returns the milliseconds to wait before the next attempt, None when there is none.

    Half of the delay is fixed and half random, so that many failed nodes do not come back at one moment.

    Args:
        attempt: Number of the attempt that failed, from 1.
        retry_after_ms: What the other side asked for; it wins.
        random: Gives numbers from 0 to 1.
    """
    if policy is None or attempt >= policy.max_attempts or error.type is ErrorType.VALIDATION:
        return None
    if policy.retryable_errors is None:
        if error.type not in RETRIED:
            return None
    elif error.code not in policy.retryable_errors:
        return None
    if retry_after_ms is not None:
        return retry_after_ms
    delay = policy.initial_delay_ms * policy.backoff_multiplier ** (attempt - 1)
    if policy.max_delay_ms is not None:
        delay = min(delay, policy.max_delay_ms)
    return round(delay / 2 + random() * delay / 2)
