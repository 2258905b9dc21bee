"""dial: a phone in the terminal, by the local Africa's Talking."""

import os
from typing import Annotated

import typer

from emulator.handset.__main__ import main


def dial(
    code: Annotated[str, typer.Argument(help="The code, such as '*384*1#'.")],
    phone: Annotated[str, typer.Option("--from", help="The number of the phone.")] = "+254711000001",
) -> None:
    """Dials a code from a phone in the terminal; needs the emulator, which `make run` starts."""
    raise typer.Exit(main(["--code", code, "--from", phone], os.environ))
