"""The standard health service, kept true by asking the service every second whether it is ready."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from grpc_health.v1.health import aio as health_aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

ASK_EVERY_SECONDS = 1.0
"""How long a change can go unnoticed."""

ANSWER_WITHIN_SECONDS = 1.0
"""A service that does not say in this time that it is ready is not."""

TAKES_CALLS = "takes-calls"
"""
Health service name that is SERVING until the server is asked to stop, whatever the service says of itself. Clients
that watch it (gRPC's client-side health checking, gRFC A17) leave a replica before it closes its connections.
"""

LEAVE_WITHIN_SECONDS = 0.3
"""What those clients are given: a call that meets the closing of a connection fails as CANCELLED."""

_log = structlog.get_logger()


class Readiness:
    """
    Keeps the health of several service names (and of "", the whole server) equal to what `ready` says.

    Attributes:
        servicer: The health servicer to register.
    """

    def __init__(self, services: Sequence[str], ready: Callable[[], Awaitable[bool]]) -> None:
        self.servicer = _Health()
        self._names = ("", *services)
        self._ready = ready
        self._serving: bool | None = None

    async def follow(self) -> None:
        """Asks and publishes until cancelled."""
        while True:
            await self.publish()
            await asyncio.sleep(ASK_EVERY_SECONDS)

    async def publish(self) -> None:
        """Asks once and publishes the answer."""
        serving, reason = await self._ask()
        if serving == self._serving:
            return
        if not serving:
            _log.warning("not ready", reason=reason)
        elif self._serving is not None:
            _log.info("ready again")
        self._serving = serving
        status = HealthCheckResponse.SERVING if serving else HealthCheckResponse.NOT_SERVING
        for name in self._names:
            await self.servicer.set(name, status)

    async def take_calls(self) -> None:
        """Says that the server is there, whatever it needs besides."""
        await self.servicer.set(TAKES_CALLS, HealthCheckResponse.SERVING)

    async def send_away(self) -> None:
        """Says for good that nothing is served any more, and returns when clients have had the time to leave."""
        watched = self.servicer.watchers > 0
        await self.servicer.enter_graceful_shutdown()
        if watched:
            await asyncio.sleep(LEAVE_WITHIN_SECONDS)

    async def _ask(self) -> tuple[bool, str]:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                return await self._ready(), "the service says so"
        except TimeoutError:
            return False, "no answer in time"
        except Exception as error:  # noqa: BLE001 (whatever keeps a service from answering makes it not ready)
            return False, f"{type(error).__name__}: {error}"


class _Health(health_aio.HealthServicer):
    """The standard servicer, which knows whether anybody follows what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.watchers = 0

    async def Watch(self, request: HealthCheckRequest, context: Any) -> None:
        self.watchers += 1
        try:
            await super().Watch(request, context)
        finally:
            self.watchers -= 1
