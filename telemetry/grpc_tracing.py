"""
Spans of gRPC calls on both sides, with the W3C trace context in the metadata.

The interceptors of opentelemetry-instrumentation-grpc are not used: with grpc.aio a call that its caller cancels goes
on at the server, the span of a cancelled call never ends, and every refusal is recorded as two exceptions.
A stream that follows an execution is not traced: it lasts as long as somebody looks.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import grpc
from opentelemetry import propagate, trace
from opentelemetry.trace import Span, Status, StatusCode, TracerProvider

from telemetry import attributes, spans, tracing
from telemetry.unary_calls import UNWATCHED_SERVICES, Behaviour, UnaryCalls

_FAULTS_OF_THE_SERVER = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""Codes that make a server's span an error, by the semantic conventions; the others are the caller's fault."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_SCOPE = "njia.rpc"


def server_interceptors(provider: TracerProvider) -> Sequence[grpc.aio.ServerInterceptor]:
    """Returns what a server needs to trace its calls; nothing when the provider does not record."""
    return (_ServerTracing(provider),) if tracing.records(provider) else ()


def client_interceptors(provider: TracerProvider) -> Sequence[grpc.aio.ClientInterceptor]:
    """Returns what a channel needs to trace its calls; nothing when the provider does not record."""
    return (_ClientTracing(provider),) if tracing.records(provider) else ()


class _ServerTracing(UnaryCalls):
    def __init__(self, provider: TracerProvider) -> None:
        super().__init__()
        self._tracer = provider.get_tracer(_SCOPE)

    def wrapped(self, method: str, behaviour: Behaviour) -> Behaviour:
        names = _names(method)
        called = spans.RPC_SERVED.named(names)

        async def serve(request: Any, context: Any) -> Any:
            with self._tracer.start_as_current_span(
                called,
                context=propagate.extract(dict(context.invocation_metadata())),
                kind=spans.RPC_SERVED.kind,
                attributes=names,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                try:
                    response = await behaviour(request, context)
                except asyncio.CancelledError:
                    _close(span, grpc.StatusCode.CANCELLED, _FAULTS_OF_THE_SERVER)
                    raise
                except Exception:
                    _close(span, _failure_code(context.code()), _FAULTS_OF_THE_SERVER)
                    raise
                _close(span, grpc.StatusCode.OK, _FAULTS_OF_THE_SERVER)
                return response

        return serve


class _ClientTracing(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer(_SCOPE)
        self._names: dict[str, dict[str, str]] = {}

    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        method = client_call_details.method
        # Some releases of grpcio hand over bytes here.
        name: str = method.decode() if isinstance(method, bytes) else method
        if name.split("/")[1] in UNWATCHED_SERVICES:
            return await continuation(client_call_details, request)
        names = self._names.get(name) or self._names.setdefault(name, _names(name))
        span = self._tracer.start_span(spans.RPC_CALL.named(names), kind=spans.RPC_CALL.kind, attributes=names)
        try:
            carrier: dict[str, str] = {}
            propagate.inject(carrier, trace.set_span_in_context(span))
            call = await continuation(
                client_call_details._replace(
                    metadata=grpc.aio.Metadata(*(client_call_details.metadata or ()), *carrier.items())
                ),
                request,
            )
            # Awaiting the call here (the caller awaits it once more, for nothing) makes a cancellation reach it.
            await call
            _close(span, grpc.StatusCode.OK, _CODES.values())
            return call
        except grpc.aio.AioRpcError as error:
            span.set_attribute(attributes.ERROR_TYPE, error.code().name)
            _close(span, error.code(), _CODES.values())
            raise
        except asyncio.CancelledError:
            _close(span, grpc.StatusCode.CANCELLED, ())
            raise
        finally:
            span.end()


def _names(method: str) -> dict[str, str]:
    return {attributes.RPC_SYSTEM: "grpc", attributes.RPC_METHOD: method[1:]}


def _failure_code(code: grpc.StatusCode | int | None) -> grpc.StatusCode:
    # gRPC hands back what was set: a StatusCode, or 0 when a servicer raised without setting one, which is UNKNOWN.
    known = code if isinstance(code, grpc.StatusCode) else _CODES.get(code or 0)
    return grpc.StatusCode.UNKNOWN if known in (None, grpc.StatusCode.OK) else known


def _close(span: Span, code: grpc.StatusCode, faults: Collection[grpc.StatusCode]) -> None:
    span.set_attribute(attributes.RPC_STATUS, code.name)
    if code is not grpc.StatusCode.OK and code in faults:
        span.set_status(Status(StatusCode.ERROR, code.name))
