"""The phone in the terminal where `make run` put the emulator: `python -m launcher.handset`, which is `make dial`."""

import os
import sys
from collections.abc import Mapping, Sequence

from emulator.handset.__main__ import main as use_phone
from launcher import env_file


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """
    Uses the phone; variables of the environment win over those of the file.

    Returns:
        The exit code of the phone; 1 when the file cannot be read.
    """
    try:
        variables = env_file.beside(environ)
    except env_file.EnvFileError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return use_phone(arguments, variables)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
