"""Posts Africa's Talking's callbacks to the platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from rpc import failed_connections

MAX_ANSWER_BYTES = 64 * 1024
"""Longest answer that is read."""

CONNECT_SECONDS = 3.0

# Below the 5 s after which servers commonly close an idle connection: a callback must not meet a closing one.
_KEEP_ALIVE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Callback:
    """
    One callback as it goes over the wire, so that it can be delivered again byte for byte.

    Attributes:
        path: Below the callbacks' root, such as /ussd.
        body: The encoded form, or a JSON document.
        headers: Headers beside the content type of a form, or with another one.
    """

    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What the platform answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


UNTRUSTED = "its certificate is not trusted"
"""Why a platform with TLS cannot be called; phones say what to do about it."""


class CallbackFailed(Exception):
    """
    The platform gave no answer.

    Attributes:
        code: callback_unreachable, callback_timeout or callback_answer_too_long.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def form_callback(path: str, form: Sequence[tuple[str, str]], headers: Mapping[str, str] | None = None) -> Callback:
    """Returns a callback with this form. A plus sign goes out as %2B, since a bare one means a space."""
    return Callback(path, urlencode(form).encode("ascii"), dict(headers or {}))


def json_callback(path: str, document: Mapping[str, Any]) -> Callback:
    """Returns a callback with this JSON document."""
    return Callback(path, orjson.dumps(document), {"Content-Type": "application/json"})


class CallbackSender:
    """
    Posts callbacks over kept connections.

    Args:
        callbacks_url: http://host:port of the platform.
        token: Path element after /at, or None.
        connections: Most connections at a time; a callback beyond waits within its own time-out.
    """

    def __init__(self, callbacks_url: str, token: str | None, connections: int) -> None:
        self._root = f"{callbacks_url}/at/{token}" if token else f"{callbacks_url}/at"
        self._place = f"{callbacks_url}/at"
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Makes the sender ready; no connection is made yet."""
        connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_ALIVE_SECONDS)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, callback: Callback, timeout_seconds: float) -> CallbackAnswer:
        """
        Delivers a callback; redirects are not followed.

        Raises:
            CallbackFailed: Nothing listens there, the connection broke, or the time ran out.
        """
        return await self._exchange(
            self._root + callback.path, f"{self._place}{callback.path}", callback, timeout_seconds
        )

    async def post_to(self, url: str, callback: Callback, timeout_seconds: float) -> CallbackAnswer:
        """Delivers a callback to an address that the platform gave. Raises CallbackFailed."""
        return await self._exchange(url, url.partition("?")[0], callback, timeout_seconds)

    async def _exchange(self, url: str, place: str, callback: Callback, timeout_seconds: float) -> CallbackAnswer:
        """`place` is what may be said of the address."""
        if self._session is None:
            raise CallbackFailed("callback_unreachable", "the emulator is stopping")
        headers = {"Content-Type": "application/x-www-form-urlencoded", **callback.headers}
        timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(CONNECT_SECONDS, timeout_seconds))
        try:
            async with self._session.post(
                url,
                data=callback.body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await _read(response)
                names = {name.lower(): value for name, value in response.headers.items()}
                return CallbackAnswer(response.status, names, body)
        except TimeoutError as error:
            sentence = f"{place} did not answer within {timeout_seconds:g} s"
            raise CallbackFailed("callback_timeout", sentence) from error
        except (aiohttp.ClientError, OSError) as error:
            raise CallbackFailed("callback_unreachable", f"{place} gave no answer: {_reason(error)}") from error


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise CallbackFailed("callback_answer_too_long", f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return UNTRUSTED
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return failed_connections.reason(error)
    return str(error) or type(error).__name__
