"""SWITCH: one way per value, else the default."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from workflow.fields import TEMPLATED, NodeConfig, Role, Text
from workflow.node_type import DEFAULT, ERROR, SUCCESS, TIMEOUT, Category, Finding, NodeContext, NodeType
from workflow.outcome import Done
from workflow.templates import as_text

HANDLES_OF_EVERY_NODE = frozenset({DEFAULT, ERROR, SUCCESS, TIMEOUT})
"""A case of such a name could not be told from the outcome."""

_CASE_VALUE: TypeAdapter[str] = TypeAdapter(Text)

TYPED_LAST = re.compile(r"\s*\{\{\s*(triggerPayload\.)?input\s*\}\}\s*")


class Case(NodeConfig):
    """
    One value and the name of its way.

    Attributes:
        value: What the value must equal, as text; also the handle that the edge leaves by.
        label: Name shown to people.
    """

    value: Text
    label: Text


class Config(NodeConfig):
    """
    Attributes:
        value: What is compared, as text.
        cases: Ways, tried in order.
    """

    value: Annotated[Any, TEMPLATED, Role.VALUE]
    cases: Annotated[list[Case], Field(min_length=1)]


class Output(BaseModel):
    """The compared text, and the value of the case that it matched (null: none)."""

    value: str
    matched: str | None


class Switch(NodeType[Config]):
    type = "SWITCH"
    title = "Switch"
    category = Category.LOGIC
    description = "Leaves by the first case that equals a value, else by default."
    config = Config
    output = Output

    def output_handles(self, config: Config) -> tuple[str, ...]:
        return (*dict.fromkeys(case.value for case in config.cases), DEFAULT)

    def handles_despite_faults(self, config: Mapping[str, Any]) -> tuple[str, ...] | None:
        cases = config.get("cases")
        if not isinstance(cases, list) or not cases:
            return None
        try:
            values = [_CASE_VALUE.validate_python(case.get("value")) for case in cases if isinstance(case, Mapping)]
        except ValidationError:
            return None
        # An edge may be meant for a case that cannot be read.
        return (*dict.fromkeys(values), DEFAULT) if len(values) == len(cases) else None

    def expected_entries(self, config: Config) -> Sequence[str]:
        if not isinstance(config.value, str) or TYPED_LAST.fullmatch(config.value) is None:
            return ()
        return tuple(case.value for case in config.cases)

    def findings(self, config: Config) -> Iterable[Finding]:
        seen: set[str] = set()
        for index, case in enumerate(config.cases):
            if case.value in seen:
                yield Finding(
                    "INVALID_NODE_CONFIG",
                    f"case {case.value!r} stands twice; the second can never be taken",
                    f"cases[{index}].value",
                )
            if case.value in HANDLES_OF_EVERY_NODE:
                yield Finding(
                    "INVALID_NODE_CONFIG",
                    f"case {case.value!r} has the name of a handle that means something else; change the case of both "
                    "sides with the filter upper",
                    f"cases[{index}].value",
                )
            seen.add(case.value)

    async def run(self, config: Config, context: NodeContext) -> Done:
        value = as_text(config.value)
        matched = next((case.value for case in config.cases if case.value == value), None)
        return Done(output={"value": value, "matched": matched}, handle=DEFAULT if matched is None else matched)
