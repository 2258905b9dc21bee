"""Where `njia` looks for the gateway, and what it reads of `.env`."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
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


SELF_SIGNED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "`make run`"),
        (httpx.ConnectError(SELF_SIGNED), "SSL_CERT_FILE"),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), "http:// instead of https://"),
        (httpx.ReadTimeout("timed out"), "try again"),
    ],
    ids=["nobody listens", "unknown authority", "no TLS there", "no answer"],
)
def test_what_to_do_fits_what_went_wrong(
    file: Path, monkeypatch: pytest.MonkeyPatch, failure: httpx.HTTPError, remedy: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(httpx.Client, "request", fail)
    asked = CliRunner().invoke(app, ["--url", "https://localhost:1", "flows"])
    assert asked.exit_code == 3
    assert remedy in asked.output
    assert ("make run" in asked.output) == (remedy == "`make run`")


@pytest.mark.parametrize("key", ["njia_\u00e9 secret", "njia_secret\nx", "njia_a njia_secret"])
def test_what_cannot_be_a_key_is_told_and_not_quoted(file: Path, key: str) -> None:
    asked = CliRunner().invoke(app, ["flows"], env={"NJIA_API_KEY": key})
    assert asked.exit_code == 2
    assert "NJIA_API_KEY" in asked.output
    assert "secret" not in asked.output
    assert asked.exception is None or isinstance(asked.exception, SystemExit)


def test_who_has_no_valid_key_is_told_how_to_name_one(file: Path) -> None:
    class Refuses(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["authorization"] == "Bearer njia_wrong"
            body = b'{"error": "Unauthorized", "message": "this needs a valid API key", "code": "API_KEY_REQUIRED"}'
            self.send_response(401)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as gateway:
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{gateway.server_address[1]}"
        asked = CliRunner().invoke(app, ["--url", url, "flows"], env={"NJIA_API_KEY": "njia_wrong"})
        gateway.shutdown()

    assert asked.exit_code == 1
    assert "NJIA_API_KEY_FILE" in asked.output
    assert "njia_wrong" not in asked.output
