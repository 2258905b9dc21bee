"""dial: a phone in the terminal, by the local Africa's Talking."""

from typing import Annotated

import typer

from cli.context import njia_of
from emulator.handset.__main__ import main


def dial(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="The code, such as '*384*1#'.")],
    phone: Annotated[str, typer.Option("--from", help="The number of the phone.")] = "+254711000001",
) -> None:
    """Dials a code from a phone in the terminal; needs the emulator, which `make run` starts."""
    raise typer.Exit(main(["--code", code, "--from", phone], njia_of(context).variables))
