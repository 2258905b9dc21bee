"""
A channel whose calls wait for a connection.

gRPC fails a call at once while no replica of a service can be reached, or lets it wait until its deadline
(wait_for_ready). Neither suits a service that restarts: the first fails callers who would have been served a second
later, the second holds them for as long as a service that is really gone stays away.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import grpc
from grpc_health.v1 import health

from rpc.tasks import end_task

CONNECT_WITHIN_SECONDS = 3.0
"""How long a call waits for a connection: longer than a service takes to restart."""

REFUSE_SECONDS = 0.05
"""What is kept of a deadline, so that gRPC can say UNAVAILABLE and why, and not that the time is over."""

_Call = Callable[..., Awaitable[Any]]
_READY = grpc.ChannelConnectivity.READY


class PatientChannel(grpc.aio.Channel):
    """
    Makes calls of one message and one answer wait for a connection, at most CONNECT_WITHIN_SECONDS and never beyond
    their deadline. What is waited for was not sent, so every call may wait, one that must not happen twice as well.

    Streams and questions for health are told at once that nobody is there, and so are calls that say wait_for_ready
    themselves.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._connecting: asyncio.Task[None] | None = None

    def connected(self) -> bool:
        """Tells whether a replica can be reached now; makes an idle channel connect."""
        return self._channel.get_state(try_to_connect=True) is _READY

    async def connect(self, seconds: float) -> None:
        """Waits until a replica can be reached, at most so long."""
        # One task for all who wait: each look at the state that is given up stays in gRPC until the state changes.
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._channel.channel_ready())
        await asyncio.wait({self._connecting}, timeout=seconds)

    def unary_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Returns what makes the call: a coroutine function, of which a call that need not wait is gRPC's own."""
        call = self._channel.unary_unary(method, *arguments, **options)
        return call if method.split("/")[1] == health.SERVICE_NAME else _Waiting(self, call)

    def unary_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        """As gRPC's own."""
        return self._channel.unary_stream(method, *arguments, **options)

    def stream_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        """As gRPC's own."""
        return self._channel.stream_unary(method, *arguments, **options)

    def stream_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        """As gRPC's own."""
        return self._channel.stream_stream(method, *arguments, **options)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT002 (gRPC's signature)
        """As gRPC's own."""
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """As gRPC's own."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """As gRPC's own."""
        await self._channel.channel_ready()

    async def close(self, grace: float | None = None) -> None:
        """As gRPC's own; calls that wait for a connection fail."""
        if self._connecting is not None:
            await end_task(self._connecting)
        await self._channel.close(grace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()


class _Waiting:
    """One method of a service."""

    def __init__(self, channel: PatientChannel, call: _Call) -> None:
        self._channel = channel
        self._call = call

    def __call__(self, request: Any, *, timeout: float | None = None, **options: Any) -> Awaitable[Any]:
        if "wait_for_ready" in options:
            return self._call(request, timeout=timeout, **options)
        if self._channel.connected():
            # Where the connection is lost in this very moment, the call waits as well.
            return self._call(request, timeout=timeout, wait_for_ready=True, **options)
        return self._waited(request, timeout, options)

    async def _waited(self, request: Any, seconds: float | None, options: dict[str, Any]) -> Any:
        started = time.monotonic()
        longest = CONNECT_WITHIN_SECONDS if seconds is None else min(CONNECT_WITHIN_SECONDS, seconds - REFUSE_SECONDS)
        await self._channel.connect(max(0.0, longest))
        left = None if seconds is None else max(0.0, seconds - (time.monotonic() - started))
        return await self._call(request, timeout=left, wait_for_ready=self._channel.connected(), **options)
