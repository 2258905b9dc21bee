"""The sessions service beside the engine in one process: its real servicer and store, without a connection."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from rpc.status import DETAILS_KEY, bounded_message, refusal_for, rich_status
from services.sessions.memory_store import MemorySessionStore
from services.sessions.refusals import REFUSALS
from services.sessions.servicer import SessionServicer

DEFAULT_TTL_MS = 300_000


class SessionsInProcess:
    """Answers as the stub of the service does. What the servicer raises arrives as its refusal."""

    def __init__(self, store: MemorySessionStore) -> None:
        self._servicer = SessionServicer(store, DEFAULT_TTL_MS)

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        serve = getattr(self._servicer, method)

        async def call(request: Any, timeout: float) -> Any:
            try:
                return await serve(request, None)
            except Exception as error:
                refusal = refusal_for(error, REFUSALS)
                if refusal is None:
                    raise
                details = (DETAILS_KEY, rich_status(refusal).SerializeToString())
                raise grpc.aio.AioRpcError(
                    refusal.code,
                    grpc.aio.Metadata(),
                    grpc.aio.Metadata(details),
                    details=bounded_message(refusal.message),
                ) from None

        return call
