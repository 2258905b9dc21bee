"""The leases that this process holds in Redis."""

from collections.abc import Sequence
from typing import Any

from services.engine import ids
from services.engine.store import keys


class Leases:
    """
    What may run here.

    Attributes:
        owner: Names this process.
        held: Fences by execution.
    """

    def __init__(self, owner: str, lease_ms: int) -> None:
        self.owner = owner
        self.held: dict[str, int] = {}
        self._lease_ms = lease_ms
        self._not_running: set[str] = set()

    def asked(self, partition: int) -> list[Any]:
        """Returns the first arguments of a script that may take or renew a lease."""
        return [keys.prefix(partition), self.owner, self._lease_ms]

    def let_go(self, execution_id: str, fence: int) -> None:
        """Forgets a lease that has ended. The next turn may have a newer one here before its own run knows."""
        if self.held.get(execution_id) == fence:
            del self.held[execution_id]

    def forget_lost(self, running: Sequence[str]) -> None:
        """
        Forgets leases whose run broke. One that was taken a moment ago may have no run yet, so a lease goes only when
        it had none at the last renewal either.
        """
        not_running = self.held.keys() - set(running)
        for execution_id in not_running & self._not_running:
            del self.held[execution_id]
        self._not_running = not_running


def partition_of(execution_id: str) -> int:
    """Returns the partition of an execution. Raises ValueError for what is no execution id."""
    partition = ids.partition_of_execution(execution_id)
    if partition is None:
        raise ValueError(f"{execution_id!r} is no execution id")
    return partition
