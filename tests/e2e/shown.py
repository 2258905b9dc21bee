"""Tables that leave something to other tests: those tests exist."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def is_a_test(named: str) -> bool:
    """Whether there is a test of this name, such as tests/e2e/test_web.py::test_it."""
    file, _, name = named.partition("::")
    return name in _functions_of(file)


@cache
def _functions_of(file: str) -> frozenset[str]:
    tree = ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    return frozenset(part.name for part in tree if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
