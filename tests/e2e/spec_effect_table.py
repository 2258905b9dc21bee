"""For each field of a WorkflowSpec beside the configs of nodes: two values, and what is seen of a flow with each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.driving import Document, new_id
from tests.e2e.flows import flow, sms, texted
from tests.e2e.spec_flows import breaks, check, fails, fork, joined, menu, silent, text, told
from tests.e2e.spec_looks import (
    Look,
    begun_twice,
    compiled_edges,
    continued,
    delays,
    dialled_screen,
    errors,
    executed,
    is_replayed,
    kept,
    merged,
    nodes_that_ran,
    told_of_failure,
    value_of_switch,
    warnings,
    window_that_is_waited_for,
)


@dataclass(frozen=True, kw_only=True)
class Effect:
    """
    Two values of a field; None leaves it out.

    Attributes:
        sees, sees_other: What the look at a flow with each value shows.
        flow: Makes the flow; the field is set in the first entry of a list.
        beside: Fields that must be there for it to count, by their paths.
    """

    one: Any
    sees: Any
    other: Any
    sees_other: Any
    flow: Callable[[], Document]
    look: Look
    beside: Mapping[str, Any] = field(default_factory=dict)


CHECKED, FAILED = ("completed", None), ("failed", "MISSING_VARIABLE")
RETRIED = {"maxAttempts": 3, "initialDelayMs": 0}
TWO_RUN, REFUSED = [200, 200], [200, 429]
HOUR_MS = 3_600_000


def retries(where: str, flow_of: Callable[[], Document] = text) -> Mapping[str, Effect]:
    """The fields of a policy that stands there; Africa's Talking answers 500 as often as it is asked."""
    base = {f"{where}.{name}": value for name, value in RETRIED.items()}

    def effect(one: Any, sees: Any, other: Any, sees_other: Any, **more: Any) -> Effect:
        beside = base | {f"{where}.{name}": value for name, value in more.items()}
        return Effect(one=one, sees=sees, other=other, sees_other=sees_other, flow=flow_of, look=delays, beside=beside)

    return {
        f"{where}.maxAttempts": effect(1, [0], 2, [0, 0]),
        f"{where}.initialDelayMs": effect(0, [0, 0], 64, [0, 50], maxAttempts=2),
        f"{where}.backoffMultiplier": effect(1, [0, 0, 0], 100, [0, 0, 50], initialDelayMs=1),
        f"{where}.maxDelayMs": effect(None, [0, 50], 0, [0, 0], maxAttempts=2, initialDelayMs=64),
        f"{where}.retryableErrors": effect(["SERVER_ERROR"], [0, 0], ["TIMEOUT"], [0], maxAttempts=2),
    }


def stays(one: Any, other: Any) -> Effect:
    """A field for people and canvases: it is kept as it was drawn."""
    return Effect(one=one, sees=one, other=other, sees_other=other, flow=check, look=kept)


def useless(name: str, value: Any) -> Effect:
    """A field that means nothing at a trigger, and is warned of."""
    path = f"trigger.{name}"
    return Effect(one=None, sees=[], other=value, sees_other=[("UNSUPPORTED_SETTING", path)], flow=check, look=warnings)


