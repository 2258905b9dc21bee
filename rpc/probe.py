"""
Asks a server for its health: `python -m rpc.probe HOST:PORT`. Exit code 0: it is serving; 1: it is not.

For the health checks of containers, where no other client is at hand. With NJIA_TLS_… it asks the server for the
certificate that the process beside it shows, by the name in it: HOST is that of the container itself, which no
certificate names.
"""

import os
import sys

import grpc
from cryptography import x509
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
    if tls is None or tls.certificate is None:
        return grpc.insecure_channel(target)
    credentials = grpc.ssl_channel_credentials(tls.authorities or tls.certificate, tls.key, tls.certificate)
    name = _name_in(tls.certificate)
    return grpc.secure_channel(target, credentials, () if name is None else (("grpc.ssl_target_name_override", name),))


def _name_in(certificate: bytes) -> str | None:
    """Returns a name that a certificate (PEM) is good for; None where it has only addresses."""
    try:
        names = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return None
    found = names.value.get_values_for_type(x509.DNSName)
    return found[0].replace("*", "probe") if found else None


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) > 1 and is_serving(sys.argv[1]) else 1)
