"""`njia keys`: makes API keys. Nobody is called: the key is shown here and nowhere else."""

from typing import Annotated

import typer

from cli.context import njia_of
from rpc.api_keys import KeyListError, new_key
from rpc.callers import GIVEN, Scope

WRONG_USE = 2
"""What the parser of the command line ends with as well."""

keys = typer.Typer(no_args_is_help=True, help="API keys.")


@keys.callback()
def _several() -> None:
    """Keeps `new` a command of its own, though it is the only one."""


@keys.command()
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Who it is for; the audit log shows it.")],
    scope: Annotated[list[str], typer.Option(help=f"{', '.join(GIVEN)}; may be given several times.")],
    rate: Annotated[float | None, typer.Option(help="Calls a second; default is NJIA_API_RATE_PER_SECOND.")] = None,
) -> None:
    """
    Makes a key, and the line for the file that NJIA_API_KEYS_FILE names.

    The line alone goes to standard output: `>> file` adds it there, and the key is still shown.
    """
    output = njia_of(context).output
    try:
        made = new_key(name, {Scope(word) for entry in scope for word in entry.split(",")}, rate)
    except KeyListError as problem:
        output.failure(problem.problems[0].partition(": ")[2])
        raise typer.Exit(WRONG_USE) from None
    except ValueError:
        output.failure(f"the scopes are {', '.join(GIVEN)}")
        raise typer.Exit(WRONG_USE) from None
    if output.as_json:
        output.document({"key": made.key, "line": made.line})
        return
    output.aside(f"Key, shown only now: {made.key}")
    output.aside("Its line for the file that NJIA_API_KEYS_FILE names is written to standard output:")
    output.say(made.line)