EFFECTS: Mapping[str, Effect] = {
    "metadata.workflowId": Effect(
        one="effect-one", sees="effect-one", other="effect-other", sees_other="effect-other", flow=check, look=kept
    ),
    "metadata.version": stays(1, 7),
    "metadata.name": stays("Greeting", "Market"),
    "metadata.createdBy": stays("asha", "zuri"),
    "metadata.createdAt": stays("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
    "metadata.description": Effect(
        one="Says hello",
        sees=[],
        other=None,
        sees_other=[("MISSING_DESCRIPTION", "metadata.description")],
        flow=check,
        look=warnings,
    ),
    "metadata.publishedAt": stays("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
    "metadata.tags": stays(["a"], ["b", "c"]),
    "metadata.environment": stays("staging", "production"),
    "settings.maxExecutionTimeMs": Effect(
        one=1, sees=("timeout", "EXECUTION_TIMEOUT"), other=60_000, sees_other=CHECKED, flow=text, look=executed
    ),
    "settings.timezone": Effect(
        one="UTC",
        sees="00:30",
        other="Africa/Nairobi",
        sees_other="03:30",
        flow=lambda: told("{{triggerPayload.at | date('%H:%M')}}"),
        look=value_of_switch,
    ),
    "settings.rateLimit.maxRequests": Effect(
        one=1,
        sees=REFUSED,
        other=2,
        sees_other=TWO_RUN,
        flow=check,
        look=begun_twice,
        beside={"settings.rateLimit.windowMs": HOUR_MS},
    ),
    "settings.rateLimit.windowMs": Effect(
        one=HOUR_MS,
        sees=REFUSED,
        other=1,
        sees_other=TWO_RUN,
        flow=check,
        look=begun_twice,
        beside={"settings.rateLimit.maxRequests": 1},
    ),
    "settings.rateLimit.strategy": Effect(
        one="fixed",
        sees="half a window",
        other="sliding",
        sees_other="a window",
        flow=check,
        look=window_that_is_waited_for,
    ),
    "settings.enableReplay": Effect(one=True, sees=200, other=False, sees_other=409, flow=check, look=is_replayed),
    "settings.maxConcurrentExecutions": Effect(
        one=1, sees=REFUSED, other=2, sees_other=TWO_RUN, flow=menu, look=begun_twice
    ),
    "settings.resumeWithinMs": Effect(
        one=0,
        sees="CON What?",
        other=60_000,
        sees_other="CON Go on? 1. Yes",
        flow=menu,
        look=continued,
        beside={"settings.ussd.resumePrompt": "Go on? 1. Yes"},
    ),
    "settings.missingVariable": Effect(
        one="error",
        sees=None,
        other="empty",
        sees_other="",
        flow=lambda: told("{{triggerPayload.none}}"),
        look=value_of_switch,
    ),
    "settings.defaultCountry": Effect(
        one=None,
        sees=("failed", "INVALID_PHONE_NUMBER"),
        other="KE",
        sees_other=CHECKED,
        flow=lambda: flow(
            new_id("effect-local"), texted(), [sms("send", to="0711{{triggerPayload.tail}}")], ["start>send"]
        ),
        look=executed,
    ),
    "settings.ussd.apology": Effect(
        one=None,
        sees="END Sorry, something went wrong. Please try again later.",
        other="Pole",
        sees_other="END Pole",
        flow=breaks,
        look=dialled_screen,
    ),
    "settings.ussd.noText": Effect(
        one=None,
        sees="END Thank you. Goodbye.",
        other="Kwaheri",
        sees_other="END Kwaheri",
        flow=silent,
        look=dialled_screen,
    ),
    "settings.ussd.resumePrompt": Effect(
        one="Go on?",
        sees="CON Go on?",
        other="Endelea?",
        sees_other="CON Endelea?",
        flow=menu,
        look=continued,
        beside={"settings.resumeWithinMs": 60_000},
    ),
    **retries("errorHandling.defaultRetry"),
    "errorHandling.continueOnError": Effect(
        one=False, sees=FAILED, other=True, sees_other=CHECKED, flow=fails, look=executed
    ),
    "errorHandling.maxErrors": Effect(
        one=2,
        sees=("failed", "TOO_MANY_ERRORS"),
        other=3,
        sees_other=CHECKED,
        flow=lambda: fails(2),
        look=executed,
        beside={"errorHandling.continueOnError": True},
    ),
    "errorHandling.errorWebhook": Effect(
        one="/one", sees="/one", other="/other", sees_other="/other", flow=fails, look=told_of_failure
    ),
    "nodes.id": Effect(
        one="check",
        sees=[],
        other="other",
        sees_other=["UNREACHABLE_NODE", "INVALID_EDGE_TARGET"],
        flow=check,
        look=errors,
    ),
    "nodes.type": Effect(
        one="CONDITION",
        sees=CHECKED,
        other="SWITCH",
        sees_other=FAILED,
        flow=fails,
        look=executed,
        beside={"nodes.config.expression": "1 == 1"},
    ),
    "nodes.label": stays("Check", "Decide"),
    "nodes.position.x": Effect(
        one=1, sees=1, other=2, sees_other=2, flow=check, look=kept, beside={"nodes.position.y": 0}
    ),
    "nodes.position.y": Effect(
        one=1, sees=1, other=2, sees_other=2, flow=check, look=kept, beside={"nodes.position.x": 0}
    ),
    **retries("nodes.retry"),
    "nodes.timeout": Effect(
        one=1,
        sees=("failed", "TIMEOUT"),
        other=30_000,
        sees_other=CHECKED,
        flow=text,
        look=executed,
        beside={f"nodes.retry.{name}": value for name, value in RETRIED.items()} | {"nodes.retry.maxAttempts": 1},
    ),
    "nodes.disabled": Effect(one=False, sees=FAILED, other=True, sees_other=CHECKED, flow=fails, look=executed),
    "edges.id": Effect(
        one="e1",
        sees=["e1", "e2", "e3", "e4"],
        other="way",
        sees_other=["e2", "e3", "e4", "way"],
        flow=fork,
        look=compiled_edges,
    ),
    "edges.source": Effect(
        one="yes",
        sees=["start", "yes", "one"],
        other="other",
        sees_other=["start", "yes"],
        flow=fork,
        look=nodes_that_ran,
        beside={"edges.sourceHandle": None},
    ),
    "edges.target": Effect(
        one="one",
        sees=["start", "yes", "one"],
        other="other",
        sees_other=["start", "yes", "other"],
        flow=fork,
        look=nodes_that_ran,
    ),
    "edges.sourceHandle": Effect(
        one="true",
        sees=["start", "yes", "one"],
        other="false",
        sees_other=["start", "yes"],
        flow=fork,
        look=nodes_that_ran,
    ),
    "edges.condition": Effect(
        one="{{message}} == 'x'",
        sees=["start", "yes", "one"],
        other="{{message}} == 'y'",
        sees_other=["start", "yes"],
        flow=fork,
        look=nodes_that_ran,
    ),
    "edges.targetHandle": Effect(
        one="input1", sees=[True, False], other="input3", sees_other=[False, True], flow=joined, look=merged
    ),
    "edges.label": stays("yes", "no"),
    "trigger.id": Effect(
        one="start", sees=[], other="begin", sees_other=["INVALID_EDGE_SOURCE"], flow=check, look=errors
    ),
    "trigger.type": Effect(
        one="SMS_RECEIVED",
        sees=[],
        other="USSD_SESSION_START",
        sees_other=["USSD_MISSING_SESSION_END"],
        flow=check,
        look=errors,
    ),
    "trigger.label": stays("Dial", "Call"),
    "trigger.position.x": Effect(
        one=1, sees=1, other=2, sees_other=2, flow=check, look=kept, beside={"trigger.position.y": 0}
    ),
    "trigger.position.y": Effect(
        one=1, sees=1, other=2, sees_other=2, flow=check, look=kept, beside={"trigger.position.x": 0}
    ),
    "trigger.timeout": useless("timeout", 5),
    "trigger.disabled": useless("disabled", True),
}

ELSEWHERE: Mapping[str, str] = {
    "settings.ussd.whenBusy": "tests/e2e/test_patience.py::test_a_screen_that_takes_too_long_can_be_asked_for_again",
    "trigger.config": "tests/workflow/test_effects.py::test_another_value_of_a_field_can_be_told_from_the_first",
    "nodes.config": "tests/workflow/test_effects.py::test_another_value_of_a_field_can_be_told_from_the_first",
    **{
        f"trigger.retry.{name}": "tests/validator/test_checks.py::test_a_fault_is_reported_at_its_place"
        for name in ("maxAttempts", "initialDelayMs", "backoffMultiplier", "maxDelayMs", "retryableErrors")
    },
}
"""Fields that other tests show: configs, a policy that is warned of as a whole, and what takes a slow screen."""
