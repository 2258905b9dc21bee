"""What the validator writes into a message the engine reads out of it again."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.engine.flows.graph_messages import graph_from_proto
from services.validator.convert import graph_to_proto
from tests.validator.flow_texts import MERGE, ask, bye, condition, flow, sms, switch, write
from workflow.compiler import compile_flow
from workflow.parse import parse_flow

CONFORMANCE = Path(__file__).parent.parent / "conformance"
RETRY = {"maxAttempts": 2, "initialDelayMs": 5, "backoffMultiplier": 1.5, "maxDelayMs": 9, "retryableErrors": ["X"]}

FLOWS: dict[str, dict[str, Any]] = {
    **{path.stem: json.loads(path.read_text()) for path in sorted(CONFORMANCE.glob("*.json"))},
    "everything": flow(
        {
            "m": (*ask(), {"label": "Menu", "retry": RETRY, "timeout": 5000}),
            "s": switch("1", "2"),
            "w": write(a="{{input}}", n=None, big=2**80),
            "c": condition(),
            "x": (*sms(retryOnFailure=False), {"disabled": True}),
            "y": sms(),
            "j": MERGE,
            "end": bye(),
        },
        "start > m",
        "m > s",
        "s :1 > w",
        "s :2 > m",
        "s > end",
        "w > c",
        "c :true > x",
        "c :true ?{{input}} > 1 > y",
        "x > j",
        "y > j",
        "j > end",
        "c :false > end",
        "y :error > end",
        settings={
            "maxExecutionTimeMs": 5,
            "timezone": "Africa/Nairobi",
            "rateLimit": {"maxRequests": 1, "windowMs": 2},
            "enableReplay": False,
            "maxConcurrentExecutions": 3,
            "resumeWithinMs": 4,
            "missingVariable": "empty",
            "defaultCountry": "KE",
            "ussd": {"apology": "Pole", "whenBusy": "checkAgain", "noText": "", "resumePrompt": "?"},
        },
        errorHandling={
            "defaultRetry": RETRY,
            "continueOnError": True,
            "errorWebhook": "https://x.example",
            "maxErrors": 7,
        },
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_a_graph_survives_the_way_to_the_engine(name: str) -> None:
    draft = parse_flow(FLOWS[name]).draft
    assert draft is not None
    assert draft.spec is not None
    graph = compile_flow(draft.spec)
    assert graph_from_proto(graph_to_proto(graph)) == graph
