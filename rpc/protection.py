"""How a process protects what it serves and proves who it is: keys and certificates, read once from the environment."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from rpc.api_keys import ApiKeys, KeyListError, parse_keys
from rpc.config import Environment
from rpc.guard import Guard
from rpc.listening import parse_listen
from rpc.tls import Tls, read_tls

MIN_SERVICE_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Protection:
    """
    Attributes:
        api_keys: NJIA_API_KEYS, or the file that NJIA_API_KEYS_FILE names, which is read again when it changes.
        service_keys: What services call each other with: the first is sent, every one is accepted. NJIA_SERVICE_KEY (or
            NJIA_SERVICE_KEY_FILE), keys with commas or line breaks between them.
        rate_per_second: Calls a second that one key may make of one process. NJIA_API_RATE_PER_SECOND, 0.1 to 100000,
            default 100.
        tls: Of gRPC: NJIA_TLS_CERT_FILE, NJIA_TLS_KEY_FILE, NJIA_TLS_CA_FILE.
    """

    api_keys: ApiKeys | None = None
    service_keys: tuple[str, ...] = field(default=(), repr=False)
    rate_per_second: float = 100.0
    tls: Tls | None = None

    @property
    def asks_for_keys(self) -> bool:
        """Whether calls need one."""
        return self.api_keys is not None or bool(self.service_keys)

    def guard(self) -> Guard | None:
        """Returns who asks for keys; None where none is needed."""
        if not self.asks_for_keys:
            return None
        return Guard(self.api_keys or ApiKeys({}), self.service_keys, self.rate_per_second)


UNPROTECTED = Protection()
"""Everybody may call. For this machine alone."""


def read_protection(variables: Environment, *, grpc: dict[str, str], http: dict[str, str]) -> Protection:
    """
    Reads it, and refuses to serve other machines without any.

    Args:
        variables: The environment.
        grpc: Addresses where gRPC is served, by the variable that names each.
        http: Addresses where REST is served, likewise.
    """
    protection = Protection(
        api_keys=_api_keys(variables),
        service_keys=_service_keys(variables),
        rate_per_second=variables.decimal("NJIA_API_RATE_PER_SECOND", 100.0, 0.1, 100_000.0),
        tls=read_tls(variables, "NJIA_TLS"),
    )
    if protection.api_keys is not None and not protection.service_keys:
        variables.problem("NJIA_SERVICE_KEY", "is not set, and with API keys services need it to call each other")
    mutual = protection.tls is not None and protection.tls.is_mutual
    for name, listen in (*grpc.items(), *http.items()):
        if not (protection.asks_for_keys or (mutual and name in grpc)):
            refuse_beyond_loopback(variables, name, listen, "set NJIA_API_KEYS_FILE and NJIA_SERVICE_KEY")
    return protection


def refuse_beyond_loopback(variables: Environment, name: str, listen: str, what_to_do: str) -> None:
    """Adds a problem where an address that nothing protects is reachable from other machines."""
    if not _is_loopback(listen) and not variables.switch("NJIA_INSECURE", default=False):
        variables.problem(
            name,
            f"{listen} can be reached from other machines, and nothing protects it: {what_to_do}; "
            "or, where the network itself is closed, NJIA_INSECURE=true",
        )


def _is_loopback(listen: str) -> bool:
    host, _ = parse_listen(listen)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _api_keys(variables: Environment) -> ApiKeys | None:
    name, file = "NJIA_API_KEYS", variables.optional_text("NJIA_API_KEYS_FILE")
    listed = variables.secret(name)
    if listed is None:
        return None
    try:
        keys = parse_keys(listed)
    except KeyListError as problem:
        for sentence in problem.problems:
            variables.problem(name if file is None else f"{name}_FILE", sentence)
        return None
    return ApiKeys(keys, None if file is None else Path(file))


def _service_keys(variables: Environment) -> tuple[str, ...]:
    keys = tuple((variables.secret("NJIA_SERVICE_KEY") or "").replace(",", " ").split())
    if any(len(key) < MIN_SERVICE_KEY_LENGTH or not key.isascii() for key in keys):
        variables.problem("NJIA_SERVICE_KEY", f"must have {MIN_SERVICE_KEY_LENGTH} ASCII characters or more")
    return keys
