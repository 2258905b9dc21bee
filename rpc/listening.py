"""Addresses to listen on."""

from collections.abc import Iterator, Mapping

_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "[::1]"}  # noqa: S104 (compared, not bound)
"""What listens on every address, and under which one this machine reaches it."""


class ListenFailed(Exception):
    """
    A server could not take its address.

    Attributes:
        listen: The address, host:port.
    """

    def __init__(self, listen: str, why: str) -> None:
        super().__init__(f"cannot listen on {listen}: {why}")
        self.listen = listen


def parse_listen(listen: str) -> tuple[str, int]:
    """
    Splits "host:port"; an IPv6 host stands in brackets. Port 0 means any free port.

    Raises:
        ValueError: It is not host:port with a port from 0 to 65535.
    """
    host, colon, port = listen.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets, such as [::1]:8080")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError("must be host:port, such as 127.0.0.1:8080")
    return host, int(port)


def reachable(listen: str) -> str:
    """Returns the address under which this machine reaches a listener; 0.0.0.0 is no address to call."""
    host, _, port = listen.rpartition(":")
    return f"{_LOOPBACK_OF.get(host, host)}:{port}"


def given_twice(listens: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yields each variable whose address another one before it has: that one, itself, and the address."""
    before: list[tuple[str, str]] = []
    for name, listen in listens.items():
        owner = next((other for other, taken in before if _is_shared(taken, listen)), None)
        if owner is not None:
            yield owner, name, listen
        before.append((name, listen))


def _is_shared(taken: str, listen: str) -> bool:
    """Whether two listeners cannot have these addresses both; an address that is none is its reader's to tell of."""
    if taken == listen:
        return True
    try:
        (host, port), (other, other_port) = parse_listen(taken), parse_listen(listen)
    except ValueError:
        return False
    return port == other_port and not {host, other}.isdisjoint(_LOOPBACK_OF)
