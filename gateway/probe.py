"""
Asks the gateway of this container whether it lives: `python -m gateway.probe`. Exit code 0: it does; 1: it does not.

For the health check of a container, every few seconds: it imports nothing that takes long to load. It reads what the
gateway reads: NJIA_GATEWAY_LISTEN and NJIA_GATEWAY_TLS_….
"""

import http.client
import os
import ssl
import sys
from collections.abc import Mapping
from contextlib import closing

ANSWER_SECONDS = 2.0


def lives(environ: Mapping[str, str]) -> bool:
    """Tells whether the gateway with this configuration answers `GET /livez` in time."""
    port = int((environ.get("NJIA_GATEWAY_LISTEN") or "127.0.0.1:8080").rpartition(":")[2])
    try:
        with closing(_connection(port, environ)) as connection:
            connection.request("GET", "/livez")
            return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def _connection(port: int, environ: Mapping[str, str]) -> http.client.HTTPConnection:
    certificate, key = environ.get("NJIA_GATEWAY_TLS_CERT_FILE"), environ.get("NJIA_GATEWAY_TLS_KEY_FILE")
    if not certificate:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    context = ssl.create_default_context()
    # It asks its own container, by an address that no certificate names.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Where the gateway asks for a certificate of its authority, its own is the one that is at hand.
    context.load_cert_chain(certificate, key)
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=ANSWER_SECONDS, context=context)


if __name__ == "__main__":
    sys.exit(0 if lives(os.environ) else 1)
