"""TLS between services: who gets in, and what is told of certificates that are of no use."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.trace import NoOpTracerProvider
from prometheus_client.parser import text_string_to_metric_families

from rpc.channels import open_channel
from rpc.config import ConfigError, Environment
from rpc.protection import UNPROTECTED, Protection, read_protection
from rpc.server import start_server
from rpc.tls import read_tls
from telemetry.exposition import Exposition
from telemetry.metrics import UNMETERED, Meters
from tests.buf_curl import Server
from tests.rpc.certificates import Authority, Signed


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


def protection_with(authority: Authority | None, shown: Signed | None) -> Protection:
    environ = {} if authority is None else {"NJIA_TLS_CA_FILE": str(authority.file)}
    if shown is not None:
        environ |= {"NJIA_TLS_CERT_FILE": str(shown.certificate), "NJIA_TLS_KEY_FILE": str(shown.key)}
    variables = Environment(environ)
    protection = read_protection(variables, grpc={}, http={})
    variables.check()
    return protection


@asynccontextmanager
async def serving(protection: Protection, meters: Meters = UNMETERED) -> AsyncIterator[str]:
    async def ready() -> bool:
        return True

    server = await start_server(
        listen="127.0.0.1:0",
        register=lambda _: None,
        services=(),
        errors={},
        tracer_provider=NoOpTracerProvider(),
        ready=ready,
        protection=protection,
        meters=meters,
    )
    yield f"127.0.0.1:{server.port}"
    await server.stop(0)


async def gets_in(target: str, protection: Protection) -> bool:
    async with open_channel(target, NoOpTracerProvider(), protection) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        try:
            await check(health_pb2.HealthCheckRequest(), timeout=30)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                return False
            raise
        return True


async def test_only_who_shows_a_certificate_of_ours_gets_in(ours: Authority, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    theirs = Authority(tmp_path / "theirs", "theirs")
    async with serving(protection_with(ours, ours.signed("server"))) as target:
        assert await gets_in(target, protection_with(ours, ours.signed("client")))
        assert not await gets_in(target, protection_with(ours, None))
        assert not await gets_in(target, protection_with(ours, theirs.signed("client")))
        assert not await gets_in(target, UNPROTECTED)


async def test_replicas_that_a_target_lists_by_their_addresses_are_called(ours: Authority) -> None:
    shown = ours.signed("replica")
    async with serving(protection_with(ours, shown)) as one, serving(protection_with(ours, shown)) as other:
        assert await gets_in(f"ipv4:///{one},{other}", protection_with(ours, shown))
        assert await gets_in(f"ipv4:{one}", protection_with(ours, shown))


async def test_a_client_that_is_not_ours_gets_in_with_the_same_files(ours: Authority) -> None:
    async with serving(protection_with(ours, ours.signed("server"))) as target:
        mine = ours.signed("client")
        trusting = ("--cacert", str(ours.file))
        known = (*trusting, "--cert", str(mine.certificate), "--key", str(mine.key))
        assert "grpc.health.v1.Health" in await Server(f"https://{target}", known).services()
        # Who is shut out reads that the connection ended or fails to write to it, whichever comes first.
        with pytest.raises(AssertionError, match=r"unavailable|canceled"):
            await Server(f"https://{target}", trusting).services()


async def probed(target: str) -> int:
    """The exit code of the probe."""
    probe = await asyncio.create_subprocess_exec(sys.executable, "-m", "rpc.probe", target)
    return await probe.wait()


@pytest.mark.parametrize("mutual", [False, True], ids=["one-sided", "mutual"])
async def test_the_probe_of_a_container_asks_for_the_name_in_its_own_certificate(
    ours: Authority, mutual: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = ours.signed("server", hosts=["engine"])
    async with serving(protection_with(ours if mutual else None, shown)) as target:
        assert await probed(target) == 1
        monkeypatch.setenv("NJIA_TLS_CERT_FILE", str(shown.certificate))
        monkeypatch.setenv("NJIA_TLS_KEY_FILE", str(shown.key))
        if mutual:
            monkeypatch.setenv("NJIA_TLS_CA_FILE", str(ours.file))
        assert await probed(target) == 0


async def test_a_server_that_somebody_else_signed_is_not_called(ours: Authority, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    theirs = Authority(tmp_path / "theirs", "theirs")
    async with serving(protection_with(None, theirs.signed("server"))) as target:
        assert not await gets_in(target, protection_with(ours, None))
        assert await gets_in(target, protection_with(theirs, None))


def problems_of(**environ: str) -> list[str]:
    variables = Environment(environ)
    read_tls(variables, "NJIA_TLS")
    with pytest.raises(ConfigError) as told:
        variables.check()
    return list(told.value.problems)


def test_what_is_wrong_with_certificates_is_told_at_once(ours: Authority, tmp_path: Path) -> None:
    expired, other = ours.signed("old", valid=(-9, -2)), ours.signed("other")
    (tmp_path / "empty").touch()
    told = problems_of(
        NJIA_TLS_CERT_FILE=str(expired.certificate),
        NJIA_TLS_KEY_FILE=str(other.key),
        NJIA_TLS_CA_FILE=str(tmp_path / "empty"),
    )
    assert [problem.split(":")[0] for problem in told] == [
        "NJIA_TLS_CERT_FILE",
        "NJIA_TLS_CA_FILE",
        "NJIA_TLS_KEY_FILE",
    ]
    assert "CN=old" in told[0]
    assert "expired" in told[0]
    assert "no certificate" in told[1]
    assert "not the key of the certificate" in told[2]


def test_a_missing_file_a_missing_half_and_one_from_tomorrow_are_told(ours: Authority, tmp_path: Path) -> None:
    early = ours.signed("early", valid=(1, 2))
    assert "No such file" in problems_of(NJIA_TLS_CA_FILE=str(tmp_path / "none"))[0]
    told = problems_of(NJIA_TLS_CERT_FILE=str(early.certificate))
    assert [problem.split(":")[0] for problem in told] == ["NJIA_TLS_KEY_FILE", "NJIA_TLS_CERT_FILE"]
    assert "not valid before" in told[1]
    assert (
        "no private key"
        in problems_of(
            NJIA_TLS_CERT_FILE=str(ours.signed("good").certificate), NJIA_TLS_KEY_FILE=str(early.certificate)
        )[0]
    )


async def test_a_server_shows_when_its_certificate_ends(ours: Authority) -> None:
    shown = ours.signed("server")
    exposition = Exposition("validator")
    async with serving(protection_with(ours, shown), exposition.meters):
        families = text_string_to_metric_families((await exposition.text()).decode())
    exposition.close()

    (told,) = [each.value for family in families for each in family.samples if each.name.startswith("njia_tls")]
    ends = x509.load_pem_x509_certificate(shown.certificate.read_bytes()).not_valid_after_utc
    assert datetime.fromtimestamp(told, UTC) == ends
