"""A store that keeps the newest entries only."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """
    Entries by key in the order in which they came; the oldest goes when there are more than `limit`.

    Args:
        limit: Most entries kept.
        forget: Called with each entry that is dropped, also by `clear`.
    """

    def __init__(self, limit: int, forget: Callable[[V], None] = lambda _: None) -> None:
        self._limit = limit
        self._forget = forget
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[V]:
        return iter(self._entries.values())

    def __reversed__(self) -> Iterator[V]:
        return reversed(self._entries.values())

    def get(self, key: K) -> V | None:
        """Returns the entry, or None when it never was or is gone."""
        return self._entries.get(key)

    def put(self, key: K, value: V) -> None:
        """Adds an entry, or replaces one in its place."""
        self._entries[key] = value
        if len(self._entries) > self._limit:
            self._forget(self._entries.popitem(last=False)[1])

    def clear(self) -> None:
        """Drops every entry."""
        for value in self:
            self._forget(value)
        self._entries.clear()
