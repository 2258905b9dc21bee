"""
The same as test_any_restart.py over a real Valkey. A file of its own: the suite runs files side by side.
"""

import pytest

from launcher.valkey import ValkeyServer
from services.engine.core.program import Program
from tests.engine.restarts.power import Cut
from tests.engine.restarts.random_flows import Story
from tests.engine.restarts.restarting import with_random_stories
from tests.engine.restarts.stores import stores_in_valkey
from tests.engine.restarts.telling import Ending, tell

STORIES = 4


def test_a_restart_at_any_write_changes_nothing_in_a_real_valkey(
    pytestconfig: pytest.Config, valkey_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_valkey(story: Story, program: Program, cut: Cut | None) -> Ending:
        async with stores_in_valkey(valkey_server.url, monkeypatch) as stores:
            return await tell(story, program, stores, cut)

    number = pytestconfig.getoption("--stories", default=None) or STORIES
    assert with_random_stories(number, in_valkey) > 10 * number
