"""Channels to other services."""

import json

import grpc
from opentelemetry.trace import TracerProvider

from rpc import authentication
from rpc.limits import KEEPALIVE_INTERVAL_MS, KEEPALIVE_TIMEOUT_MS, MAX_MESSAGE_BYTES
from rpc.patient_channel import PatientChannel
from rpc.protection import UNPROTECTED, Protection
from rpc.readiness import TAKES_CALLS
from telemetry import grpc_tracing

_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    # Every replica behind a name gets its share, but for one that is about to end.
    (
        "grpc.service_config",
        json.dumps({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": TAKES_CALLS}}),
    ),
    # gRPC would share a connection between the channels of a process that lead to one address, and the watches of
    # health that share one race there: two that begin at once end the process (grpcio 1.85, HealthProducer).
    ("grpc.use_local_subchannel_pool", 1),
    # A service that was restarted is found again within half a second, and a new replica within five: callers wait
    # for it, and a refused connect costs neither end much.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 400),
    ("grpc.dns_min_time_between_resolutions_ms", 5000),
    # Calls inside of the platform never go through the proxy that http_proxy names.
    ("grpc.enable_http_proxy", 0),
)


def open_channel(
    target: str, tracer_provider: TracerProvider, protection: Protection = UNPROTECTED
) -> grpc.aio.Channel:
    """
    Returns a channel that connects with its first call and by itself after every loss, and whose calls wait for it.

    Args:
        target: Address of the service, such as 127.0.0.1:50053 or dns:///sessions:50053.
        tracer_provider: Where the spans of the calls go; nothing is installed when it does not record.
        protection: The key that is sent, and the certificates.
    """
    interceptors = (
        *grpc_tracing.client_interceptors(tracer_provider),
        *authentication.client_interceptors(protection.service_keys),
    )
    if protection.tls is None:
        return PatientChannel(grpc.aio.insecure_channel(target, options=_OPTIONS, interceptors=interceptors))
    credentials = protection.tls.channel_credentials()
    options = (*_OPTIONS, *_name_of_replicas(target))
    return PatientChannel(grpc.aio.secure_channel(target, credentials, options=options, interceptors=interceptors))


def _name_of_replicas(target: str) -> tuple[tuple[str, str], ...]:
    """
    Returns which name certificates must have where a target lists addresses: the first of them.

    gRPC itself would look for the whole list in each certificate, and find it in none.
    """
    scheme, _, listed = target.partition(":")
    if scheme not in ("ipv4", "ipv6"):
        return ()
    return (("grpc.default_authority", listed.lstrip("/").split(",")[0]),)
