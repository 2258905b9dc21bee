"""A set of values that outlives sessions, in memory; as lua/scoped*.lua keep it in Redis."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.sessions import rules
from services.sessions.errors import DataTooLarge
from services.sessions.session import Data, DataChange


@dataclass(slots=True)
class ValueSet:
    """
    Attributes:
        texts: JSON text of each key.
        expiries: When a value expires, ms since 1970; None: never.
        commits: Ids of the newest commits, the newest first.
        commits_until_ms: When they are forgotten.
    """

    texts: dict[str, str] = field(default_factory=dict)
    expiries: dict[str, int | None] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    commits_until_ms: int = 0

    def living(self, now_ms: int) -> Data:
        """Returns the values that have not expired."""
        return {key: text for key, text in self.texts.items() if _lives(self.expiries[key], now_ms)}

    def commit(
        self, field_name: str, commit_id: str, changes: Iterable[DataChange], now_ms: int
    ) -> DataTooLarge | None:
        """Applies the changes once. Returns why nothing was done, when the set would grow too large."""
        if now_ms < self.commits_until_ms and commit_id in self.commits:
            return None
        texts = dict(self.living(now_ms))
        expiries = {key: self.expiries[key] for key in texts}
        for change in changes:
            if change.clear:
                texts.clear()
                expiries.clear()
            written = {key: text for key, text in change.set_if_absent.items() if key not in texts} | dict(change.set)
            texts |= written
            expiries |= dict.fromkeys(written, None if change.ttl_ms is None else now_ms + change.ttl_ms)
        try:
            rules.check_size(field_name, texts)
        except DataTooLarge as error:
            return error
        self.texts, self.expiries = texts, expiries
        self.commits = [commit_id, *self.commits][: rules.COMMITS_REMEMBERED]
        self.commits_until_ms = now_ms + rules.SCOPED_COMMITS_LIFE_MS
        return None


def _lives(expiry_ms: int | None, now_ms: int) -> bool:
    return expiry_ms is None or expiry_ms > now_ms
