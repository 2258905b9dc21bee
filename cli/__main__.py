"""`njia`, which is `python -m cli`."""

import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.commands import certificates, dial, executions, flows, keys, node_types, sessions, unclaimed
from cli.context import Njia, api_key, gateway_url
from cli.output import Output
from launcher import env_file

JSON = "--json"


class _Commands(TyperGroup):
    """Takes --json behind a command as well, where people write it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        if JSON in args[:end]:
            args = [JSON, *(word for place, word in enumerate(args) if word != JSON or place > end)]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="njia",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Flows, executions and sessions of Njia. Exit codes: 1 refused or failed, 2 wrong use, 3 no answer.",
)


@app.callback()
def njia(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(help="The gateway. Default: NJIA_URL, else where NJIA_GATEWAY_LISTEN puts it.")
    ] = None,
    as_json: Annotated[bool, typer.Option(JSON, help="Write the API's answer as it is.")] = False,
) -> None:
    """Keeps what all commands need."""
    try:
        variables = env_file.beside(os.environ)
    except env_file.EnvFileError as problem:
        raise typer.BadParameter(str(problem)) from None
    context.obj = Njia(url or gateway_url(variables), api_key(variables), Output(as_json=as_json), variables)


for command in (
    flows.validate,
    flows.publish,
    flows.unpublish,
    flows.flows,
    node_types.node_types,
    executions.execute,
    executions.executions,
    executions.cancel,
    executions.replay,
    unclaimed.unclaimed,
    sessions.sessions,
    sessions.end_session,
    dial.dial,
    certificates.certificates,
):
    app.command()(command)

app.add_typer(keys.keys, name="keys")


if __name__ == "__main__":
    app()
