"""What every command gets: the gateway and the output."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

import typer

from cli.api import Api, Refused, Unreachable
from cli.exit_codes import REFUSED, UNREACHABLE
from cli.output import Output
from launcher import own_gateway
from rpc.config import ConfigError, Environment

API_KEY_REQUIRED = "API_KEY_REQUIRED"
"""Code of the API's answer to whoever has no valid key."""

WORKFLOW_NOT_FOUND = "WORKFLOW_NOT_FOUND"
"""Likewise, to whoever names a flow that is not saved."""


@dataclass(frozen=True, slots=True)
class Njia:
    """
    A gateway, not connected yet, and where answers go.

    Attributes:
        key: API key, None where there is none.
        variables: Those of the environment and of `.env`.
    """

    url: str
    key: str | None
    output: Output
    variables: Mapping[str, str]

    @contextmanager
    def api(self) -> Iterator[Api]:
        """Talks to the gateway inside; ends the process with an exit code and a sentence when that fails."""
        try:
            with closing(Api(self.url, self.key)) as api:
                yield api
        except Refused as refusal:
            self.output.problem(refusal.document)
            if refusal.document.get("code") == API_KEY_REQUIRED:
                self.output.failure("name a key of the gateway's list by NJIA_API_KEY or NJIA_API_KEY_FILE")
            if refusal.document.get("code") == WORKFLOW_NOT_FOUND:
                self.output.aside("`njia flows` lists them")
            raise typer.Exit(REFUSED) from None
        except Unreachable as problem:
            self.output.failure(str(problem))
            self.output.aside(problem.remedy)
            raise typer.Exit(UNREACHABLE) from None


def gateway_url(variables: Mapping[str, str]) -> str:
    """Returns NJIA_URL; without it the gateway is on this machine, where its own variables put it."""
    return variables.get("NJIA_URL", "").strip() or own_gateway.url(variables)


def api_key(environ: Mapping[str, str]) -> str | None:
    """Returns the key of NJIA_API_KEY or NJIA_API_KEY_FILE. It is no option: everybody on the machine sees those."""
    variables = Environment(environ)
    key = variables.secret("NJIA_API_KEY")
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        # A library that is handed it would quote it.
        variables.problem("NJIA_API_KEY", "is no key: it holds a blank, a line break or a letter that no key has")
    try:
        variables.check()
    except ConfigError as problem:
        raise typer.BadParameter(str(problem)) from None
    return key


def njia_of(context: typer.Context) -> Njia:
    """Returns what the options before the command said."""
    found = context.obj
    assert isinstance(found, Njia)
    return found
