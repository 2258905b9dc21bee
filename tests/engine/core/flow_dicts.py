"""Flows as small dictionaries, compiled by the real parser and compiler."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.engine.core.program import Program, load
from workflow.compiler import compile_flow
from workflow.parse import parse_text

Nodes = Mapping[str, Mapping[str, Any]]
Edges = Sequence[str | tuple[str, Mapping[str, Any]]]

TRIGGERS = {"ussd": "USSD_SESSION_START", "sms": "SMS_RECEIVED", "voice": "INCOMING_CALL"}
NUMBER = "+254711000001"
FAST = {"maxAttempts": 3, "initialDelayMs": 1000, "backoffMultiplier": 2}


def node(type_name: str, /, *, top: Any = None, **config: Any) -> dict[str, Any]:
    """A node; `top` holds what stands beside its config, such as retry, timeout and disabled."""
    return {"type": type_name, "config": config, **(top or {})}


def ask(message: str, **more: Any) -> dict[str, Any]:
    """A screen that waits for an answer."""
    return node("SEND_USSD_RESPONSE", message=message, expectInput=True, **more)


def say(message: str, **more: Any) -> dict[str, Any]:
    """A screen that waits for nothing."""
    return node("SEND_USSD_RESPONSE", message=message, **more)


def sms(to: str = NUMBER, message: str = "hello", **more: Any) -> dict[str, Any]:
    """A text to a number."""
    return node("SEND_SMS", to=to, message=message, **more)


def hear(text: str, **more: Any) -> dict[str, Any]:
    """Words in a call."""
    return node("PLAY_IVR", text=text, **more)


def keys(**config: Any) -> dict[str, Any]:
    """Keys that a caller is asked for."""
    return node("COLLECT_DTMF", **config)


def switch(*cases: str, value: str = "{{input}}", **more: Any) -> dict[str, Any]:
    """One way a case."""
    return node("SWITCH", value=value, cases=[{"value": case, "label": case} for case in cases], **more)


def condition(expression: str, **more: Any) -> dict[str, Any]:
    """Two ways."""
    return node("CONDITION", expression=expression, **more)


def write(**data: Any) -> dict[str, Any]:
    """Keeps values in the session."""
    return node("SESSION_WRITE", data=data)


def merge(strategy: str = "last", **more: Any) -> dict[str, Any]:
    """Joins branches."""
    return node("MERGE", strategy=strategy, **more)


def bye(message: str | None = None, **more: Any) -> dict[str, Any]:
    """Ends the session."""
    return node(
        "SESSION_END", **{key: value for key, value in {"message": message, **more}.items() if value is not None}
    )


def document(kind: str, nodes: Nodes, edges: Edges, **sections: Any) -> dict[str, Any]:
    """
    A whole flow. The trigger's id is `start`.

    An edge is `source > target`; `source:handle > target:handle` names handles, and a pair adds keys such as condition.
    """
    return {
        "metadata": {
            "workflowId": "flow",
            "version": 1,
            "name": "Flow",
            "createdBy": "test",
            "createdAt": "2026-01-01T00:00:00Z",
        },
        "trigger": {"id": "start", "type": TRIGGERS[kind], "config": {}},
        "nodes": [{"id": node_id, **content} for node_id, content in nodes.items()],
        "edges": [_edge(edge) for edge in edges],
        **sections,
    }


def _edge(written: str | tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    arrow, more = (written, {}) if isinstance(written, str) else written
    source, target = (end.strip().partition(":") for end in arrow.split(">"))
    return {
        "source": source[0],
        "target": target[0],
        **({"sourceHandle": source[2]} if source[2] else {}),
        **({"targetHandle": target[2]} if target[2] else {}),
        **more,
    }


def program_of(flow: Mapping[str, Any]) -> Program:
    """Compiles a flow; one that cannot be read fails the test with its issues."""
    parsed = parse_text(json.dumps(flow))
    assert parsed.draft is not None, parsed.issues
    assert parsed.draft.spec is not None, parsed.issues
    return load(compile_flow(parsed.draft.spec), "digest")
