"""The addresses that the set listens on."""

import socket
from collections.abc import Mapping

from rpc.listening import reachable

LISTENS: Mapping[str, str] = {
    "NJIA_VALIDATOR_LISTEN": "127.0.0.1:50051",
    "NJIA_ENGINE_LISTEN": "127.0.0.1:50052",
    "NJIA_SESSIONS_LISTEN": "127.0.0.1:50053",
    "NJIA_AT_ADAPTER_LISTEN": "127.0.0.1:50054",
    "NJIA_AT_ADAPTER_CALLBACKS_LISTEN": "127.0.0.1:8090",
    "NJIA_GATEWAY_LISTEN": "127.0.0.1:8080",
    "NJIA_EMULATOR_LISTEN": "127.0.0.1:8070",
}
"""Every variable that names an address to listen on, with its default."""


def listens(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns where each part will listen, by variable."""
    return {name: environ.get(name, "").strip() or default for name, default in LISTENS.items()}


def free_listens() -> dict[str, str]:
    """Returns addresses of 127.0.0.1 that nothing listens on now, by variable."""
    # Here, so that the command line, which asks where the gateway is, does not load a client of Redis.
    from launcher.valkey import free_port

    return {name: f"127.0.0.1:{free_port()}" for name in LISTENS}


def is_taken(listen: str) -> bool:
    """Tells whether something listens on the address now."""
    host, _, port = reachable(listen).rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=1):
            return True
    except OSError:
        return False
