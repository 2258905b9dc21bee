"""The engine's core alone: no Redis, no gRPC, and a clock that jumps."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets a person accept new conversations."""
    parser.addoption("--update-golden", action="store_true", help="write the conversations of the golden files anew")


@pytest.fixture
def golden_folder() -> Path:
    """Where the golden conversations are."""
    return Path(__file__).parent / "golden"
