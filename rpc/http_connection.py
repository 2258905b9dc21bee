"""One HTTP connection: how long its client may take, and what is refused before the application is asked."""

import asyncio
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import ClassVar

import orjson
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from telemetry.http_tracing import App, Receive, Scope, Send

MAX_CONNECTIONS = 2000
"""Connections and requests at once; a request beyond it is answered 503."""

RETRY_SECONDS = 1
"""When who was refused for want of room may ask again."""

MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers; where more than that came without their end, the answer is 431."""

_JSON = "application/json"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """
    How long a client may take, in seconds.

    Attributes:
        head: From the opening of the connection, or the first byte of a later request, to the end of the headers.
        body: From there to the end of the body. Where nothing is read, as long as an earlier request of the same
            connection is answered, it begins anew.
        answer: Without taking anything of an answer that is longer than the buffers between.
    """

    head: float = 20.0
    body: float = 60.0
    answer: float = 60.0


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What holds for every connection of a server.

    Attributes:
        patience: How long a client may take.
        max_connections: A request is refused where the server has as many connections or requests.
        refusing: Answers then, in place of the application.
    """

    patience: Patience
    max_connections: int
    refusing: App


def connections(terms: Terms) -> type["Connection"]:
    """Returns the type of a server's connections, as uvicorn asks for it."""
    return type("Connection", (Connection,), {"terms": terms})


async def refuse_for_want_of_room(_: Scope, __: Receive, send: Send) -> None:
    """The application that answers 503."""
    content = _document(HTTPStatus.SERVICE_UNAVAILABLE, "SERVER_BUSY", "there are too many requests; try again")
    headers = {
        "content-type": _JSON,
        "content-length": str(len(content)),
        "retry-after": str(RETRY_SECONDS),
        "connection": "close",
    }
    await send(
        {
            "type": "http.response.start",
            "status": HTTPStatus.SERVICE_UNAVAILABLE.value,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": content})


class _Owed(Enum):
    """What the client has not sent yet."""

    HEAD = "headers"
    BODY = "body"
    NOTHING = "nothing"


class Connection(HttpToolsProtocol):
    """Uvicorn's connection, with deadlines for the client, a bound of its headers, and refusals that say what to do."""

    terms: ClassVar[Terms]

    _serving: App
    _owed = _Owed.NOTHING
    _head_bytes = 0
    _due: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._serving = self.app
        self._wait_for(_Owed.HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets the timers go."""
        self._wait_for(_Owed.NOTHING)
        self._taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what the client sent."""
        if self._owed is _Owed.NOTHING and self._is_idle():
            self._wait_for(_Owed.HEAD)
        if self._owed is _Owed.HEAD:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._owed is _Owed.HEAD and self._head_bytes > MAX_HEAD_BYTES:
            told = f"the headers have more than {MAX_HEAD_BYTES} bytes"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "HEADERS_TOO_LARGE", told)

    def on_message_begin(self) -> None:
        """Begins a request; one that came in one piece with the request before it too."""
        super().on_message_begin()
        if self._owed is not _Owed.HEAD:
            self._wait_for(_Owed.HEAD)

    def on_headers_complete(self) -> None:
        """Hands the request to the application, or to who refuses it."""
        self._wait_for(_Owed.BODY)
        has_room = max(len(self.connections), len(self.tasks)) < self.terms.max_connections
        self.app = self._serving if has_room else self.terms.refusing
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The client owes nothing."""
        self._wait_for(_Owed.NOTHING)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, "INVALID_HTTP", "this is no HTTP/1.1 request")

    def pause_writing(self) -> None:
        """Waits until the client takes what it was sent."""
        super().pause_writing()
        self._untaken = self.loop.call_later(self.terms.patience.answer, self.transport.abort)

    def resume_writing(self) -> None:
        """Goes on."""
        self._taken()
        super().resume_writing()

    def _taken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for(self, owed: _Owed) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due = None if owed is _Owed.NOTHING else self.loop.call_later(self._seconds_for(owed), self._late)
        self._owed = owed
        self._head_bytes = 0

    def _seconds_for(self, owed: _Owed) -> float:
        return self.terms.patience.head if owed is _Owed.HEAD else self.terms.patience.body

    def _late(self) -> None:
        if self.flow.read_paused:
            self._wait_for(self._owed)
        elif self._owed is _Owed.HEAD and self._head_bytes == 0:
            # Nothing was asked, so there is nothing to answer.
            self.transport.close()
        else:
            told = f"the {self._owed.value} did not come within {self._seconds_for(self._owed):g} s"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TOO_SLOW", told)

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        """Answers, unless an answer is under way, and closes: nobody knows where the next request would begin."""
        if not self.pipeline and (self._is_idle() if self._owed is not _Owed.BODY else not self.cycle.response_started):
            content = _document(status, code, message)
            self.transport.write(_answer(status, content) + content)
            _log.info("a request was refused", status=status.value, code=code)
        self._wait_for(_Owed.NOTHING)
        self.transport.close()


def _document(status: HTTPStatus, code: str, message: str) -> bytes:
    return orjson.dumps({"error": status.phrase.capitalize(), "message": message, "code": code})


def _answer(status: HTTPStatus, content: bytes) -> bytes:
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {_JSON}\r\n"
        f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
    ).encode()
