"""
MENU_OPTION_WITHOUT_CASE and CASE_WITHOUT_MENU_OPTION: what a menu offers and what the flow decides by are the same.
SCREEN_WITHOUT_INPUT: a menu waits before the flow decides by the answer.

Only decisions by what was typed last are looked at, and only menus whose options stand in the flow itself. One option
may be left to the default, such as "0. Exit".
"""

from collections.abc import Iterator, Sequence

from services.validator.flow import Flow, FlowNode
from services.validator.literals import literal_config
from workflow.issues import Issue


def check(flow: Flow) -> Iterator[Issue]:
    """Yields options that nothing follows, and cases that no screen offers."""
    for node in flow.nodes.values():
        if node.facts is None:
            continue
        expected = node.facts[0].expected_entries(node.facts[1])
        if expected:
            screens = _screens_before(flow, node)
            yield from _forgotten(flow, node, set(expected), screens)
            yield from _never_offered(node, expected, screens)
            yield from _never_asked(flow, node, set(expected))


def _forgotten(flow: Flow, node: FlowNode, expected: set[str], screens: list[FlowNode]) -> Iterator[Issue]:
    for screen in screens:
        left = [entry for entry in _offered(screen) if entry not in expected]
        has_default = len(flow.outgoing[node.id]) > len(expected)
        if left and not (has_default and len(left) == 1):
            offer = f"{screen.id} offers {_listed(left)}, and {node.id} has no case for that"
            message = f"{offer}: add one, or take the option away"
            yield Issue("MENU_OPTION_WITHOUT_CASE", message, screen.id, path=f"{screen.path}.config", is_warning=True)


def _never_offered(node: FlowNode, expected: Sequence[str], screens: list[FlowNode]) -> Iterator[Issue]:
    menus = [_offered(screen) for screen in screens]
    if not menus or not all(menus):
        return
    offered = {entry for menu in menus for entry in menu}
    extra = [entry for entry in expected if entry.isdecimal() and entry not in offered]
    if extra:
        before = " or ".join(screen.id for screen in screens)
        case = f"{node.id} has a case for {_listed(extra)}, which {before} does not offer"
        message = f"{case}: add the option, or take the case away"
        yield Issue("CASE_WITHOUT_MENU_OPTION", message, node.id, path=f"{node.path}.config", is_warning=True)


def _never_asked(flow: Flow, node: FlowNode, expected: set[str]) -> Iterator[Issue]:
    """Menus right before the decision that do not wait for what they offer."""
    for screen in dict.fromkeys(edge.source for edge in flow.incoming[node.id]):
        if screen is None or screen.facts is None or not screen.shows or screen.waits:
            continue
        offered = [entry for entry in _offered(screen) if entry in expected]
        if offered:
            message = (
                f"{screen.id} offers {_listed(offered)} and waits for no answer, though {node.id} decides by it: set "
                f"expectInput to true"
            )
            path = f"{screen.path}.config.expectInput"
            yield Issue("SCREEN_WITHOUT_INPUT", message, screen.id, path=path, is_warning=True)


def _screens_before(flow: Flow, node: FlowNode) -> list[FlowNode]:
    """The screens whose answer the node decides by; none where it may decide by something else."""
    found: list[FlowNode] = []
    seen, pending = {node.id}, [node]
    while pending:
        sources = [edge.source for edge in flow.incoming[pending.pop().id] if edge.source is not None]
        for source in sources:
            if source.id in seen:
                continue
            seen.add(source.id)
            if source is flow.trigger or source.is_unclear:
                return []
            if source.waits:
                found.append(source)
            else:
                pending.append(source)
    return found


def _offered(screen: FlowNode) -> tuple[str, ...]:
    config = literal_config(screen)
    return () if config is None or screen.type is None else tuple(screen.type.offered_entries(config))


def _listed(entries: list[str]) -> str:
    return ", ".join(f'"{entry}"' for entry in entries)
