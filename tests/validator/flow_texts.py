"""Flows in a few words, for tables of checks."""

from typing import Any

Document = dict[str, Any]


def flow(nodes: Document, *edges: str, trigger: str = "USSD_SESSION_START", **more: Any) -> Document:
    """
    Builds a flow whose trigger has the id `start`.

    Nodes are `id: (type, config)` or `id: (type, config, {more keys})`. Edges are written `source > target`,
    `source :handle > target` or `source ?condition > target`. `more` replaces or adds sections; `trigger_config` goes
    into the trigger.
    """
    config = more.pop("trigger_config", {})
    return {
        "metadata": {
            "workflowId": "flow-1",
            "version": 1,
            "name": "Flow",
            "description": "For a test",
            "createdBy": "tester",
            "createdAt": "2026-01-01T00:00:00Z",
        },
        "trigger": {"id": "start", "type": trigger, "config": config},
        "nodes": [_node(node_id, *parts) for node_id, parts in nodes.items()],
        "edges": [_edge(text) for text in edges],
        **more,
    }


def _node(node_id: str, node_type: str, config: Document, keys: Document | None = None) -> Document:
    return {"id": node_id, "type": node_type, "config": config, **(keys or {})}


def _edge(text: str) -> Document:
    left, _, target = text.rpartition(" > ")
    edge = {"target": target}
    for mark, key in ((" ?", "condition"), (" :", "sourceHandle")):
        if mark in left:
            left, _, edge[key] = left.partition(mark)
    return {"source": left, **edge}


def screen(message: str = "Hello", **config: Any) -> tuple[str, Document]:
    return ("SEND_USSD_RESPONSE", {"message": message, **config})


def ask(message: str = "Choose", **config: Any) -> tuple[str, Document]:
    return screen(message, expectInput=True, **config)


def sms(message: str = "Hi", to: str | list[str] = "{{msisdn}}", **config: Any) -> tuple[str, Document]:
    return ("SEND_SMS", {"to": to, "message": message, **config})


def switch(*cases: str, value: str = "{{input}}") -> tuple[str, Document]:
    return ("SWITCH", {"value": value, "cases": [{"value": case, "label": case} for case in cases]})


def condition(expression: str = "{{input}} == '1'") -> tuple[str, Document]:
    return ("CONDITION", {"expression": expression})


def write(**data: Any) -> tuple[str, Document]:
    return ("SESSION_WRITE", {"data": data})


def bye(message: str | None = "Goodbye", **config: Any) -> tuple[str, Document]:
    return ("SESSION_END", config if message is None else {"message": message, **config})


MERGE: tuple[str, Document] = ("MERGE", {})
READ: tuple[str, Document] = ("SESSION_READ", {})
