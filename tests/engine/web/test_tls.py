"""Servers that cannot prove who they are."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.engine.adapters.http.client import WebClient
from tests.engine.web.conftest import Server, request, serving
from workflow.errors import ErrorType, NodeFailure


@pytest.fixture
async def impostor(tmp_path: Path) -> AsyncIterator[Server]:
    """Has a certificate that it signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "impostor")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*files)
    async for server in serving(tls):
        yield server


async def test_a_server_that_proves_nothing_gets_nothing(client: WebClient, impostor: Server) -> None:
    url = impostor.url("/").replace("http:", "https:")
    with pytest.raises(NodeFailure) as caught:
        await client.send(request(url, "POST"))
    assert (caught.value.error.code, caught.value.error.type) == ("TLS_ERROR", ErrorType.PERMANENT)
    assert "validateSSL" in caught.value.error.message
    assert impostor.seen == []


async def test_a_flow_may_trust_it_all_the_same(client: WebClient, impostor: Server) -> None:
    url = impostor.url("/").replace("http:", "https:")
    assert (await client.send(request(url, "POST", verifies_tls=False))).status == 200
    assert len(impostor.seen) == 1


async def test_a_server_that_speaks_no_tls_got_nothing(client: WebClient, server: Server) -> None:
    with pytest.raises(NodeFailure) as caught:
        await client.send(request(server.url("/").replace("http:", "https:"), "POST"))
    assert caught.value.error.code == "NETWORK_ERROR"
    assert server.seen == []
