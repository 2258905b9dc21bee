"""Which addresses flows may reach. Whoever writes a flow must not reach what only this machine can reach."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

CARRIES_IPV4 = (
    IPv6Network("::ffff:0:0/96"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2002::/16"),
    IPv6Network("2001::/32"),
)
"""IPv6 addresses that stand for IPv4 ones: mapped, NAT64 (RFC 6052, RFC 8215), 6to4, Teredo."""

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")


class AddressNotAllowed(Exception):
    """No address of a host may be reached."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


def is_public(address: Address) -> bool:
    """
    Whether anybody on the internet could reach an address by itself: it is neither private, loopback, link-local,
    shared (CGNAT), multicast, reserved nor unspecified, and does not stand for an IPv4 address.
    """
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return isinstance(address, IPv4Address) or not any(address in network for network in CARRIES_IPV4)


@dataclass(frozen=True, slots=True)
class AllowList:
    """
    What may be reached beside the public internet.

    Attributes:
        hosts: Names in lower case; whatever they resolve to may be reached.
        networks: Addresses that may be reached by whatever name.
    """

    hosts: frozenset[str] = frozenset()
    networks: Sequence[Network] = ()

    @classmethod
    def parse(cls, text: str) -> "AllowList":
        """
        Reads hosts, addresses and networks that are separated by commas, such as `billing.internal,10.8.0.0/16`.

        Raises ValueError, which names the entry.
        """
        hosts: set[str] = set()
        networks: list[Network] = []
        for entry in filter(None, map(str.strip, text.split(","))):
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                if not _HOST.fullmatch(entry) or entry.replace(".", "").isdigit():
                    raise ValueError(f"{entry!r} is no host, address or network") from None
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def permits(self, host: str, address: str) -> bool:
        """Whether a host may be reached at an address; one that cannot be read may not."""
        if host.lower().rstrip(".") in self.hosts:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
        return is_public(parsed) or any((mapped or parsed) in network for network in self.networks)

    def check_literal(self, host: str) -> None:
        """
        Checks a host that is written as an address: nothing resolves it, so nobody else looks at it.

        Raises AddressNotAllowed also for old ways to write one, such as 127.1, 2130706433 or 0x7f.1.
        """
        bare = host.rstrip(".")
        last = bare.rpartition(".")[2].lower()
        is_literal = ":" in bare or last.isdigit() or last.startswith("0x")
        if is_literal and not self.permits(bare, bare):
            raise AddressNotAllowed(host)
