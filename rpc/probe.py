"""
Asks a server for its health: `python -m rpc.probe HOST:PORT`. Exit code 0: it is serving; 1: it is not.

For the health checks of containers, where no other client is at hand.
"""

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rpc.config import Environment
from rpc.tls import read_tls

ANSWER_SECONDS = 2.0


def is_serving(target: str) -> bool:
    """Tells whether the server at `target` answers in time that it is serving."""
    with _channel(target) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(  # type: ignore[attr-defined]
                health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _channel(target: str) -> grpc.Channel:
    tls = read_tls(Environment(os.environ), "NJIA_TLS")
    return grpc.insecure_channel(target) if tls is None else grpc.secure_channel(target, tls.channel_credentials())


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) > 1 and is_serving(sys.argv[1]) else 1)
