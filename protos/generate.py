"""
Generates gen/ from protos/: messages, stubs and their type stubs.

`python protos/generate.py` writes gen/; `python protos/generate.py --check` writes elsewhere and exits 1 with the
names of the files that differ.
"""

import filecmp
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GEN = ROOT / "gen"


def generate(out: Path) -> None:
    """Writes the generated tree to `out`. Raises SystemExit when protoc refuses a file."""
    files = sorted(str(path) for path in PROTOS.rglob("*.proto"))
    bundled = resources.files("grpc_tools") / "_proto"
    plugins = Path(sys.executable).parent
    status = protoc.main(
        [
            "protoc",
            f"-I{PROTOS}",
            f"-I{bundled}",
            f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
            f"--python_out={out}",
            f"--grpc_python_out={out}",
            f"--mypy_out=quiet:{out}",
            f"--mypy_grpc_out=quiet:{out}",
            *files,
        ]
    )
    if status != 0:
        raise SystemExit(f"protoc failed with status {status}")


def drift(fresh: Path, committed: Path) -> list[str]:
    """Returns the names of files that are missing, left over or different in `committed`."""
    names = {
        path.relative_to(tree).as_posix()
        for tree in (fresh, committed)
        for path in tree.rglob("*.py*")
        if "__pycache__" not in path.parts
    }
    return sorted(
        name
        for name in names
        if not ((fresh / name).exists() and (committed / name).exists())
        or not filecmp.cmp(fresh / name, committed / name, shallow=False)
    )


def main(arguments: list[str]) -> int:
    """Generates or checks; returns the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        if arguments == ["--check"]:
            changed = drift(fresh, GEN)
            for name in changed:
                print(f"gen/{name} does not match protos/: run `make protos` and commit the result")
            return 1 if changed else 0
        shutil.rmtree(GEN, ignore_errors=True)
        shutil.copytree(fresh, GEN)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
