"""Lua scripts: one call is one round trip, also on a server that has never seen the script after the first time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from redis.exceptions import NoScriptError

from storage.connection import Client

Argument = str | bytes | int


class Script:
    """
    A Lua script.

    Attributes:
        source: Its text.
    """

    __slots__ = ("_sha", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    @classmethod
    def load(cls, package: str, *names: str) -> "Script":
        """Returns the script that the files `lua/<name>.lua` of a package make up, one after the other."""
        folder = resources.files(package) / "lua"
        return cls("\n".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in names))

    async def run(self, client: Client, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Any:
        """
        Runs the script. Keys must share a hash tag.

        A server that does not know it (new, restarted, or another node of the cluster) gets the text, once.
        """
        try:
            return await client.execute_command("EVALSHA", self._sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return await client.execute_command("EVAL", self.source, len(keys), *keys, *arguments)

    def by_hash(self, call: "ScriptCall") -> tuple[Argument, ...]:
        """Returns the command that runs the script on a server that knows it."""
        return ("EVALSHA", self._sha, len(call.keys), *call.keys, *call.arguments)


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """
    One run of a script.

    Attributes:
        script: The script.
        keys: Its keys, which share a hash tag.
        arguments: Its arguments.
    """

    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument] = ()
