"""INVALID_PHONE_NUMBER: numbers that stand in the flow itself can be read as such."""

from collections.abc import Iterator

from services.validator.flow import Flow
from workflow.errors import NodeFailure
from workflow.issues import Issue
from workflow.phone import normalised


def check(flow: Flow) -> Iterator[Issue]:
    """Yields written numbers that nothing can be sent to. What a template brings is known only when it runs."""
    country = flow.draft.settings.default_country
    for node in flow.every_node:
        if node.type is None or node.config is None:
            continue
        for field, numbers in node.type.phone_numbers(node.config):
            for number in numbers.split(","):
                problem = None if "{{" in number or not number.strip() else _problem(number, country)
                if problem is not None:
                    path = f"{node.path}.config.{field}"
                    yield Issue("INVALID_PHONE_NUMBER", problem, node.id or None, path=path, is_warning=True)


def _problem(number: str, country: str | None) -> str | None:
    try:
        normalised(number, country)
    except NodeFailure as failure:
        return failure.error.message
    return None
