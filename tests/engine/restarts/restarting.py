"""Tells stories with every restart that they can have."""

from collections.abc import Awaitable, Callable

from hypothesis import HealthCheck, given, settings

from services.engine.core.program import Program
from tests.engine.core.flow_dicts import program_of
from tests.engine.core.virtual_time import told
from tests.engine.restarts.power import Cut
from tests.engine.restarts.random_flows import Story, stories
from tests.engine.restarts.telling import Ending

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
