"""The same set as an operator would show it to others: TLS everywhere it can be, keys, a callback token."""

import secrets
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import httpx
from typer.testing import CliRunner

from cli.__main__ import app
from rpc.api_keys import new_key
from rpc.authority import Authority
from rpc.callers import Scope
from rpc.config import Environment
from rpc.tls import Tls, read_tls
from scripts.compose_test.containers import CALL_SECONDS, PORTS, Containers, step, until
from scripts.compose_test.people import all_healthy, dial, order, phones, publish_flows, send_directly

FILES = ("docker-compose.yml", "docker-compose.tls.yml")
ADDRESS = f"127.0.0.1:{PORTS['GATEWAY_PORT']}"
DIALLER = "+254711000002"


async def the_whole_set() -> None:
    """A session and an SMS through it; who has no certificate or key does not get in; an expired one is named."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "certificates"
        _make_certificates(directory)
        key = new_key("compose-test", {Scope.ADMIN})
        containers = Containers(
            FILES,
            {
                "NJIA_CERTIFICATES": str(directory),
                "NJIA_INSECURE": "false",
                "NJIA_API_KEYS": key.line,
                "NJIA_SERVICE_KEY": secrets.token_urlsafe(32),
                "NJIA_AT_CALLBACK_TOKEN": secrets.token_urlsafe(32),
            },
        )
        try:
            await _use(containers, directory, key.key)
        finally:
            containers.down()


async def _use(containers: Containers, directory: Path, key: str) -> None:
    step("TLS between the services and of the REST API, keys, a callback token")
    containers.compose("up", "-d")
    tls = read_tls(
        Environment(
            {
                "NJIA_TLS_CERT_FILE": f"{directory}/services.pem",
                "NJIA_TLS_KEY_FILE": f"{directory}/services.key",
                "NJIA_TLS_CA_FILE": f"{directory}/ca.pem",
            }
        ),
        "NJIA_TLS",
    )
    assert tls is not None
    async with (
        httpx.AsyncClient(
            base_url=f"https://{ADDRESS}",
            headers={"Authorization": f"Bearer {key}"},
            verify=_knowing(directory),
            timeout=CALL_SECONDS,
            trust_env=False,
        ) as rest,
        phones() as emulator,
    ):
        await until("health of all services", lambda: all_healthy(rest))
        await publish_flows(rest)
        await dial(emulator, DIALLER)
        await order(rest, 9000)
        await until("health of all containers", containers.are_healthy)
    containers.check_what_processes_may()
    step("who has no certificate, no authority or no key does not get in")
    await _who_gets_in(containers, directory, tls, key)
    containers.stop()
    step("an expired certificate is named")
    _expired_is_named(containers, directory)


async def _who_gets_in(containers: Containers, directory: Path, tls: Tls, key: str) -> None:
    target = f"127.0.0.1:{containers.port_of_adapter()}"
    bearer = grpc.access_token_call_credentials(key)
    ours = grpc.composite_channel_credentials(tls.channel_credentials(), bearer)
    async with grpc.aio.secure_channel(target, ours) as channel:
        assert await send_directly(channel)
    without_certificate = grpc.ssl_channel_credentials(tls.authorities)
    for channel, refusal in (
        (grpc.aio.insecure_channel(target), grpc.StatusCode.UNAVAILABLE),
        (grpc.aio.secure_channel(target, without_certificate), grpc.StatusCode.UNAVAILABLE),
        (grpc.aio.secure_channel(target, tls.channel_credentials()), grpc.StatusCode.UNAUTHENTICATED),
    ):
        async with channel:
            try:
                await send_directly(channel)
            except grpc.aio.AioRpcError as error:
                if error.code() is not refusal:
                    raise
            else:
                raise AssertionError(f"got in where {refusal} was due")
    async with httpx.AsyncClient(trust_env=False, timeout=CALL_SECONDS) as client:
        # In plain text, and by somebody who does not know the authority.
        for url in (f"http://{ADDRESS}/livez", f"https://{ADDRESS}/livez"):
            try:
                answer = await client.get(url)
            except httpx.TransportError:
                continue
            raise AssertionError(f"{url} answered {answer.status_code}")
    async with httpx.AsyncClient(verify=_knowing(directory), trust_env=False, timeout=CALL_SECONDS) as client:
        assert (await client.get(f"https://{ADDRESS}/api/workflows")).status_code == httpx.codes.UNAUTHORIZED


def _expired_is_named(containers: Containers, directory: Path) -> None:
    kept = directory.with_name(f"{directory.name}.authority")
    now = datetime.now(UTC)
    expired = Authority((kept / "ca.pem").read_bytes(), (kept / "ca.key").read_bytes()).sign(
        "njia services", ["engine"], until=now - timedelta(days=1), since=now - timedelta(days=9)
    )
    for name, content in (("services.pem", expired.certificate), ("services.key", expired.key)):
        (directory / name).write_bytes(content)
    for service in ("validator", "engine", "sessions", "at_adapter", "gateway"):
        ended = containers.tried("run", "--rm", "--no-deps", "-T", service)
        assert ended.returncode == 2, f"{service}: exit code {ended.returncode}; {ended.stderr}"
        assert "NJIA_TLS_CERT_FILE: the certificate CN=njia services" in ended.stderr, ended.stderr
        assert "expired" in ended.stderr, ended.stderr


def _knowing(directory: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(directory / "ca.pem"))


def _make_certificates(directory: Path) -> None:
    """As docs/security.md has an operator do it; then readable for the user of the containers, whoever runs this."""
    made = CliRunner().invoke(app, ["certificates", str(directory)])
    assert made.exit_code == 0, made.output
    for key in directory.glob("*.key"):
        key.chmod(0o644)
