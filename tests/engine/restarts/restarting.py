"""Tells stories with every restart that they can have."""

import math
from collections.abc import Awaitable, Callable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import integers

from services.engine.core.program import Program
from tests.engine.core.flow_dicts import program_of
from tests.engine.core.virtual_time import told
from tests.engine.restarts.power import Cut
from tests.engine.restarts.random_flows import Story, stories
from tests.engine.restarts.telling import Ending

Teller = Callable[[Story, Program, Cut | None], Awaitable[Ending]]
Choice = Callable[[Sequence[Cut]], Sequence[Cut]]

MOST_RESTARTS = 60
"""Of one random story. A story of twice the length has twice the restarts, each of which takes twice as long."""


def restarted_everywhere(teller: Teller, story: Story) -> int:
    """Tells a story with every restart that it can have; returns how many there were."""
    return _restarted(teller, story, lambda cuts: cuts)


def _restarted(teller: Teller, story: Story, chosen: Choice) -> int:
    program = program_of(story.flow)

    async def ending(cut: Cut | None) -> Ending:
        return await teller(story, program, cut)

    undisturbed = told(ending(None))
    assert "failed" not in undisturbed.all("status"), undisturbed.all("error")
    assert not any(undisturbed.all("forgotten")), "an edge was taken and its target never ran"
    assert undisturbed.facts["conflicts"] == [], "a key came with two messages"
    cuts = chosen([Cut(number, behind) for number in range(1, undisturbed.writes + 1) for behind in (False, True)])
    deaths = 0
    for cut in cuts:
        found = told(ending(cut))
        # What ends at one moment is written to a real server at once or one by one, so that the last cut may not come.
        assert found.deaths == (found.writes >= cut.number)
        deaths += found.deaths
        assert found.facts == undisturbed.facts, f"{cut} of {undisturbed.writes}: {found.differences(undisturbed)}"
        assert found.has_attempts_of(undisturbed), f"{cut}: {found.attempts} and not {undisturbed.attempts}"
    return deaths


def with_random_stories(number: int, teller: Teller) -> int:
    """
    Tells random stories; returns how many restarts they had.

    Of a long story these are every second or third one and so on, beginning anywhere: with time each is seen.
    """
    restarts = 0

    @settings(max_examples=number, deadline=None, suppress_health_check=list(HealthCheck))
    @given(stories(), integers(0, MOST_RESTARTS))
    def hold(story: Story, first: int) -> None:
        def spread(cuts: Sequence[Cut]) -> Sequence[Cut]:
            step = math.ceil(len(cuts) / MOST_RESTARTS)
            return cuts[first % step :: step]

        nonlocal restarts
        restarts += _restarted(teller, story, spread)

    hold()
    return restarts
