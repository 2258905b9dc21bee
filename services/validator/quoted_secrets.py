"""What a secret must not do: be quoted by the issue that finds fault with it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from workflow.catalogue import CATALOGUE
from workflow.draft import Draft
from workflow.fields import config_secrets
from workflow.flow_secrets import HIDDEN, is_placeholder
from workflow.issues import Issue
from workflow.places import written

SHORTEST_QUOTE = 4
"""Fewer characters in a row say too little, and stand in too many sentences by chance."""


def without_secrets(draft: Draft, issues: Iterable[Issue]) -> list[Issue]:
    """Returns the issues; those of a place that holds a secret have each quote of it masked."""
    secrets = dict(_secrets(draft))
    return [_masked(issue, secrets[issue.path]) if issue.path in secrets else issue for issue in issues]


def _secrets(draft: Draft) -> Iterator[tuple[str | None, str]]:
    for node in (*draft.all_nodes, *draft.duplicates):
        node_type = CATALOGUE.get(node.type or "")
        if node_type is not None and node.config is not None:
            for steps, value in config_secrets(node_type.config, node.config).items():
                # A value that is mistyped is told of by name. What stands behind a bar may be a secret out of place.
                if not is_placeholder(value) or "|" in value:
                    yield written(steps, f"{node.path}.config"), str(value)


def _masked(issue: Issue, secret: str) -> Issue:
    """A quote may be any part of it: the beginning, or the words around an error."""
    message, start = issue.message, 0
    while start < len(message):
        end = start
        while end < len(message) and message[start : end + 1] in secret:
            end += 1
        if end - start >= min(SHORTEST_QUOTE, len(secret)):
            message = message[:start] + HIDDEN + message[end:]
            start += len(HIDDEN)
        else:
            start += 1
    return replace(issue, message=message)
