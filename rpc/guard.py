"""Decides whether a call may be served; REST and gRPC ask the same way."""

import hmac
import math
from collections.abc import Sequence

import grpc

from rpc.api_keys import ApiKeys, digest_of
from rpc.callers import BETWEEN_SERVICES, Caller, Scope
from rpc.status import CallRefused, Refusal
from rpc.token_buckets import TokenBuckets

API_KEY_REQUIRED, SCOPE_MISSING, RATE_LIMITED = "API_KEY_REQUIRED", "SCOPE_MISSING", "RATE_LIMITED"
"""Reasons of the refusals."""

SERVICE = Caller(BETWEEN_SERVICES, frozenset(Scope))
"""Another service of the platform."""

UNAUTHENTICATED = Refusal(
    grpc.StatusCode.UNAUTHENTICATED, API_KEY_REQUIRED, "this needs a valid API key: Authorization: Bearer <key>"
)
"""The same whether there is no key or a wrong one."""


def only_one(authorizations: Sequence[str]) -> str | None:
    """Returns what a call proves itself by; nothing where there are two, of which others may look at the other one."""
    return authorizations[0] if len(authorizations) == 1 else None


class Guard:
    """
    Asks for keys.

    Calls of services are not counted; they come for callers who were.
    """

    def __init__(self, api_keys: ApiKeys, service_keys: tuple[str, ...], rate_per_second: float) -> None:
        """`rate_per_second`: Calls that a key may make of this process, where its line names no rate of its own."""
        self._api_keys = api_keys
        self._service_digests = [digest_of(key) for key in service_keys]
        self._rate_per_second = rate_per_second
        self._buckets = TokenBuckets()

    def admit(self, authorization: str | None, scope: Scope) -> Caller:
        """
        Returns who calls.

        Args:
            authorization: Value of the header or metadata of that name.
            scope: What the call asks for.

        Raises:
            CallRefused: UNAUTHENTICATED, PERMISSION_DENIED, or RESOURCE_EXHAUSTED with the time to wait.
        """
        caller = self._caller(authorization)
        if caller is None:
            raise CallRefused(UNAUTHENTICATED)
        if not caller.may(scope):
            message = f"the key {caller.name} lacks the scope {scope}"
            raise CallRefused(Refusal(grpc.StatusCode.PERMISSION_DENIED, SCOPE_MISSING, message))
        if caller is not SERVICE:
            self._count(caller)
        return caller

    def still_admits(self, authorization: str | None, scope: Scope) -> bool:
        """Whether what was admitted may go on: a key may be taken out of the list while a stream runs."""
        caller = self._caller(authorization)
        return caller is not None and caller.may(scope)

    def _caller(self, authorization: str | None) -> Caller | None:
        scheme, _, key = (authorization or "").partition(" ")
        digest = digest_of(key.strip())
        service = [hmac.compare_digest(digest, known) for known in self._service_digests]
        caller = self._api_keys.caller_of(digest)
        if scheme.lower() != "bearer":
            return None
        return SERVICE if any(service) else caller

    def _count(self, caller: Caller) -> None:
        rate = caller.rate_per_second or self._rate_per_second
        wait = self._buckets.wait_seconds(caller.name, rate)
        if wait > 0:
            message = f"the key {caller.name} may make {rate:g} calls a second"
            raise CallRefused(
                Refusal(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    RATE_LIMITED,
                    message,
                    retry_after_ms=math.ceil(wait * 1000),
                )
            )
