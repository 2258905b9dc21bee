"""Who waits for the answers of a run: one future a turn."""

import asyncio

from services.engine.core.state import Reply

MOST_TURNS = 64
"""Turns that are waited for at once, and answers that are kept for those who ask a moment late; the oldest go first."""


class Conversation:
    """Hands the answer of each turn to those who wait for it; they see by the task of the run that it broke off."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._given: dict[str, Reply] = {}

    def answer_to(self, key: str) -> "asyncio.Future[Reply]":
        """Returns the future answer to the turn `key`, the same for all who ask; it is cancelled when too many wait."""
        future = self._waiting.get(key)
        if future is None:
            if len(self._waiting) >= MOST_TURNS:
                self._waiting.pop(next(iter(self._waiting))).cancel()
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if key in self._given:
                future.set_result(self._given[key])
        return future

    def answered(self, key: str, reply: Reply) -> None:
        """Gives the answer to those who wait for it."""
        if len(self._given) >= MOST_TURNS:
            del self._given[next(iter(self._given))]
        self._given[key] = reply
        future = self._waiting.get(key)
        if future is not None and not future.done():
            future.set_result(reply)
