"""`njia certificates`: makes what TLS between the services needs. Nobody is called."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import njia_of
from cli.exit_codes import REFUSED
from cli.output import Output

if TYPE_CHECKING:
    from rpc.authority import Authority, Signed

AUTHORITY_DAYS = 3650
"""Renewing it means to replace every certificate at once."""

THIS_MACHINE = ("localhost", "127.0.0.1")

HOSTS = {
    "services": ("validator", "engine", "sessions", "at_adapter", "at-adapter", *THIS_MACHINE),
    "gateway": ("gateway", *THIS_MACHINE),
}
"""Certificates, and the names that each is good for: those of the containers, and of Kubernetes' services."""


def certificates(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Where they go, such as deploy/certificates.")],
    host: Annotated[list[str] | None, typer.Option(help="A name or address more; may be given several times.")] = None,
    days: Annotated[int, typer.Option(min=1, max=AUTHORITY_DAYS, help="How long they are good for.")] = 365,
    authority: Annotated[
        Path | None,
        typer.Option(help="Where its own key is kept, away from the services. Default: <directory>.authority."),
    ] = None,
) -> None:
    """
    Makes certificates for TLS between the services, and of the REST API.

    The authority that signs them is made once and used again: run this anew before they end, and restart the services.
    """
    output = njia_of(context).output
    kept = authority or directory.with_name(f"{directory.name}.authority")
    try:
        signing = _authority(kept)
        until = datetime.now(UTC) + timedelta(days=days)
        signed = {name: signing.sign(f"njia {name}", (*hosts, *(host or ())), until) for name, hosts in HOSTS.items()}
        directory.mkdir(parents=True, exist_ok=True)
        _write(directory / "ca.pem", signing.certificate, 0o644)
        for name, made in signed.items():
            _write(directory / f"{name}.pem", made.certificate, 0o644)
            _write(directory / f"{name}.key", made.key, 0o600)
    except OSError as problem:
        output.failure(f"cannot use {problem.filename}: {problem.strerror}")
        raise typer.Exit(REFUSED) from None
    except ValueError as problem:
        output.failure(f"{kept} holds no authority, or a name is none: {problem}")
        raise typer.Exit(REFUSED) from None
    _tell(output, directory, kept, signed)


def _authority(directory: Path) -> "Authority":
    # Cryptography takes a while to load, and no other command needs it.
    from rpc.authority import Authority

    certificate, key = directory / "ca.pem", directory / "ca.key"
    if certificate.exists():
        return Authority(certificate.read_bytes(), key.read_bytes())
    made = Authority.new("njia authority", datetime.now(UTC) + timedelta(days=AUTHORITY_DAYS))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(key, made.key, 0o600)
    _write(certificate, made.certificate, 0o644)
    return made


def _write(file: Path, content: bytes, mode: int) -> None:
    """Replaces a file as a whole; nobody else can read a key meanwhile."""
    new = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as output:
        output.write(content)
    new.chmod(mode)
    new.replace(file)


def _tell(output: Output, directory: Path, kept: Path, signed: dict[str, "Signed"]) -> None:
    if output.as_json:
        output.document({"directory": str(directory), "authority": str(kept), "until": _day(signed["services"])})
        return
    output.say(
        f"Made in {directory}, good until {_day(signed['services'])}: ca.pem, services.pem and gateway.pem, with .key"
    )
    output.say(f"The authority's own key is in {kept}; keep it, and give it to no service.")


def _day(signed: "Signed") -> str:
    return f"{signed.until:%Y-%m-%d}"
