"""/control/ussd: dial, type, hang up, repeat."""

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import ControlRefused, json_answer, read_document
from emulator.document import Document
from emulator.networks import SANDBOX_NETWORK
from emulator.ussd.dialling import NotDiallable
from emulator.ussd.driver import NothingToRepeat, SessionBusy, SessionOver, Turn, UnknownSession, UssdDriver
from emulator.ussd.session import UssdSession


class Dial(Document):
    """Body of a dialling."""

    code: Annotated[str, Field(max_length=182)]
    msisdn: Annotated[str, Field(min_length=1, max_length=32)]
    service_code: Annotated[str, Field(max_length=182)] | None = None
    network_code: Annotated[str, Field(max_length=16)] = SANDBOX_NETWORK


class Input(Document):
    """Body of an input."""

    input: Annotated[str, Field(max_length=1_000)]


class UssdControl:
    """The endpoints."""

    def __init__(self, driver: UssdDriver) -> None:
        self._driver = driver

    def routes(self) -> list[Route]:
        """Returns what to mount."""
        session = "/control/ussd/sessions/{session_id}"
        return [
            Route("/control/ussd/sessions", self.dial, methods=["POST"]),
            Route(f"{session}/input", self.enter, methods=["POST"]),
            Route(f"{session}/repeat", self.repeat, methods=["POST"]),
            Route(f"{session}/hangup", self.hang_up, methods=["POST"]),
            Route(session, self.show, methods=["GET"]),
        ]

    async def dial(self, request: Request) -> Response:
        """Answers `POST …/sessions`."""
        dial = await read_document(request, Dial)
        try:
            turn = await self._driver.dial(dial.code, dial.service_code, dial.msisdn, dial.network_code)
        except NotDiallable as error:
            raise ControlRefused(400, str(error)) from error
        return json_answer(_turn(turn), 201)

    async def enter(self, request: Request) -> Response:
        """Answers `POST …/sessions/{id}/input`."""
        entered = await read_document(request, Input)
        session_id = request.path_params["session_id"]
        try:
            return json_answer(_turn(await self._driver.enter(session_id, entered.input)))
        except UnknownSession as error:
            raise _unknown(session_id) from error
        except SessionOver as error:
            raise ControlRefused(409, f"session {session_id} has ended") from error
        except SessionBusy as error:
            raise ControlRefused(409, f"session {session_id} waits for the answer to its last input") from error

    async def repeat(self, request: Request) -> Response:
        """Answers `POST …/sessions/{id}/repeat`."""
        session_id = request.path_params["session_id"]
        try:
            return json_answer(_turn(await self._driver.repeat(session_id)))
        except UnknownSession as error:
            raise _unknown(session_id) from error
        except NothingToRepeat as error:
            raise ControlRefused(409, f"session {session_id} has sent no callback yet") from error

    async def hang_up(self, request: Request) -> Response:
        """Answers `POST …/sessions/{id}/hangup`."""
        session_id = request.path_params["session_id"]
        try:
            return json_answer(_session(self._driver.hang_up(session_id)))
        except UnknownSession as error:
            raise _unknown(session_id) from error

    async def show(self, request: Request) -> Response:
        """Answers `GET …/sessions/{id}`."""
        session_id = request.path_params["session_id"]
        try:
            return json_answer(_session(self._driver.session(session_id)))
        except UnknownSession as error:
            raise _unknown(session_id) from error


def _unknown(session_id: str) -> ControlRefused:
    return ControlRefused(404, f"there is no session {session_id}")


def _turn(turn: Turn) -> dict[str, Any]:
    screen = turn.screen
    document = {
        "sessionId": turn.session.session_id,
        "kind": screen.kind,
        "text": screen.text,
        "active": turn.session.active,
        "durationMs": round(turn.duration_ms, 3),
        "warnings": screen.warnings,
    }
    return document | {"error": screen.error, "errorCode": screen.error_code} if screen.error else document


def _session(session: UssdSession) -> dict[str, Any]:
    screen = session.screen
    return {
        "sessionId": session.session_id,
        "serviceCode": session.service_code,
        "msisdn": session.msisdn,
        "networkCode": session.network_code,
        "input": session.text,
        "hops": session.hops,
        "active": session.active,
        "status": session.end_status,
        "error": session.error,
        "screen": {"kind": screen.kind, "text": screen.text} if screen is not None else None,
    }
