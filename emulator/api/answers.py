"""Answers as Africa's Talking gives them: bare JSON, XML for whoever does not ask for JSON, plain text for refusals."""

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

AUTHENTICATION_INVALID = "The supplied authentication is invalid"


class Rejected(Exception):
    """A request that is refused with a status and a text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class NoAnswer(Response):
    """Closes the connection where an answer should have come. Needs the server's `DroppableHttp`."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Answers the request with silence."""
        drop: Callable[[], None] = scope["state"]["drop_connection"]
        drop()
        # Returning before the server saw the end of the connection would make it send a 500.
        while (await receive())["type"] != "http.disconnect":
            pass


def text_answer(status: int, text: str) -> Response:
    """Returns a refusal in plain text. A 401 also names the scheme, as the original does."""
    headers = {"Content-Type": "text/plain; charset=UTF-8"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="api",charset=UTF-8'
    return Response(text, status, headers)


def data_answer(request: Request, status: int, data: Mapping[str, Any]) -> Response:
    """
    Returns the data as JSON when the request accepts application/json, else as XML.

    The content type is exactly application/json: the Python SDK returns a text for anything longer.
    """
    if "application/json" in request.headers.get("accept", ""):
        return Response(orjson.dumps(data), status, {"Content-Type": "application/json"})
    root = ET.Element("AfricasTalkingResponse")
    _add(root, data)
    body = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return Response(body, status, {"Content-Type": "application/xml; charset=UTF-8"})


def _add(parent: ET.Element, data: Mapping[str, Any]) -> None:
    """Adds each value under its name; the entries of a list stand under the name without its plural s."""
    for name, value in data.items():
        element = ET.SubElement(parent, name)
        if isinstance(value, Mapping):
            _add(element, value)
        elif isinstance(value, list):
            for entry in value:
                _add(ET.SubElement(element, name.removesuffix("s")), entry)
        else:
            element.text = _xml_text(str(value))


def _xml_text(text: str) -> str:
    """Replaces the control characters that XML 1.0 cannot carry."""
    return "".join(character if character >= " " or character in "\t\n\r" else "\ufffd" for character in text)
