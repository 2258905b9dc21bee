"""Stories of engines that die, on a clock that jumps."""

import pytest

from services.engine.executions import takeover


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets a person play more stories."""
    parser.addoption("--stories", type=int, help="how many random flows are restarted at every step, in each store")


@pytest.fixture(autouse=True)
def patient_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """One engine lives at a time, so no turn comes in through another one; to look for some all the time costs most."""
    monkeypatch.setattr(takeover, "TURNS_INTERVAL_SECONDS", 10 * takeover.TURNS_INTERVAL_SECONDS)
