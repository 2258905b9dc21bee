"""`njia keys new`: the line goes to the file, the key to who asked."""

import json

from typer.testing import CliRunner

from cli.__main__ import app
from rpc.api_keys import digest_of, parse_keys


def test_what_goes_to_the_file_is_the_line_alone() -> None:
    made = CliRunner().invoke(app, ["keys", "new", "deployment", "--scope", "publish,read"])
    assert made.exit_code == 0, made.output
    key = made.stderr.split("Key, shown only now: ")[1].split()[0]
    assert key not in made.stdout
    assert parse_keys(made.stdout)[digest_of(key)].name == "deployment"


def test_json_may_be_asked_for_before_and_behind_a_command() -> None:
    before = CliRunner().invoke(app, ["--json", "keys", "new", "deployment", "--scope", "read"])
    behind = CliRunner().invoke(app, ["keys", "new", "deployment", "--scope", "read", "--json"])
    assert set(json.loads(before.stdout)) == set(json.loads(behind.stdout)) == {"key", "line"}
