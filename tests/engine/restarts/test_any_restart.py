"""
Whatever the flow and wherever its engine dies, the outcome is that of a run that was left alone: the log, the session,
the screens, and the messages that Africa's Talking received.

Each story is told once undisturbed, and then once for each write of the engine and each side of it. More stories:
make test ARGS='tests/engine/restarts --stories 2000'
"""

import pytest

from services.engine.core.program import Program
from tests.engine.restarts.power import Cut
from tests.engine.restarts.random_flows import Story
from tests.engine.restarts.restarting import with_random_stories
from tests.engine.restarts.stores import StoresInMemory
from tests.engine.restarts.telling import Ending, tell

STORIES = 24
"""Of one run of the suite; each has some dozens of restarts."""


def test_a_restart_at_any_write_changes_nothing(pytestconfig: pytest.Config) -> None:
    async def in_memory(story: Story, program: Program, cut: Cut | None) -> Ending:
        return await tell(story, program, StoresInMemory(), cut)

    number = pytestconfig.getoption("--stories", default=None) or STORIES
    assert with_random_stories(number, in_memory) > 10 * number
