"""Flows in which a field of a WorkflowSpec can be seen to do something."""

from tests.e2e.driving import Document, new_code, new_id
from tests.e2e.flows import ask, bye, dialled, flow, node, sms, texted


def text() -> Document:
    """Sends one text."""
    return flow(new_id("effect-text"), texted(), [sms("send")], ["start>send"])


def check() -> Document:
    """Decides something and ends."""
    return flow(
        new_id("effect-check"), texted(), [node("check", "CONDITION", {"expression": "1 == 1"})], ["start>check"]
    )


def told(value: str) -> Document:
    """Tells by its SWITCH what a text becomes."""
    route = node("route", "SWITCH", {"value": value, "cases": [{"value": "1", "label": "1"}]})
    return flow(new_id("effect-told"), texted(), [route], ["start>route"])


def menu() -> Document:
    """Asks twice."""
    screens = [ask("item", "What?"), ask("count", "How many?"), bye("end", "Bye")]
    return flow(new_id("effect-menu"), dialled(new_code()), screens, ["start>item", "item>count", "count>end"])


def breaks() -> Document:
    """Fails before its first screen."""
    screen = bye("end", "{{session.data.none}}")
    return flow(new_id("effect-breaks"), dialled(new_code()), [screen], ["start>end"])


def silent() -> Document:
    """Ends a session without a word."""
    return flow(new_id("effect-silent"), dialled(new_code()), [node("end", "SESSION_END", {})], ["start>end"])


def fails(count: int = 1) -> Document:
    """Nodes that fail, one behind the other."""
    hole = {"value": "{{triggerPayload.none}}", "cases": [{"value": "1", "label": "1"}]}
    names = [f"hole{number}" for number in range(count)]
    edges = [f"{one}>{other}" for one, other in zip(["start", *names], names, strict=False)]
    return flow(new_id("effect-fails"), texted(), [node(name, "SWITCH", hole) for name in names], edges)


def fork() -> Document:
    """Two ways; `yes` decides for the first."""
    nodes = [node("yes", "CONDITION", {"expression": "1 == 1"})]
    nodes += [node(name, "SESSION_READ", {}) for name in ("one", "other")]
    edges = ["yes:true>one", "start>yes", "yes:false>one", "yes:false>other"]
    return flow(new_id("effect-fork"), texted(), nodes, edges)


def joined() -> Document:
    """Two branches that are joined in the order of the handles that they come by."""
    nodes = [node(name, "CONDITION", {"expression": f"'{name}' == 'one'"}) for name in ("one", "other")]
    edges = ["one>merge:input1", "other>merge:input2", "start>one", "start>other"]
    return flow(new_id("effect-joined"), texted(), [*nodes, node("merge", "MERGE", {"strategy": "all"})], edges)
