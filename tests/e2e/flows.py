"""Flows of these tests, written shortly: nodes as (id, type, config), edges as "from>to" or "from:handle>to"."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Document = dict[str, Any]

_EDGE = re.compile(r"(?P<source>[\w-]+)(?::(?P<handle>[^>]+))?>(?P<target>[\w-]+)(?::(?P<input>.+))?")


def flow(
    workflow_id: str,
    trigger: Document,
    nodes: Sequence[Document],
    edges: Sequence[str],
    *,
    settings: Mapping[str, Any] | None = None,
    error_handling: Mapping[str, Any] | None = None,
) -> Document:
    """A WorkflowSpec; the ids of its edges are e1, e2 and so on."""
    spec: Document = {
        "metadata": {
            "workflowId": workflow_id,
            "version": 1,
            "name": f"Flow {workflow_id}",
            "description": "A flow of an end-to-end test.",
            "createdBy": "tests",
            "createdAt": "2026-01-01T00:00:00Z",
        },
        "trigger": trigger,
        "nodes": list(nodes),
        "edges": [{"id": f"e{number}", **edge(text)} for number, text in enumerate(edges, start=1)],
    }
    if settings is not None:
        spec["settings"] = dict(settings)
    if error_handling is not None:
        spec["errorHandling"] = dict(error_handling)
    return spec


def edge(text: str) -> Document:
    """An edge from "source>target", "source:handle>target" or "source>target:input"."""
    match = _EDGE.fullmatch(text)
    assert match is not None, text
    written = {"source": match["source"], "target": match["target"]}
    if match["handle"]:
        written["sourceHandle"] = match["handle"]
    if match["input"]:
        written["targetHandle"] = match["input"]
    return written


def node(node_id: str, node_type: str, config: Mapping[str, Any], **more: Any) -> Document:
    """Any node; `more` are keys beside config, such as retry."""
    return {"id": node_id, "type": node_type, "config": dict(config), **more}


def dialled(service_code: str | None = None) -> Document:
    """A trigger that a dialled code starts."""
    return node("start", "USSD_SESSION_START", {} if service_code is None else {"serviceCode": service_code})


def texted(**config: Any) -> Document:
    """A trigger that an incoming SMS starts."""
    return node("start", "SMS_RECEIVED", config)


def ask(node_id: str, message: str, **config: Any) -> Document:
    """A screen that waits for an answer."""
    return node(node_id, "SEND_USSD_RESPONSE", {"message": message, "expectInput": True, **config})


def bye(node_id: str, message: str) -> Document:
    """The end of a session."""
    return node(node_id, "SESSION_END", {"message": message})


def sms(node_id: str, message: str = "hello", to: str = "{{msisdn}}", **more: Any) -> Document:
    """A text to the person."""
    return node(node_id, "SEND_SMS", {"to": to, "message": message}, **more)


def quick_retry(attempts: int = 3, **more: Any) -> Document:
    """A policy whose waits do not hold up a test."""
    return {"maxAttempts": attempts, "initialDelayMs": 100, "backoffMultiplier": 4, **more}
