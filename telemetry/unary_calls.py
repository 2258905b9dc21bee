"""What happens around the unary calls of a gRPC server, whatever it is for."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeAlias

import grpc

UNWATCHED_SERVICES: Collection[str] = ("grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection")
"""Services asked by machines all day; their spans and counts would drown the others."""

Behaviour: TypeAlias = Callable[[Any, Any], Awaitable[Any]]
"""What answers a call: a request and its context in, a response out."""


class UnaryCalls(grpc.aio.ServerInterceptor, ABC):
    """Wraps the behaviour of each unary method, once."""

    def __init__(self) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        method: str = handler_call_details.method
        known = self._handlers.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        # A method that is not served has no handler, so nobody can add rows by inventing names.
        if handler is None or method.split("/")[1] in UNWATCHED_SERVICES or handler.unary_unary is None:
            return handler
        self._handlers[method] = wrapped = grpc.unary_unary_rpc_method_handler(
            self.wrapped(method, handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )
        return wrapped

    @abstractmethod
    def wrapped(self, method: str, behaviour: Behaviour) -> Behaviour:
        """Returns the behaviour of a method with what happens around it."""
