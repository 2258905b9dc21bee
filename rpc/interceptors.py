"""What happens around every RPC: the request is parsed, the deadline is noted, a domain error becomes a refusal."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Never, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError
from opentelemetry import trace

from rpc import deadlines
from rpc.status import DETAILS_KEY, CallRefused, ErrorTable, Refusal, bounded_message, refusal_for, rich_status
from telemetry import attributes

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

Afterwards: TypeAlias = Callable[[Any, Any], Awaitable[None]]
"""What is done with the request and the answer of a call that succeeded, before the answer goes out."""

INTERNAL = Refusal(grpc.StatusCode.INTERNAL, "INTERNAL", "internal error")
"""What a caller learns of an error that no table lists; the log has the rest."""

UNREADABLE = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "UNREADABLE_REQUEST", "the request is not a message of this RPC")
"""The bytes of the request do not parse."""

OUT_OF_TIME = Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the deadline of the call has passed")
"""A time-out that escaped a servicer after the deadline of its call."""

SERVER_BUSY = Refusal(
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    "SERVER_BUSY",
    "the service has as many calls under way as it serves at once; try again",
    retry_after_ms=1000,
)
"""Nothing of the call was done."""

_log = structlog.get_logger()


class RefusalInterceptor(grpc.aio.ServerInterceptor):
    """
    Answers domain errors with the refusal of the service's table, unknown ones with INTERNAL, and calls beyond
    `max_calls` at once with SERVER_BUSY.

    It stands next to the servicer (last in the list of interceptors). The wrapped handler of a method is made once,
    so that a call costs one dictionary look-up and one more coroutine.
    """

    def __init__(
        self,
        services: Collection[str],
        errors: ErrorTable,
        max_calls: int,
        afterwards: Mapping[str, Afterwards] = MappingProxyType({}),
    ) -> None:
        self._services = frozenset(services)
        self._errors = errors
        self._max_calls = max_calls
        self._afterwards = afterwards
        self._running = 0
        self._handlers: dict[str, Handler] = {}

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Returns the handler of the method with the translation of errors around it."""
        method: str = handler_call_details.method
        known = self._handlers.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        # An unknown method (gRPC answers UNIMPLEMENTED, and anyone can make up names) and the health and reflection
        # services stay as they are. Every RPC of the contracts takes one message.
        if handler is None or method.split("/")[1] not in self._services:
            return handler
        translated = self._streaming(method, handler) if handler.response_streaming else self._unary(method, handler)
        self._handlers[method] = translated
        return translated

    # The bytes are parsed here and not by gRPC, which would answer UNKNOWN when they do not parse.

    def _unary(self, method: str, handler: Handler) -> Handler:
        behaviour: Any = handler.unary_unary
        afterwards = self._afterwards.get(method)

        async def serve(raw: bytes, context: Context) -> Any:
            request = await self._request(handler, raw, context)
            self._running += 1
            try:
                answer = await behaviour(request, context)
                if afterwards is not None:
                    await afterwards(request, answer)
                return answer
            except Exception as error:  # noqa: BLE001 (the one place where every error ends)
                await self._refuse(method, error, context)
            finally:
                self._running -= 1

        return grpc.unary_unary_rpc_method_handler(serve, None, handler.response_serializer)

    def _streaming(self, method: str, handler: Handler) -> Handler:
        behaviour: Any = handler.unary_stream

        async def serve(raw: bytes, context: Context) -> AsyncIterator[Any]:
            request = await self._request(handler, raw, context)
            self._running += 1
            try:
                async for answer in behaviour(request, context):
                    yield answer
            except Exception as error:  # noqa: BLE001 (the same)
                await self._refuse(method, error, context)
            finally:
                self._running -= 1

        return grpc.unary_stream_rpc_method_handler(serve, None, handler.response_serializer)

    async def _request(self, handler: Handler, raw: bytes, context: Context) -> Any:
        parse: Any = handler.request_deserializer
        if self._running >= self._max_calls:
            await _abort(SERVER_BUSY, context)
        deadlines.set_remaining(context.time_remaining())
        try:
            return parse(raw)
        except DecodeError:
            await _abort(UNREADABLE, context)

    async def _refuse(self, method: str, error: Exception, context: Context) -> Never:
        if isinstance(error, grpc.aio.AbortError):
            raise error
        await _abort(self._refusal(method, error), context)

    def _refusal(self, method: str, error: Exception) -> Refusal:
        if isinstance(error, CallRefused):
            return error.refusal
        listed = refusal_for(error, self._errors)
        if listed is not None:
            return listed
        if isinstance(error, TimeoutError) and deadlines.deadline_passed():
            return OUT_OF_TIME
        _log.error("an error that no table lists", method=method, exc_info=error)
        return INTERNAL


async def _abort(refusal: Refusal, context: Context) -> Never:
    trace.get_current_span().set_attribute(attributes.ERROR_TYPE, refusal.reason)
    status = ((DETAILS_KEY, rich_status(refusal).SerializeToString()),)
    await context.abort(refusal.code, bounded_message(refusal.message), status)
