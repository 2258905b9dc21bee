"""What a pydantic model has against a value, as places and plain sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workflow.places import Step
from workflow.suggestions import did_you_mean
from workflow.templates import contains_template
from workflow.text_patterns import WORDS

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "an object",
    "list_type": "a list",
    "tuple_type": "a list",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One fault of a value.

    Attributes:
        steps: Where it is, from the root of the value.
        message: What must stand there.
        is_missing: Whether something required is not there.
    """

    steps: tuple[Step, ...]
    message: str
    is_missing: bool


def faults_of(problem: ValidationError, document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yields one fault a place, in the order in which the model found them."""
    grouped: dict[tuple[Step, ...], list[ErrorDetails]] = {}
    for detail in problem.errors(include_url=False):
        grouped.setdefault(_steps(detail, document), []).append(detail)
    for steps, details in grouped.items():
        if details[0]["type"] == "missing":
            yield Fault(steps, f"{steps[-1]} is required", is_missing=True)
        else:
            name = next((step for step in reversed(steps) if isinstance(step, str)), "the value")
            where = f"{name}[{steps[-1]}]" if steps and isinstance(steps[-1], int) else name
            wanted = " or ".join(dict.fromkeys(_wanted(detail) for detail in details))
            if any(isinstance(detail["input"], str) and contains_template(detail["input"]) for detail in details):
                wanted += "; placeholders are not filled in here"
            yield Fault(steps, f"{where} {wanted}", is_missing=False)


def unknown_keys(model: type[BaseModel], document: Mapping[str, Any]) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Yields the place of every key that the model does not know, with what may have been meant."""
    known = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    for key, value in document.items():
        if key not in known:
            yield (key,), did_you_mean(key, known)
            continue
        for inner in _models(known[key]):
            for steps, found in _documents(value):
                for rest, suggestion in unknown_keys(inner, found):
                    yield (key, *steps, *rest), suggestion


def described(value: object) -> str:
    """Names a JSON value in a few characters."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"[:60]
        case str():
            return f'"{value}"' if len(value) <= 40 else f'"{value[:40]}…"'
        case Mapping():
            return "an object"
    return "a list"


def _wanted(detail: ErrorDetails) -> str:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, not {described(value)}"
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        return f"must be {words} {context[name]}, not {value}"
    match kind:
        case "literal_error" | "enum":
            return f"must be one of {context['expected'].replace(chr(39), '')}, not {described(value)}"
        case "string_too_short" | "too_short" if context["min_length"] == 1:
            return "must not be empty"
        case "string_too_short" | "string_too_long":
            return f"must have {_length(context)} characters, not {len(value)}"
        case "too_short" | "too_long":
            return f"must have {_length(context)} entries, not {len(value)}"
        case "string_pattern_mismatch":
            pattern = context["pattern"]
            return f"must be {WORDS.get(pattern, f'text that matches {pattern}')}, not {described(value)}"
        case "finite_number":
            return "must be a finite number"
        case "value_error":
            return str(context["error"])
    return f"cannot be used: {detail['msg']}"


def _length(context: Mapping[str, Any]) -> str:
    return f"at least {context['min_length']}" if "min_length" in context else f"at most {context['max_length']}"


def _steps(detail: ErrorDetails, document: Mapping[str, Any]) -> tuple[Step, ...]:
    """Leaves out the names of union members, which pydantic puts among the keys and indexes."""
    steps: list[Step] = []
    value: Any = document
    location = detail["loc"]
    for index, step in enumerate(location):
        if _leads_on(value, step):
            value = value[step]
        elif detail["type"] != "missing" or index < len(location) - 1:
            continue
        steps.append(step)
    return tuple(steps)


def _leads_on(value: object, step: Step) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for option in getattr(annotation, "__args__", ()):
        yield from _models(option)


def _documents(value: Any) -> Iterator[tuple[tuple[Step, ...], Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        yield (), value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for steps, found in _documents(item):
                yield (index, *steps), found
