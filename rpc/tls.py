"""Certificates: read from files and looked at once, so that what is wrong with them is told at the start."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from rpc.config import Environment


@dataclass(frozen=True, slots=True)
class Tls:
    """
    TLS between services. Contents are PEM.

    Attributes:
        certificate: What a server shows, and a client where the server asks for it; with the chain behind it.
        key: Its private key.
        authorities: Who signs the certificates of the other services. A server that has them asks clients for one.
    """

    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    authorities: bytes | None = None

    @property
    def is_mutual(self) -> bool:
        """Whether a server lets only those in who show a certificate."""
        return self.certificate is not None and self.authorities is not None

    @property
    def ends_at(self) -> float | None:
        """When the first certificate of the chain ends, Unix time in seconds; None where there is none."""
        if self.certificate is None:
            return None
        return min(each.not_valid_after_utc.timestamp() for each in x509.load_pem_x509_certificates(self.certificate))

    def server_credentials(self) -> grpc.ServerCredentials | None:
        """What a gRPC server needs; None where it has no certificate."""
        if self.certificate is None or self.key is None:
            return None
        pairs = [(self.key, self.certificate)]
        return grpc.ssl_server_credentials(pairs, self.authorities, require_client_auth=self.authorities is not None)

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """What a channel needs."""
        return grpc.ssl_channel_credentials(self.authorities, self.key, self.certificate)


@dataclass(frozen=True, slots=True)
class HttpTls:
    """
    TLS of an HTTP server.

    Attributes:
        context: What it is served with.
        ends_at: When the first certificate of the chain ends, Unix time in seconds.
    """

    context: ssl.SSLContext
    ends_at: float | None


def read_tls(variables: Environment, prefix: str) -> Tls | None:
    """
    Reads <prefix>_CERT_FILE, <prefix>_KEY_FILE and <prefix>_CA_FILE; None when none of them is set.

    A file that is missing or no PEM, a certificate that is not valid today, and a key that does not belong to it are
    problems.
    """
    certificate = _content(variables, f"{prefix}_CERT_FILE")
    key = _content(variables, f"{prefix}_KEY_FILE")
    authorities = _content(variables, f"{prefix}_CA_FILE")
    for this, other in (("CERT", "KEY"), ("KEY", "CERT")):
        if variables.optional_text(f"{prefix}_{this}_FILE") and not variables.optional_text(f"{prefix}_{other}_FILE"):
            variables.problem(f"{prefix}_{other}_FILE", f"is not set, and {prefix}_{this}_FILE is")
    shown = _certificates(variables, f"{prefix}_CERT_FILE", certificate)
    _certificates(variables, f"{prefix}_CA_FILE", authorities)
    if key is not None:
        _check_key(variables, prefix, key, shown)
    if certificate is None and authorities is None:
        return None
    return Tls(certificate, key, authorities)


def read_http_tls(variables: Environment, prefix: str) -> HttpTls | None:
    """
    Reads the same for an HTTP server; None when it has no certificate, or one of no use.

    With <prefix>_CA_FILE clients must show a certificate that one of these has signed.
    """
    tls = read_tls(variables, prefix)
    if tls is None or tls.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(
            variables.required_text(f"{prefix}_CERT_FILE"), variables.required_text(f"{prefix}_KEY_FILE")
        )
    except (OSError, ssl.SSLError, ValueError):
        # What is wrong is among the problems already.
        return None
    if tls.authorities is not None:
        context.load_verify_locations(cadata=tls.authorities.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return HttpTls(context, tls.ends_at)


def _content(variables: Environment, name: str) -> bytes | None:
    file = variables.optional_text(name)
    if file is None:
        return None
    try:
        return Path(file).read_bytes()
    except OSError as error:
        variables.problem(name, f"cannot read {file}: {error.strerror}")
        return None


def _certificates(variables: Environment, name: str, content: bytes | None) -> Sequence[x509.Certificate]:
    if content is None:
        return ()
    file = variables.text(name, "")
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        variables.problem(name, f"{file} holds no certificate in PEM")
        return ()
    now = datetime.now(UTC)
    for certificate in found:
        who = certificate.subject.rfc4514_string() or "without a name"
        if certificate.not_valid_after_utc < now:
            variables.problem(
                name, f"the certificate {who} in {file} expired {certificate.not_valid_after_utc:%Y-%m-%d}"
            )
        if certificate.not_valid_before_utc > now:
            variables.problem(
                name, f"the certificate {who} in {file} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
            )
    return found


def _check_key(variables: Environment, prefix: str, content: bytes, shown: Sequence[x509.Certificate]) -> None:
    name = f"{prefix}_KEY_FILE"
    file = variables.text(name, "")
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        variables.problem(name, f"{file} holds no private key in PEM that needs no password")
        return
    if not shown:
        return
    written = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*written) != shown[0].public_key().public_bytes(*written):
        variables.problem(name, f"{file} is not the key of the certificate in {prefix}_CERT_FILE")
