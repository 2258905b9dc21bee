"""What is said of a parameter that cannot be used: what stands there, and what may."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.errors import HttpError, bad_request
from workflow.suggestions import did_you_mean

_KINDS = {"int": "a whole number", "bool": "true or false", "float": "a number"}

_BOUNDS = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}

_LONGEST = 40
"""Characters of a value that are quoted."""


def refused_parameter(fault: Mapping[str, Any], known: Sequence[str]) -> HttpError:
    """
    Returns the refusal of a request for one of its parameters.

    Args:
        fault: What pydantic has against it.
        known: Names of the query parameters that the call takes.
    """
    # Behind the name may stand the branch of a union that refused the value.
    where, name = (str(part) for part in fault["loc"][:2])
    what = _unknown(name, known) if fault["type"] == "extra_forbidden" else _wanted(fault)
    code = "INVALID_FILTER" if where == "query" else "INVALID_REQUEST"
    return bad_request(f"{where} parameter {name}: {what}", name, code)


def _unknown(name: str, known: Sequence[str]) -> str:
    if not known:
        return "is not known here; this call takes none"
    return f"is not known here; this call takes {', '.join(known)}{did_you_mean(name[:_LONGEST], known)}"


def _wanted(fault: Mapping[str, Any]) -> str:
    kind, context, value = str(fault["type"]), fault.get("ctx", {}), fault["input"]
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"must be {words} {context[bound]}, not {_quoted(value)}"
    match kind:
        case "literal_error" | "enum":
            return f"must be {context['expected'].replace(chr(39), '')}, not {_quoted(value)}"
        case "string_too_short" | "too_short":
            return "must not be empty"
        case "string_too_long" | "too_long":
            return f"must have at most {context['max_length']} characters, not {len(value)}"
        case "value_error":
            return str(context["error"])
    wanted = _KINDS.get(kind.partition("_")[0])
    return f"must be {wanted}, not {_quoted(value)}" if wanted else "cannot be read"


def _quoted(value: object) -> str:
    written = str(value)
    return f'"{written}"' if len(written) <= _LONGEST else f'"{written[:_LONGEST]}…"'
