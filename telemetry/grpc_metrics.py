"""How long calls take at a gRPC server, by method and status."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc

from telemetry import attributes
from telemetry.grpc_tracing import UNTRACED_SERVICES
from telemetry.instruments import RPC_SERVER_DURATION
from telemetry.metrics import Meters


def server_interceptors(meters: Meters) -> Sequence[grpc.aio.ServerInterceptor]:
    """Returns what a server needs to measure its calls; nothing where nobody looks."""
    return (_ServerMetrics(meters),) if meters.recording else ()


class _ServerMetrics(grpc.aio.ServerInterceptor):
    def __init__(self, meters: Meters) -> None:
        self._duration = meters.histogram(RPC_SERVER_DURATION)
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        method: str = handler_call_details.method
        known = self._handlers.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        # A method that is not served has no handler, so nobody can add rows by inventing names.
        if handler is None or method.split("/")[1] in UNTRACED_SERVICES or handler.unary_unary is None:
            return handler
        self._handlers[method] = measured = grpc.unary_unary_rpc_method_handler(
            self._measured(method, handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )
        return measured

    def _measured(self, method: str, behaviour: Any) -> Callable[[Any, Any], Awaitable[Any]]:
        _, service, name = method.split("/")

        async def serve(request: Any, context: Any) -> Any:
            started = time.perf_counter()
            code: Any = grpc.StatusCode.CANCELLED
            try:
                response = await behaviour(request, context)
                code = grpc.StatusCode.OK
                return response
            except Exception:
                # 0 when a servicer raised without setting one, which the caller sees as UNKNOWN.
                code = context.code() or grpc.StatusCode.UNKNOWN
                raise
            finally:
                self._duration.record(
                    time.perf_counter() - started,
                    {
                        attributes.RPC_SERVICE: service,
                        attributes.RPC_METHOD: name,
                        attributes.RPC_STATUS: code.name if isinstance(code, grpc.StatusCode) else str(code),
                    },
                )

        return serve
