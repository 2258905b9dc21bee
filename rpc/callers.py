"""Who calls, and what they may do."""

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a key allows. ADMIN includes READ, EXECUTE and PUBLISH; only services have SERVICE."""

    READ = "read"
    EXECUTE = "execute"
    PUBLISH = "publish"
    ADMIN = "admin"
    SERVICE = "service"


GIVEN = (Scope.READ, Scope.EXECUTE, Scope.PUBLISH, Scope.ADMIN)
"""Scopes that an API key may have."""


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who calls.

    Attributes:
        name: Name of the key.
        scopes: What the key allows.
        rate_per_second: Calls a second that it may make of one process; None means without limit.
    """

    name: str
    scopes: frozenset[Scope]
    rate_per_second: float | None = None

    def may(self, scope: Scope) -> bool:
        """Whether a call that asks for this scope is allowed."""
        return scope in self.scopes or (Scope.ADMIN in self.scopes and scope in GIVEN)


ANONYMOUS = "anonymous"
"""Name of whoever calls where no keys are configured."""

BETWEEN_SERVICES = "service"
"""Name of a service that calls for nobody."""

RESERVED = (ANONYMOUS, BETWEEN_SERVICES)
"""Names that no key may have."""

_caller: ContextVar[str] = ContextVar("caller", default=ANONYMOUS)


def caller_name() -> str:
    """Returns the name of the key that the call being served came with."""
    return _caller.get()


def set_caller(name: str) -> None:
    """Says who makes the call that this task serves."""
    _caller.set(name)
