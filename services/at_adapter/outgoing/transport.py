"""Sends requests over one pool of connections and tells what certainly was not sent from what may have been."""

import asyncio
import ssl
from dataclasses import dataclass, field

import aiohttp

from rpc import failed_connections
from rpc.deadlines import call_timeout, deadline_passed
from services.at_adapter.outgoing.account import AtAccount, AtEnvironment
from services.at_adapter.outgoing.faults import Fault, SendRefused
from services.at_adapter.outgoing.sdk import HttpCall

CONNECT_ATTEMPTS = 2
"""Only a failed connect is repeated here, since then nothing was sent; every other retry is the caller's."""

CONNECT_RETRY_DELAY_SECONDS = 0.1
KEEPALIVE_SECONDS = 20.0
"""Below the idle time-out of their server (akka-http: 60 s), so that a request rarely meets a closing connection."""

MAX_ANSWER_BYTES = 2 * 1024 * 1024

_NOTHING_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """
    Bounds of one request, seconds.

    Attributes:
        connect: To get a connection, from the pool or new.
        read: Until the answer is there, from when the request is out.
    """

    connect: float
    read: float

    @property
    def whole(self) -> float:
        """Longest time that one request takes, attempts to connect included."""
        return CONNECT_ATTEMPTS * (self.connect + CONNECT_RETRY_DELAY_SECONDS) + self.read


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """
    What came back.

    Attributes:
        status: HTTP status code.
        retry_after: The Retry-After header as it stands; empty when there is none.
        body: At most MAX_ANSWER_BYTES.
        call: What it answers.
    """

    status: int
    retry_after: str
    body: bytes = field(repr=False)
    call: HttpCall | None = field(default=None, repr=False)

    @property
    def told(self) -> tuple[str, ...]:
        """Texts of the request: what is quoted of them is not for people, since they may be secrets of a flow."""
        return () if self.call is None else self.call.texts()


class AtTransport:
    """
    One pool of connections to Africa's Talking. To be made inside of the running loop.

    It is aiohttp's: httpx takes sixteen times its processor time at 32 requests at once. A POST is never repeated by
    aiohttp itself, not even on a kept connection that turns out to be closed.
    """

    def __init__(self, account: AtAccount, timeouts: Timeouts, max_connections: int) -> None:
        self._timeouts = timeouts
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=max_connections, keepalive_timeout=KEEPALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Proxies of the environment are for the outside; the emulator is on this machine.
            trust_env=account.environment is not AtEnvironment.EMULATOR,
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()

    async def send(self, call: HttpCall) -> HttpAnswer:
        """
        Sends a request and returns whatever answer comes, refusals included.

        Nothing is sent once the deadline of the call being served has passed. A request that is out is waited for
        as long as the time-outs allow, deadline or not: its answer is worth keeping.

        Raises:
            SendRefused: NETWORK_ERROR when nothing was sent, SEND_OUTCOME_UNKNOWN when the answer was lost.
        """
        try:
            async with asyncio.timeout(self._timeouts.whole):
                return await self._connect_and_send(call)
        except TimeoutError:
            # Only a read can last until here: attempts to connect have their own bound within this one.
            raise _outcome_unknown("the answer did not come in time") from None

    async def _connect_and_send(self, call: HttpCall) -> HttpAnswer:
        attempts_left = CONNECT_ATTEMPTS
        while True:
            if deadline_passed():
                raise SendRefused(Fault.NETWORK_ERROR, "the deadline of the call passed before anything was sent")
            attempts_left -= 1
            try:
                return await self._exchange(call)
            except _NOTHING_SENT as error:
                if attempts_left == 0:
                    raise SendRefused(
                        Fault.NETWORK_ERROR, f"no connection to Africa's Talking: {_reason(error)}"
                    ) from error
            except aiohttp.ClientError as error:
                raise _outcome_unknown(f"the connection was lost: {type(error).__name__}") from error
            await asyncio.sleep(CONNECT_RETRY_DELAY_SECONDS)

    async def _exchange(self, call: HttpCall) -> HttpAnswer:
        timeout = aiohttp.ClientTimeout(
            total=None, connect=call_timeout(self._timeouts.connect), sock_read=self._timeouts.read
        )
        async with self._session.request(
            call.method,
            call.url,
            headers=call.headers,
            data=call.form if call.document is None else call.document,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise _outcome_unknown(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
            return HttpAnswer(response.status, response.headers.get("Retry-After", ""), bytes(body), call)


def _reason(error: aiohttp.ClientError) -> str:
    """Why there is no connection, in words for whoever reads the log."""
    inner = getattr(error, "os_error", error)
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {inner.verify_message}"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"{error.host} cannot be resolved"
    return failed_connections.reason(error)


def _outcome_unknown(why: str) -> SendRefused:
    return SendRefused(
        Fault.SEND_OUTCOME_UNKNOWN, f"the request went out and {why}; it may have been carried out or not"
    )
