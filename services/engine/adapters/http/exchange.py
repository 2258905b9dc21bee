"""One request and its answer, without redirects; what goes wrong becomes a failure."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from rpc import failed_connections
from services.engine.adapters.http import faults
from services.engine.adapters.http.addresses import AddressNotAllowed, AllowList
from services.engine.adapters.http.resolving import GuardedResolver
from workflow.errors import invalid

KEEPALIVE_SECONDS = 15.0
CONNECTIONS = 200
CONNECTIONS_PER_HOST = 50
"""One slow server must not take all connections."""

MASK = b"***"
SHORTEST_SECRET = 4
"""A shorter secret stands in too many answers by chance."""

USER_AGENT = "Njia"

_ON_KEPT_CONNECTIONS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Message:
    """
    What goes out in one hop.

    Attributes:
        secrets: Texts of the request that must not come back readable.
        is_repeatable: Whether a lost answer is harmless.
    """

    method: str
    url: URL
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    secrets: Sequence[str] = field(repr=False)
    verifies_tls: bool
    is_repeatable: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back; secrets of the request in it are masked. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    charset: str


class Exchange:
    """
    Connections to the web. To be made inside of the running loop; proxies and cookies are not used.

    A request that must not be repeated gets a connection of its own: one that was kept may be closed by the other side
    at the moment that the request goes out, and then nobody knows what became of it.
    """

    def __init__(self, allowed: AllowList, max_bytes: int, resolver: AbstractResolver | None = None) -> None:
        """
        Args:
            allowed: What may be reached beside public addresses.
            max_bytes: Longest body of an answer.
            resolver: Resolves names; None means as the machine does.
        """
        self._allowed = allowed
        self._max_bytes = max_bytes
        guarded = GuardedResolver(resolver or aiohttp.ThreadedResolver(), allowed)
        self._kept = _session(
            aiohttp.TCPConnector(
                resolver=guarded,
                limit=CONNECTIONS,
                limit_per_host=CONNECTIONS_PER_HOST,
                keepalive_timeout=KEEPALIVE_SECONDS,
            )
        )
        self._fresh = _session(
            aiohttp.TCPConnector(
                resolver=guarded, limit=CONNECTIONS, limit_per_host=CONNECTIONS_PER_HOST, force_close=True
            )
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._kept.close()
        await self._fresh.close()

    async def send(self, message: Message) -> Answered:
        """Sends and reads the whole answer. Whoever awaits this sets the time limit. Raises NodeFailure."""
        host = message.url.host or ""
        try:
            self._allowed.check_literal(host)
            return await self._sent(message, host)
        except AddressNotAllowed as problem:
            raise faults.not_allowed(problem.host) from None
        except aiohttp.InvalidURL:
            raise invalid("INVALID_URL", f"the URL of {host} cannot be asked") from None
        except aiohttp.ClientConnectorCertificateError as problem:
            raise faults.untrusted(host, _reason(problem.certificate_error)) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            raise faults.unreachable(host, _reason(problem)) from None
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            why = type(problem).__name__
            raise faults.answer_lost(message.method, host, why, is_repeatable=message.is_repeatable) from None

    async def _sent(self, message: Message, host: str) -> Answered:
        session = self._kept if message.method in _ON_KEPT_CONNECTIONS else self._fresh
        async with session.request(
            message.method,
            message.url,
            headers=message.headers,
            data=message.body,
            allow_redirects=False,
            ssl=message.verifies_tls,
        ) as response:
            body = await self._read(response, host)
            return Answered(
                response.status,
                _joined(response, message.secrets),
                _without(body, message.secrets),
                response.charset or "utf-8",
            )

    async def _read(self, response: aiohttp.ClientResponse, host: str) -> bytes:
        if (response.content_length or 0) > self._max_bytes and response.method != "HEAD":
            raise faults.too_large(host, self._max_bytes)
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_bytes:
                raise faults.too_large(host, self._max_bytes)
        return bytes(body)


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        headers={"User-Agent": USER_AGENT},
        trust_env=False,
    )


def _joined(response: aiohttp.ClientResponse, secrets: Sequence[str]) -> dict[str, str]:
    headers: dict[str, list[str]] = {}
    for name, value in response.headers.items():
        shown = _without(value.encode(errors="replace"), secrets).decode(errors="replace")
        headers.setdefault(name.lower(), []).append(shown)
    return {name: ", ".join(values) for name, values in headers.items()}


def _without(data: bytes, secrets: Sequence[str]) -> bytes:
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            data = data.replace(secret.encode(), MASK)
    return data


def _reason(problem: BaseException) -> str:
    """Why there is no connection, in words that name no address."""
    inner = getattr(problem, "os_error", problem)
    if isinstance(inner, ssl.SSLCertVerificationError):
        return inner.verify_message
    if isinstance(problem, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    return failed_connections.reason(problem)
