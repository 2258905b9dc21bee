"""/control/calls: call, pick up, press keys, hang up."""

from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import ControlRefused, json_answer, number_parameter, read_document
from emulator.document import Document
from emulator.voice.call import PhoneCall
from emulator.voice.document import GetDigits, Record
from emulator.voice.driver import NotPossible, UnknownCall, VoiceDriver

Number = Annotated[str, Field(min_length=1, max_length=64)]


class Dialled(Document):
    """Body of a call from a phone."""

    sender: Number = Field(alias="from")
    to: Number


class Refusal(Document):
    """Body of a refusal to pick up."""

    cause: Literal["USER_BUSY", "NO_ANSWER", "CALL_REJECTED", "SUBSCRIBER_ABSENT", "UNALLOCATED_NUMBER"] = "USER_BUSY"


class Keys(Document):
    """Body of keys that are pressed."""

    keys: Annotated[str, Field(pattern=r"^[0-9*#]{1,64}$")]


class VoiceControl:
    """The endpoints."""

    def __init__(self, driver: VoiceDriver) -> None:
        self._driver = driver

    def routes(self) -> list[Route]:
        """Returns what to mount."""
        call = "/control/calls/{session_id}"
        return [
            Route("/control/calls", self.dial, methods=["POST"]),
            Route("/control/calls", self.list_calls, methods=["GET"]),
            Route(call, self.show, methods=["GET"]),
            Route(f"{call}/answer", self.answer, methods=["POST"]),
            Route(f"{call}/refuse", self.refuse, methods=["POST"]),
            Route(f"{call}/keys", self.press, methods=["POST"]),
            Route(f"{call}/silence", self.silence, methods=["POST"]),
            Route(f"{call}/hangup", self.hang_up, methods=["POST"]),
            Route(f"{call}/repeat", self.repeat, methods=["POST"]),
        ]

    async def dial(self, request: Request) -> Response:
        """Answers `POST /control/calls`."""
        dialled = await read_document(request, Dialled)
        return json_answer(_call(await self._driver.dial(dialled.sender, dialled.to)), 201)

    async def list_calls(self, request: Request) -> Response:
        """Answers `GET /control/calls?msisdn=`."""
        calls = self._driver.calls(number_parameter(request, "msisdn"))
        return json_answer({"calls": [_call(call) for call in calls]})

    async def show(self, request: Request) -> Response:
        """Answers `GET …/calls/{id}`."""
        with _Refusals(request):
            return json_answer(_call(self._driver.call(_id(request))))

    async def answer(self, request: Request) -> Response:
        """Answers `POST …/calls/{id}/answer`."""
        with _Refusals(request):
            return json_answer(_call(await self._driver.answer(_id(request))))

    async def refuse(self, request: Request) -> Response:
        """Answers `POST …/calls/{id}/refuse`."""
        refusal = await read_document(request, Refusal)
        with _Refusals(request):
            return json_answer(_call(self._driver.refuse(_id(request), refusal.cause)))

    async def press(self, request: Request) -> Response:
        """Answers `POST …/calls/{id}/keys`."""
        pressed = await read_document(request, Keys)
        with _Refusals(request):
            return json_answer(_call(await self._driver.press(_id(request), pressed.keys)))

    async def silence(self, request: Request) -> Response:
        """Answers `POST …/calls/{id}/silence`."""
        with _Refusals(request):
            return json_answer(_call(await self._driver.silence(_id(request))))

    async def hang_up(self, request: Request) -> Response:
        """Answers `POST …/calls/{id}/hangup`."""
        with _Refusals(request):
            return json_answer(_call(self._driver.hang_up(_id(request))))

    async def repeat(self, request: Request) -> Response:
        """Answers `POST …/calls/{id}/repeat`."""
        with _Refusals(request):
            body, is_same = await self._driver.repeat(_id(request))
            return json_answer({"document": body, "same": is_same})


class _Refusals:
    """Turns what a call cannot do into an answer."""

    def __init__(self, request: Request) -> None:
        self._session_id = _id(request)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, UnknownCall):
            raise ControlRefused(404, f"there is no call {self._session_id}") from error
        if isinstance(error, NotPossible):
            raise ControlRefused(409, str(error)) from error


def _id(request: Request) -> str:
    return str(request.path_params["session_id"])


def _call(call: PhoneCall) -> dict[str, Any]:
    return {
        "sessionId": call.session_id,
        "direction": call.direction,
        "msisdn": call.msisdn,
        "number": call.number,
        "clientRequestId": call.request_id,
        "state": call.state,
        "active": call.active,
        "heard": [{"kind": heard.kind, "text": heard.text, "voice": heard.voice} for heard in call.heard],
        "waitsFor": _asks(call),
        "dialled": call.dialled or None,
        "status": call.status or None,
        "hangupCause": call.hangup_cause or None,
        "callbacks": call.callbacks,
        "document": call.last_body,
        "error": call.error,
    }


def _asks(call: PhoneCall) -> str | None:
    match call.asks:
        case GetDigits():
            return "keys"
        case Record():
            return "recording"
        case None:
            return None
    return "hangup"
