"""Configuration of the emulator, read from the environment."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rpc.config import Environment
from rpc.listening import parse_listen

SANDBOX_USERNAME = "sandbox"
"""The only account there is; Africa's Talking's own sandbox has the same one."""

DEFAULT_LISTEN = "127.0.0.1:8070"


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """
    Attributes:
        listen: NJIA_EMULATOR_LISTEN, host:port. Default 127.0.0.1:8070; port 0 means any free one.
        callbacks_url: NJIA_EMULATOR_CALLBACKS, where the platform takes Africa's Talking's callbacks, without a path.
            Default http://127.0.0.1:8090.
        callback_token: NJIA_AT_CALLBACK_TOKEN; when it is set, callbacks go to /at/{token}/… instead of /at/….
        api_key: NJIA_EMULATOR_API_KEY, the key that the account `sandbox` has. Default `emulator`.
        delivery_reports: NJIA_EMULATOR_DELIVERY_REPORTS, whether every accepted SMS is reported as Sent and then as
            Success without being asked. Default true.
    """

    listen: str
    callbacks_url: str
    callback_token: str | None = field(repr=False)
    api_key: str = field(repr=False)
    delivery_reports: bool


def from_env(environ: Mapping[str, str]) -> EmulatorConfig:
    """
    Reads the configuration.

    NJIA_EMULATOR_EXPOSE=true allows an address beyond loopback: whoever reaches the control API can make the
    emulator call the platform.

    Raises:
        ConfigError: With every problem found.
    """
    environment = Environment(environ)
    listen = environment.listen("NJIA_EMULATOR_LISTEN", DEFAULT_LISTEN)
    if not environment.switch("NJIA_EMULATOR_EXPOSE", default=False) and not is_loopback(listen):
        environment.problem(
            "NJIA_EMULATOR_LISTEN",
            f"{listen} is reachable from other machines; set NJIA_EMULATOR_EXPOSE=true if that is meant",
        )
    callbacks_url = environment.text("NJIA_EMULATOR_CALLBACKS", "http://127.0.0.1:8090").rstrip("/")
    if not _is_web_address(callbacks_url):
        environment.problem("NJIA_EMULATOR_CALLBACKS", f"must be http://host:port, not {callbacks_url!r}")
    config = EmulatorConfig(
        listen=listen,
        callbacks_url=callbacks_url,
        callback_token=environment.secret("NJIA_AT_CALLBACK_TOKEN"),
        api_key=environment.secret("NJIA_EMULATOR_API_KEY") or "emulator",
        delivery_reports=environment.switch("NJIA_EMULATOR_DELIVERY_REPORTS", default=True),
    )
    environment.check()
    return config


def is_loopback(listen: str) -> bool:
    """Tells whether only this machine can reach the address; a name other than localhost counts as reachable."""
    host, _ = parse_listen(listen)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # `port` raises for what is no port number.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
