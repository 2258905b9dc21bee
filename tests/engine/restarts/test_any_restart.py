"""
Whatever the flow and wherever its engine dies, the outcome is that of a run that was left alone: the log, the session,
the screens, and the messages that Africa's Talking received.

Each story is told once undisturbed, and then once for each write of the engine and each side of it. More stories:
make test ARGS='tests/engine/restarts --stories 2000'
"""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings

from launcher.valkey import ValkeyServer
from services.engine.core.program import Program
from tests.engine.core.flow_dicts import program_of
from tests.engine.core.virtual_time import told
from tests.engine.restarts.power import Cut
from tests.engine.restarts.random_flows import Story, stories
from tests.engine.restarts.stores import StoresInMemory, stores_in_valkey
from tests.engine.restarts.telling import Ending, tell

STORIES_IN_MEMORY = 40
"""Stories of one run of the suite; each has some dozens of restarts."""

STORIES_IN_VALKEY = 4

Teller = Callable[[Story, Program, Cut | None], Awaitable[Ending]]


def restarted_everywhere(teller: Teller, story: Story) -> int:
    """Tells a story with every restart that it can have; returns how many there were."""
    program = program_of(story.flow)

    async def ending(cut: Cut | None) -> Ending:
        return await teller(story, program, cut)

    undisturbed = told(ending(None))
    assert "failed" not in undisturbed.all("status"), undisturbed.all("error")
    assert not any(undisturbed.all("forgotten")), "an edge was taken and its target never ran"
    assert undisturbed.facts["conflicts"] == [], "a key came with two messages"
    cuts = [Cut(number, behind) for number in range(1, undisturbed.writes + 1) for behind in (False, True)]
    for cut in cuts:
        found = told(ending(cut))
        assert found.deaths == 1
        assert found.facts == undisturbed.facts, f"{cut} of {undisturbed.writes}: {found.differences(undisturbed)}"
        assert found.has_attempts_of(undisturbed), f"{cut}: {found.attempts} and not {undisturbed.attempts}"
    return len(cuts)


def with_random_stories(number: int, teller: Teller) -> int:
    """Tells random stories; returns how many restarts they had."""
    restarts = 0

    @settings(max_examples=number, deadline=None, suppress_health_check=list(HealthCheck))
    @given(stories())
    def hold(story: Story) -> None:
        nonlocal restarts
        restarts += restarted_everywhere(teller, story)

    hold()
    return restarts


def test_a_restart_at_any_write_changes_nothing(pytestconfig: pytest.Config) -> None:
    async def in_memory(story: Story, program: Program, cut: Cut | None) -> Ending:
        return await tell(story, program, StoresInMemory(), cut)

    number = pytestconfig.getoption("--stories", default=None) or STORIES_IN_MEMORY
    assert with_random_stories(number, in_memory) > 10 * number


def test_a_restart_at_any_write_changes_nothing_in_a_real_valkey(
    pytestconfig: pytest.Config, valkey_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_valkey(story: Story, program: Program, cut: Cut | None) -> Ending:
        async with stores_in_valkey(valkey_server.url, monkeypatch) as stores:
            return await tell(story, program, stores, cut)

    number = pytestconfig.getoption("--stories", default=None) or STORIES_IN_VALKEY
    assert with_random_stories(number, in_valkey) > 10 * number
