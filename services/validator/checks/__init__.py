"""The checks of a flow, one module each. All of them run: no fault hides another."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from services.validator.checks import (
    channels,
    cycles,
    edges,
    menus,
    metadata,
    node_configs,
    node_types,
    parallel_screens,
    phone_numbers,
    placeholders,
    reachability,
    screen_sizes,
    session_end,
    settings,
    texts,
    unheeded,
    variables,
)
from services.validator.flow import Flow
from workflow.draft import Draft
from workflow.issues import Issue

Check = Callable[[Flow], Iterable[Issue]]

CHECKS: Sequence[Check] = (
    metadata.check,
    node_types.check,
    node_configs.check,
    texts.check,
    placeholders.check,
    edges.check,
    reachability.check,
    cycles.check,
    session_end.check,
    parallel_screens.check,
    channels.check,
    variables.check,
    screen_sizes.check,
    menus.check,
    phone_numbers.check,
    settings.check,
    unheeded.check,
)


def check(draft: Draft) -> Iterator[Issue]:
    """Yields what every check finds."""
    flow = Flow(draft)
    for one in CHECKS:
        yield from one(flow)
