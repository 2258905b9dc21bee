"""
The names that templates and expressions of every flow can start with, and what is behind them.

Reserved names: triggerPayload, variables, session, workflow, global, execution and node_<id>. They beat keys of the
trigger payload, which stand at the top level too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from services.validator.flow import Flow
from workflow.paths import Path
from workflow.suggestions import HARDLY_ANOTHER, did_you_mean

NODE_PREFIX = "node_"
INPUT = "input"
"""What a person typed last; of some triggers a key of the payload too."""

NODE_PARTS = ("output", "error")

RESERVED: Mapping[str, tuple[str, ...] | None] = {
    "triggerPayload": None,
    "variables": None,
    "session": ("sessionId", "type", "msisdn", "data"),
    "workflow": ("id", "version", "name", "data"),
    "global": ("data",),
    "execution": ("id", "startedAt"),
}
"""What stands below each reserved name; None: anything may."""

_NOTHING = {"none", "nil", "undefined"}
"""What null is called elsewhere."""


class Outlook(Enum):
    """How likely it is that a variable is there."""

    MAYBE = auto()
    """On some ways only."""

    UNSENT = auto()
    """Only if whoever starts the flow sends it: at every place that reads it, or at none."""

    MISTYPED = auto()
    """Likewise, and something else is hardly not meant: its name is almost one that is always there, or a text."""

    NEVER = auto()
    """On no way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What is wrong with a variable.

    Attributes:
        message: Goes on behind the variable's name.
        hint: What may be meant; goes on behind the message.
    """

    outlook: Outlook
    message: str
    hint: str = ""


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


def payload_root(flow: Flow, path: Path) -> Answer | None:
    """Judges a path that begins with a key of the trigger's payload."""
    trigger_type, name = flow.trigger_type, path.root
    if trigger_type is None:
        return None
    field = trigger_type.output.model_fields.get(name)
    if field is not None:
        if field.is_required():
            return None
        return Answer(Outlook.UNSENT, f"is not in every payload of {trigger_type.type}")
    if trigger_type.output.model_config.get("extra") == "allow":
        return _of_any_name(flow, path)
    if name in flow.nodes:
        return Answer(Outlook.NEVER, f"is not known: {_of_node(name)}")
    names = [*payload_names(flow), *RESERVED]
    known = ", ".join(payload_names(flow))
    return Answer(Outlook.NEVER, f"is not known: {trigger_type.type} gives {known}", did_you_mean(name, names))


def as_text(flow: Flow, word: str, answer: Answer) -> Answer:
    """Judges a name that stands bare where a text in quotes is likely."""
    if word in payload_names(flow) or answer.outlook is Outlook.MAYBE:
        return answer
    if word.casefold() in _NOTHING:
        hint = "; write null for what has no value"
    elif answer.hint:
        hint = f"{answer.hint} a text is put in quotes: '{word[:40]}'"
    else:
        hint = f"; did you mean the text '{word[:40]}'? put it in quotes"
    return replace(answer, outlook=Outlook.MISTYPED if answer.outlook is Outlook.UNSENT else answer.outlook, hint=hint)


def _of_any_name(flow: Flow, path: Path) -> Answer:
    """Judges a path into a payload that may have any key."""
    why = "is there only if the payload has it"
    if path.root in flow.nodes and path.segments[:1] and path.segments[0] in NODE_PARTS:
        return Answer(Outlook.MISTYPED, f"{why}; {_of_node(path.root)}")
    # Behind a reserved name there is always a step: `sessionId` is a key of its own, `sesion.data` is none.
    names = [*payload_names(flow), *(RESERVED if path.segments else ())]
    suggestion = did_you_mean(path.root, names, alike=HARDLY_ANOTHER)
    return Answer(Outlook.MISTYPED if suggestion else Outlook.UNSENT, why, suggestion)


def _of_node(name: str) -> str:
    return f"what a node gave is {{{{{NODE_PREFIX}{name}.output.…}}}}"
