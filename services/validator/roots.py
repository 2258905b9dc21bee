"""
The names that templates and expressions of every flow can start with, and what is behind them.

Reserved names: triggerPayload, variables, session, workflow, global, execution and node_<id>. They beat keys of the
trigger payload, which stand at the top level too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from services.validator.flow import Flow
from workflow.paths import Path
from workflow.suggestions import did_you_mean

NODE_PREFIX = "node_"

RESERVED: Mapping[str, tuple[str, ...] | None] = {
    "triggerPayload": None,
    "variables": None,
    "session": ("sessionId", "type", "msisdn", "data"),
    "workflow": ("id", "version", "name", "data"),
    "global": ("data",),
    "execution": ("id", "startedAt"),
}
"""What stands below each reserved name; None: anything may."""

FAILS_WITHOUT = "the node fails without it, unless a default stands there"


class Outlook(Enum):
    """How likely it is that a variable is there."""

    MAYBE = auto()
    """On some ways only."""

    NEVER = auto()
    """On no way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What is wrong with a variable.

    Attributes:
        message: Goes on behind the variable's name.
    """

    outlook: Outlook
    message: str


def fixed_root(path: Path) -> Answer | None:
    """Judges the first step below a reserved name."""
    names = RESERVED[path.root]
    if names is None or not path.segments or path.segments[0] in names:
        return None
    suggestion = did_you_mean(str(path.segments[0]), names)
    return Answer(Outlook.NEVER, f"is never there: {path.root} has {', '.join(names)}{suggestion}")


def payload_names(flow: Flow) -> tuple[str, ...]:
    """The keys that the trigger's payload can have."""
    return () if flow.trigger_type is None else tuple(flow.trigger_type.output.model_fields)


def payload_root(flow: Flow, name: str) -> Answer | None:
    """Judges a key of the trigger's payload."""
    trigger_type = flow.trigger_type
    if trigger_type is None:
        return None
    field = trigger_type.output.model_fields.get(name)
    if field is not None:
        if field.is_required():
            return None
        return Answer(Outlook.MAYBE, f"is not in every payload of {trigger_type.type}; {FAILS_WITHOUT}")
    if trigger_type.output.model_config.get("extra") == "allow":
        return Answer(Outlook.MAYBE, f"is there only if the payload has it; {FAILS_WITHOUT}")
    if name in flow.nodes:
        return Answer(Outlook.NEVER, f"is not known: what a node gave is {{{{{NODE_PREFIX}{name}.output.…}}}}")
    names = [*payload_names(flow), *RESERVED]
    known = ", ".join(payload_names(flow))
    return Answer(Outlook.NEVER, f"is not known: {trigger_type.type} gives {known}{did_you_mean(name, names)}")
