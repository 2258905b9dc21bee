"""A certificate authority for a set whose operator has none: it signs what the services show each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

EARLIER = timedelta(hours=1)
"""A certificate is valid so much before it is made: the clocks of two machines differ."""


@dataclass(frozen=True, slots=True)
class Signed:
    """
    A certificate and its key. Both PEM.

    Attributes:
        until: When the certificate ends.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    until: datetime


class Authority:
    """Signs certificates."""

    def __init__(self, certificate: bytes, key: bytes) -> None:
        """
        Both are PEM, the key without a password.

        Raises:
            ValueError: They are not that, or the key is not one of an elliptic curve.
        """
        loaded = load_pem_private_key(key, password=None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise ValueError("the key is not one of an elliptic curve")  # noqa: TRY004 (a fault of the file)
        self._key = loaded
        self._itself = x509.load_pem_x509_certificate(certificate)
        self.certificate = certificate
        self.key = key

    @classmethod
    def new(cls, name: str, until: datetime) -> Self:
        """Makes one that is its own authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(name)
        built = (
            _builder(subject, subject, key.public_key(), datetime.now(UTC) - EARLIER, until)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        signed = built.sign(key, hashes.SHA256())
        return cls(signed.public_bytes(Encoding.PEM), _pem(key))

    @property
    def until(self) -> datetime:
        """When it ends; nothing that it signed is good for longer."""
        return self._itself.not_valid_after_utc

    def sign(self, name: str, hosts: Sequence[str], until: datetime, since: datetime | None = None) -> Signed:
        """
        Makes a key and signs its certificate, for servers and clients.

        Args:
            name: Whose it is, for people.
            hosts: Names and addresses under which the server is called.
            until: When it ends; no later than the authority.
            since: When it begins; None: now.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(until, self.until)
        begins = datetime.now(UTC) - EARLIER if since is None else since
        built = (
            _builder(_named(name), self._itself.subject, key.public_key(), begins, ends)
            .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        signed = built.sign(self._key, hashes.SHA256())
        return Signed(signed.public_bytes(Encoding.PEM), _pem(key), ends)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
