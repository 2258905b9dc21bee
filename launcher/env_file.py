"""Reads `.env`, the file that docker compose reads too."""

from collections.abc import Mapping
from pathlib import Path

OF_PROJECT = Path(__file__).resolve().parent.parent / ".env"
"""The file beside the Makefile. Never that of whatever folder somebody is in: it names where keys are sent."""


class EnvFileError(Exception):
    """A line of the file is not NAME=value. The message names the line."""


def beside(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables of the file and those of the environment, which win. Raises EnvFileError like `read`."""
    return {**read(OF_PROJECT), **environ}


def read(file: Path) -> dict[str, str]:
    """
    Returns the variables of the file; none when there is no file.

    A line is empty, a comment that begins with #, or NAME=value; a value may stand in single or double quotes.

    Raises:
        EnvFileError: A line is something else.
    """
    if not file.exists():
        return {}
    variables: dict[str, str] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        name, value = name.strip(), value.strip()
        if not (equals and name.isidentifier()):
            raise EnvFileError(f"{file.name}, line {number}: must be NAME=value")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        variables[name] = value
    return variables
