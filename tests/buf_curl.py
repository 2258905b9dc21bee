"""`buf curl`: a gRPC client that is not ours and knows of the contracts what server reflection tells it."""

import asyncio
import base64
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2

BUF = Path(sys.executable).with_name("buf")

WITHIN_SECONDS = 30.0
"""For the whole life of one process, its start included."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """
    An error as buf prints it.

    Attributes:
        code: The gRPC status in small letters.
        message: Its text.
        details: The google.rpc messages as JSON, by their name, such as ErrorInfo.
    """

    code: str
    message: str
    details: Mapping[str, Document]


@dataclass(frozen=True, slots=True)
class Server:
    """
    A server to call.

    Attributes:
        url: http://host:port, or https:// with TLS.
        options: More options of buf: headers, certificates, where the contracts are if reflection is not to be asked.
    """

    url: str
    options: Sequence[str] = ()

    @classmethod
    def with_key(cls, url: str, key: str) -> "Server":
        """A server that asks for a key, also before it answers reflection."""
        return cls(url, ("--header", f"authorization: Bearer {key}", "--reflect-header", "*"))

    async def services(self) -> list[str]:
        """The services that reflection lists."""
        return sorted((await self._answered(self.url, "--list-services")).split())

    async def methods(self) -> list[str]:
        """The methods of all of them, as service/method."""
        return sorted((await self._answered(self.url, "--list-methods")).split())

    async def call(self, method: str, request: Document) -> list[Document]:
        """The messages that a method answers with, in order; one unless it streams."""
        return _documents(await self._answered(f"{self.url}/{method}", "--data", json.dumps(request)))

    async def refused(self, method: str, request: Document) -> Refused:
        """Calls a method that must refuse, and returns what it said."""
        code, answer, problem = await self._run(f"{self.url}/{method}", "--data", json.dumps(request))
        assert code != 0, f"the call was answered: {answer}"
        said = json.loads(problem)
        return Refused(said["code"], said["message"], dict(_detail(**each) for each in said.get("details", ())))

    async def _answered(self, *arguments: str) -> str:
        code, answer, problem = await self._run(*arguments)
        assert code == 0, problem
        return answer

    async def _run(self, *arguments: str) -> tuple[int | None, str, str]:
        plain = ("--http2-prior-knowledge",) if self.url.startswith("http://") else ()
        running = await asyncio.create_subprocess_exec(
            BUF,
            *("curl", "--protocol", "grpc", *plain, *self.options, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                answer, problem = await running.communicate()
        finally:
            if running.returncode is None:
                running.kill()
        return running.returncode, answer.decode(), problem.decode()


def _detail(type: str, value: str) -> tuple[str, Document]:  # noqa: A002 (as buf names it)
    """Name and content of a detail, whose bytes buf prints as base64 without padding."""
    name = type.removeprefix("google.rpc.")
    message = getattr(error_details_pb2, name).FromString(base64.b64decode(value + "=" * (-len(value) % 4)))
    return name, MessageToDict(message)


def _documents(text: str) -> list[Document]:
    """JSON documents that stand one behind the other."""
    decoder, found, place = json.JSONDecoder(), [], 0
    text = text.strip()
    while place < len(text):
        document, end = decoder.raw_decode(text, place)
        found.append(document)
        place = end + len(text[end:]) - len(text[end:].lstrip())
    return found
