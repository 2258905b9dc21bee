"""How long calls take at a gRPC server, by method and status."""

import time
from collections.abc import Sequence
from typing import Any

import grpc

from telemetry import attributes
from telemetry.instruments import RPC_SERVER_DURATION
from telemetry.metrics import Meters
from telemetry.unary_calls import Behaviour, UnaryCalls


def server_interceptors(meters: Meters) -> Sequence[grpc.aio.ServerInterceptor]:
    """Returns what a server needs to measure its calls; nothing where nobody looks."""
    return (_ServerMetrics(meters),) if meters.recording else ()


class _ServerMetrics(UnaryCalls):
    def __init__(self, meters: Meters) -> None:
        super().__init__()
        self._duration = meters.histogram(RPC_SERVER_DURATION)

    def wrapped(self, method: str, behaviour: Behaviour) -> Behaviour:
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
                        attributes.RPC_METHOD: method[1:],
                        attributes.RPC_STATUS: code.name if isinstance(code, grpc.StatusCode) else str(code),
                    },
                )

        return serve
