"""The gateway of this machine: where its own variables put it, and how who started it calls it."""

import ssl
from collections.abc import Mapping

from launcher import addresses
from rpc.listening import reachable


def url(environ: Mapping[str, str]) -> str:
    """Returns its address, https:// where it has a certificate."""
    scheme = "https" if environ.get("NJIA_GATEWAY_TLS_CERT_FILE", "").strip() else "http"
    return f"{scheme}://{reachable(addresses.listens(environ)['NJIA_GATEWAY_LISTEN'])}"


def trusted(environ: Mapping[str, str]) -> ssl.SSLContext:
    """
    Returns what its parent calls it with: by an address that no certificate may name, so none is checked.

    Where it asks for a certificate of its authority, its own is shown. What the files lack is the gateway's to tell.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    certificate, key = (environ.get(f"NJIA_GATEWAY_TLS_{which}_FILE", "").strip() for which in ("CERT", "KEY"))
    if certificate and key:
        try:
            context.load_cert_chain(certificate, key)
        except OSError:
            return context
    return context
