"""How the engine calls Redis: where Redis does not answer, its callers get StoreUnavailable."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any

from services.engine.core.ports import StoreUnavailable
from storage.connection import StoreUnavailable as RedisUnavailable, store_errors


@contextmanager
def redis_calls() -> Iterator[None]:
    """Raises StoreUnavailable where a call inside finds Redis away."""
    try:
        with store_errors():
            yield
    except RedisUnavailable as problem:
        raise StoreUnavailable(problem.why) from problem


async def answer_of(command: Awaitable[Any]) -> Any:
    """Returns what Redis answers to one command. Raises StoreUnavailable."""
    with redis_calls():
        return await command
