"""How the control API reads and answers."""

from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from emulator.api.requests import read_body
from emulator.callbacks import CallbackAnswer, CallbackFailed
from emulator.document import Document

D = TypeVar("D", bound=Document)

MAX_LISTED = 10_000


class ControlRefused(Exception):
    """A control request that cannot be carried out, with the status and the sentence that say so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def json_answer(data: Mapping[str, Any], status: int = 200) -> Response:
    """Returns an answer with this document."""
    return Response(orjson.dumps(data), status, {"Content-Type": "application/json"})


async def delivery_answer(delivering: Awaitable[CallbackAnswer]) -> Response:
    """Returns what became of a callback that is delivered: whether it was taken, its status, or why it got none."""
    try:
        answer = await delivering
    except CallbackFailed as failure:
        return json_answer({"delivered": False, "httpStatus": None, "error": str(failure)})
    return json_answer({"delivered": answer.status == 200, "httpStatus": answer.status, "error": None})


def refusal_answer(refused: ControlRefused) -> Response:
    """Returns {"error": {"message": …}} with the status of the refusal."""
    return json_answer({"error": {"message": refused.message}}, refused.status)


def describe_faults(error: ValidationError) -> str:
    """Returns one sentence with every field that does not fit."""
    return "; ".join(
        f"{'.'.join(str(step) for step in fault['loc']) or 'document'}: {fault['msg']}" for fault in error.errors()
    )


async def read_object(request: Request) -> dict[str, Any]:
    """Returns the JSON object of a request. Raises ControlRefused: 400."""
    try:
        document = orjson.loads(await read_body(request))
    except orjson.JSONDecodeError as error:
        raise ControlRefused(400, f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ControlRefused(400, "the body must be a JSON object")
    return document


async def read_document(request: Request, document: type[D]) -> D:
    """Returns the document of a request. Raises ControlRefused: 400, naming every field that does not fit."""
    try:
        return document.model_validate(await read_object(request))
    except ValidationError as error:
        raise ControlRefused(400, describe_faults(error)) from error


def number_parameter(request: Request, name: str) -> str | None:
    """Returns a number from the query; a plus sign that came as a space is put back."""
    value = request.query_params.get(name)
    return f"+{value[1:]}" if value is not None and value.startswith(" ") else value


def limit_parameter(request: Request, default: int) -> int:
    """Returns ?limit=. Raises ControlRefused: 400."""
    value = request.query_params.get("limit", str(default))
    if value.isascii() and value.isdigit() and 1 <= int(value) <= MAX_LISTED:
        return int(value)
    raise ControlRefused(400, f"limit: must be a whole number from 1 to {MAX_LISTED}")
