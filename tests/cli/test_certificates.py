"""`njia certificates` makes what TLS between the services needs."""

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner, Result

from cli.__main__ import app
from rpc.config import Environment
from rpc.tls import read_http_tls, read_tls


def njia(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def variables(directory: Path) -> Environment:
    return Environment(
        {
            "NJIA_TLS_CERT_FILE": f"{directory}/services.pem",
            "NJIA_TLS_KEY_FILE": f"{directory}/services.key",
            "NJIA_TLS_CA_FILE": f"{directory}/ca.pem",
            "NJIA_GATEWAY_TLS_CERT_FILE": f"{directory}/gateway.pem",
            "NJIA_GATEWAY_TLS_KEY_FILE": f"{directory}/gateway.key",
        }
    )


def test_what_it_makes_is_what_the_services_take(tmp_path: Path) -> None:
    made = njia("certificates", str(tmp_path / "c"), "--host", "api.example.org", "--host", "192.0.2.7")
    assert made.exit_code == 0, made.output

    read = variables(tmp_path / "c")
    tls = read_tls(read, "NJIA_TLS")
    assert read_http_tls(read, "NJIA_GATEWAY_TLS") is not None
    read.check()
    assert tls is not None
    assert tls.is_mutual
    assert tls.certificate is not None
    names = x509.load_pem_x509_certificate(tls.certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert {"validator", "engine", "sessions", "at_adapter", "api.example.org"} <= set(
        names.value.get_values_for_type(x509.DNSName)
    )
    for key in (tmp_path / "c/services.key", tmp_path / "c/gateway.key", tmp_path / "c.authority/ca.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not (tmp_path / "c/ca.key").exists()
    strict = ssl.create_default_context(cafile=str(tmp_path / "c/ca.pem"))
    assert strict.get_ca_certs()


def test_it_renews_by_the_same_authority_so_that_services_may_change_one_by_one(tmp_path: Path) -> None:
    assert njia("certificates", str(tmp_path / "c")).exit_code == 0
    before = {file.name: file.read_bytes() for file in (tmp_path / "c").iterdir()}
    assert njia("certificates", str(tmp_path / "c"), "--days", "30").exit_code == 0
    after = {file.name: file.read_bytes() for file in (tmp_path / "c").iterdir()}

    assert [name for name in before if before[name] == after[name]] == ["ca.pem"]


@pytest.mark.parametrize("content", [None, b"no key"], ids=["missing", "unusable"])
def test_an_authority_that_cannot_be_used_is_named_and_never_replaced(tmp_path: Path, content: bytes | None) -> None:
    assert njia("certificates", str(tmp_path / "c")).exit_code == 0
    kept = tmp_path / "c.authority"
    (kept / "ca.key").unlink()
    if content is not None:
        (kept / "ca.key").write_bytes(content)
    before = (kept / "ca.pem").read_bytes()

    failed = njia("certificates", str(tmp_path / "c"))
    assert failed.exit_code == 1
    assert str(kept) in failed.output
    assert (kept / "ca.pem").read_bytes() == before
