"""Keys on gRPC calls: asked for by a server, sent by a channel."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health

from rpc import reflection
from rpc.callers import ANONYMOUS, Scope, caller_name, set_caller
from rpc.guard import SERVICE, UNAUTHENTICATED, Guard, only_one
from rpc.status import DETAILS_KEY, CallRefused, Refusal, rich_status

AUTHORIZATION = "authorization"

CALLER = "njia-caller"
"""Metadata in which a service says for whom it calls. Believed of services alone."""

OPEN_SERVICES = (health.SERVICE_NAME,)
"""Services that everybody may call: orchestrators ask for health and have no key."""

Handler = Any


class Authentication(grpc.aio.ServerInterceptor):
    """
    Lets calls through whose key has the scope of the method. A method without one asks for ADMIN. A stream ends where
    its key is gone by the time of the next message.

    It stands first: the interceptors behind it keep the handlers of methods, and need not know of keys.
    """

    def __init__(self, guard: Guard, scopes: Mapping[str, Scope]) -> None:
        """`scopes`: What each method asks for, by its full name, such as /njia.engine.v1.EngineService/Execute."""
        self._guard = guard
        self._scopes = scopes

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Returns the handler of the method, or one that refuses."""
        method: str = handler_call_details.method
        handler = await continuation(handler_call_details)
        service = method.split("/")[1]
        if handler is None or service in OPEN_SERVICES:
            return handler
        scope = Scope.READ if service in reflection.SERVICE_NAMES else self._scopes.get(method, Scope.ADMIN)
        metadata = handler_call_details.invocation_metadata or ()
        authorization = only_one([_text(value) for name, value in metadata if name == AUTHORIZATION])
        try:
            caller = self._guard.admit(authorization, scope)
        except CallRefused as refused:
            return _refusing(handler, refused.refusal)
        claimed = next((_text(value) for name, value in metadata if name == CALLER), None)
        set_caller((claimed if caller is SERVICE else None) or caller.name)
        if handler.unary_stream is None:
            return handler
        return _ending(handler, lambda: self._guard.still_admits(authorization, scope))


def client_interceptors(service_keys: Sequence[str]) -> Sequence[grpc.aio.ClientInterceptor]:
    """Returns what a channel needs to send a key; nothing where there is none. The first of several is sent."""
    return (_SendsKey(service_keys[0]), _StreamSendsKey(service_keys[0])) if service_keys else ()


class _SendsKey(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, key: str) -> None:
        self._bearer = f"Bearer {key}"

    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(_with_key(client_call_details, self._bearer), request)


class _StreamSendsKey(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, key: str) -> None:
        self._bearer = f"Bearer {key}"

    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(_with_key(client_call_details, self._bearer), request)


def _with_key(details: Any, bearer: str) -> Any:
    name = caller_name()
    mine = [(AUTHORIZATION, bearer)] if name == ANONYMOUS else [(AUTHORIZATION, bearer), (CALLER, name)]
    return details._replace(metadata=grpc.aio.Metadata(*(details.metadata or ()), *mine))


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _ending(handler: Handler, may_go_on: Callable[[], bool]) -> Handler:
    async def serve(request: Any, context: Any) -> AsyncIterator[Any]:
        async for answer in handler.unary_stream(request, context):
            if not may_go_on():
                await _refuse(UNAUTHENTICATED, context)
            yield answer

    return grpc.unary_stream_rpc_method_handler(serve, handler.request_deserializer, handler.response_serializer)


async def _refuse(refusal: Refusal, context: Any) -> None:
    status = ((DETAILS_KEY, rich_status(refusal).SerializeToString()),)
    await context.abort(refusal.code, refusal.message, status)


def _refusing(handler: Handler, refusal: Refusal) -> Handler:
    async def refuse(_request: Any, context: Any) -> None:
        await _refuse(refusal, context)

    async def refuse_stream(request: Any, context: Any) -> Any:
        await refuse(request, context)
        yield

    # The request is not even parsed.
    if handler.request_streaming:
        return grpc.stream_stream_rpc_method_handler(refuse_stream)
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(refuse_stream)
    return grpc.unary_unary_rpc_method_handler(refuse)
