"""`njia`, which is `python -m cli`."""

from typing import Annotated

import typer

from cli.commands import dial, executions, flows, keys, sessions
from cli.context import Njia, api_key
from cli.output import Output

DEFAULT_URL = "http://127.0.0.1:8080"

app = typer.Typer(
    name="njia",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Flows, executions and sessions of Njia. Exit codes: 1 refused or failed, 2 wrong use, 3 no answer.",
)


@app.callback()
def njia(
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="NJIA_URL", help="The gateway.")] = DEFAULT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="Write the API's answer as it is.")] = False,
) -> None:
    """Keeps what all commands need."""
    context.obj = Njia(url, api_key(), Output(as_json=as_json))


for command in (
    flows.validate,
    flows.publish,
    flows.unpublish,
    flows.flows,
    executions.execute,
    executions.executions,
    executions.cancel,
    executions.replay,
    sessions.sessions,
    sessions.end_session,
    dial.dial,
):
    app.command()(command)

app.add_typer(keys.keys, name="keys")


if __name__ == "__main__":
    app()
