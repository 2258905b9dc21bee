"""The templates and expressions of a flow, parsed."""

from collections.abc import Collection
from dataclasses import dataclass

from workflow.expressions import Expression, ExpressionSyntaxError, parse_expression
from workflow.fields import ConfigText, Role
from workflow.places import Step
from workflow.templates import Template, TemplateSyntaxError, parse_message_template, parse_template


@dataclass(frozen=True, slots=True)
class FlowText:
    """
    A template or expression of a flow.

    Attributes:
        path: Where it stands in the document.
        steps: Where it stands in the config; empty for the condition of an edge.
        parsed: None when it has a syntax error.
        syntax_error: What is wrong with it; None when it parses.
    """

    path: str
    steps: tuple[Step, ...]
    role: Role
    parsed: Template | Expression | None
    syntax_error: TemplateSyntaxError | ExpressionSyntaxError | None


def parsed_text(text: ConfigText, path: str, ids: Collection[str]) -> FlowText:
    """
    Parses a text by its role.

    Args:
        text: The text, with its place in its config.
        path: Its place in the document.
        ids: Ids of the flow's nodes, which may hold a `-` in an expression.
    """
    try:
        match text.role:
            case Role.EXPRESSION:
                return FlowText(path, text.path, text.role, parse_expression(text.text, ids), None)
            case Role.MESSAGE:
                return FlowText(path, text.path, text.role, parse_message_template(text.text), None)
        return FlowText(path, text.path, text.role, parse_template(text.text), None)
    except (TemplateSyntaxError, ExpressionSyntaxError) as problem:
        return FlowText(path, text.path, text.role, None, problem)
