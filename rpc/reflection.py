"""
Server reflection, under both of its names.

The library serves v1alpha; clients ask for v1 first, and some for nothing else. The messages of both are the same on
the wire.
"""

from collections.abc import Sequence

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2 as pb

V1 = "grpc.reflection.v1.ServerReflection"
"""Answered and not listed: its messages have no descriptors here, which a client that lists all methods looks for."""

SERVICE_NAMES = (V1, reflection.SERVICE_NAME)
"""What clients call it."""


def enable(server: grpc.aio.Server, services: Sequence[str]) -> None:
    """Serves reflection of these services, and of itself."""
    servicer = reflection.aio.ReflectionServicer((*services, reflection.SERVICE_NAME))
    questions = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        pb.ServerReflectionRequest.FromString,
        pb.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        tuple(grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": questions}) for name in SERVICE_NAMES)
    )
