"""Certificates for tests, made on the spot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rpc import authority


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


THIS_MACHINE = ("localhost", "127.0.0.1")


class Authority:
    """Signs certificates; its own stands in `file`."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._signs = authority.Authority.new(name, _days(9))
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self._signs.certificate)

    def signed(self, name: str, valid: Sequence[int] = (-1, 1), hosts: Sequence[str] = THIS_MACHINE) -> Signed:
        """Signs a certificate of these hosts; `valid` are days from now."""
        signed = self._signs.sign(name, hosts, _days(valid[1]), _days(valid[0]))
        files = Signed(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        files.certificate.write_bytes(signed.certificate)
        files.key.write_bytes(signed.key)
        return files


def _days(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)
