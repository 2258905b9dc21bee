"""
By which handle an edge leaves one node and enters another.

The `sourceHandle` of an edge, else its `condition`, names the outcome that takes it. Where both are given both must
hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workflow.node_type import DEFAULT, ERROR, SUCCESS, TIMEOUT
from workflow.suggestions import did_you_mean

CONDITION_MET, TRUE = "condition_met", "true"
ANY_SUFFIX = "*"

ALWAYS_LEGAL = (ERROR, TIMEOUT)
"""Handles that edges of every node may leave by."""


class HandleError(ValueError):
    """
    An edge that names a handle that is not there.

    Attributes:
        message: What is wrong and what to do.
        field: The key of the edge that is at fault.
    """

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


@dataclass(frozen=True, slots=True)
class Leaving:
    """
    What takes an edge.

    Attributes:
        handle: Handle that takes it; None: taken on every success.
        expression: What must hold too; None: nothing.
    """

    handle: str | None
    expression: str | None


def leaving(source: str, outputs: Sequence[str], source_handle: str | None, condition: str | None) -> Leaving:
    """
    Returns what takes an edge of the node `source`, whose type has the handles `outputs` with its config.

    Raises:
        HandleError: It names a handle that the node lacks, or two different ones.
    """
    by_handle = None if source_handle is None else _named(source, outputs, source_handle, "sourceHandle")
    by_condition, expression = None, None
    if condition is not None:
        if "{{" in condition and condition not in outputs:
            expression = condition
        else:
            by_condition = _named(source, outputs, condition, "condition")
    handle = _both(outputs, by_handle, by_condition)
    if handle is not None:
        return Leaving(handle, expression)
    if not outputs:
        raise HandleError(
            f"{source} has no way on: it ends here, so an edge may only leave by error or timeout", "source"
        )
    return Leaving(DEFAULT if DEFAULT in outputs else None, expression)


def entering(target: str, inputs: Sequence[str], wanted: Sequence[str | None]) -> list[str | HandleError]:
    """
    Returns the handle by which each of the edges that lead to `target` enters, in their order.

    Args:
        inputs: Handles of the target's type; a name that ends in * stands for any suffix, and edges that name none
            get the free ones: input1, input2 and so on.
        wanted: What each edge names.
    """
    pattern = next((name.removesuffix(ANY_SUFFIX) for name in inputs if name.endswith(ANY_SUFFIX)), None)
    named = {handle for handle in wanted if handle is not None}
    free = (f"{pattern}{number}" for number in range(1, len(wanted) + len(named) + 1))
    unused = (handle for handle in free if handle not in named)
    found: list[str | HandleError] = []
    for handle in wanted:
        if handle is None or (handle == DEFAULT and DEFAULT not in inputs):
            found.append(next(unused) if pattern is not None else inputs[0])
        elif handle in inputs or (pattern is not None and handle.startswith(pattern)):
            found.append(handle)
        else:
            names = ", ".join(f"{pattern}1, {pattern}2, …" if name.endswith(ANY_SUFFIX) else name for name in inputs)
            message = f'{target} has no input handle "{handle}"; it has {names}{did_you_mean(handle, inputs)}'
            found.append(HandleError(message, "targetHandle"))
    return found


def _named(source: str, outputs: Sequence[str], name: str, field: str) -> str | None:
    """Returns the handle, None for every success."""
    if name in outputs or name in ALWAYS_LEGAL:
        return name
    if name == CONDITION_MET and TRUE in outputs:
        return TRUE
    if outputs and name == SUCCESS:
        return SUCCESS
    if outputs and name == DEFAULT:
        return None
    legal = [*outputs, *(handle for handle in ALWAYS_LEGAL if handle not in outputs)]
    message = f'{source} has no handle "{name}"; it has {", ".join(legal)}{did_you_mean(name, legal)}'
    if field == "condition":
        message += ". A condition that is computed holds {{…}}, such as {{amount}} > 100"
    raise HandleError(message, field)


def _both(outputs: Sequence[str], by_handle: str | None, by_condition: str | None) -> str | None:
    if by_handle is None or by_condition is None or by_handle == by_condition:
        return by_handle if by_condition is None else by_condition
    # A type without a handle `success` leaves by another one when it succeeds, so that both hold.
    implied = SUCCESS not in outputs and not {by_handle, by_condition} & set(ALWAYS_LEGAL)
    if implied and SUCCESS in (by_handle, by_condition):
        return by_condition if by_handle == SUCCESS else by_handle
    message = f'sourceHandle says "{by_handle}" and condition says "{by_condition}": no outcome is both; keep one'
    raise HandleError(message, "condition")
