"""Where `njia` looks for the gateway, and what it reads of `.env`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.context import gateway_url
from launcher import env_file
from launcher.valkey import free_port


def test_the_gateway_is_where_its_own_variables_put_it() -> None:
    assert gateway_url({}) == "http://127.0.0.1:8080"
    assert gateway_url({"NJIA_GATEWAY_LISTEN": "0.0.0.0:8081"}) == "http://127.0.0.1:8081"
    assert gateway_url({"NJIA_GATEWAY_TLS_CERT_FILE": "/c/gateway.pem"}) == "https://127.0.0.1:8080"
    assert gateway_url({"NJIA_URL": "https://njia.example.org", "NJIA_GATEWAY_LISTEN": "127.0.0.1:1"}) == (
        "https://njia.example.org"
    )


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the file of the project."""
    monkeypatch.delenv("NJIA_URL", raising=False)
    monkeypatch.setattr(env_file, "OF_PROJECT", tmp_path / ".env")
    return tmp_path / ".env"


def test_the_file_is_read_and_the_environment_wins(file: Path) -> None:
    port, other = free_port(), free_port()
    file.write_text(f"NJIA_GATEWAY_LISTEN=127.0.0.1:{port}\n")
    asked = CliRunner().invoke(app, ["flows"])
    assert (asked.exit_code, f"http://127.0.0.1:{port} does not answer" in asked.output) == (3, True)
    asked = CliRunner().invoke(app, ["flows"], env={"NJIA_URL": f"http://127.0.0.1:{other}"})
    assert (asked.exit_code, f"http://127.0.0.1:{other} does not answer" in asked.output) == (3, True)


def test_a_file_that_is_no_list_of_variables_is_named(file: Path) -> None:
    file.write_text("what is this\n")
    asked = CliRunner().invoke(app, ["flows"])
    assert asked.exit_code == 2
    assert ".env, line 1" in asked.output


def test_what_is_no_address_is_told_in_a_sentence(file: Path) -> None:
    asked = CliRunner().invoke(app, ["--url", "http://127.0.0.1:port", "flows"])
    assert asked.exit_code == 3
    assert "http://127.0.0.1:port is no address" in asked.output
