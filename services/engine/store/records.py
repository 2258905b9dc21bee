"""How states, turns and results are written: JSON documents of their data classes."""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import TypeAdapter

from services.engine.core.state import ExecutionState, NodeResult, Reply, Signal, Turn
from services.engine.store.execution_store import Continued, Interrupted, Report

_STATE = TypeAdapter(ExecutionState)
_RESULT = TypeAdapter(NodeResult)
_REPLY = TypeAdapter(Reply)
_REPORT = TypeAdapter(Report)
_INTERRUPTED = TypeAdapter(Interrupted)
_CONTINUED = TypeAdapter(Continued)


def state_to_bytes(state: ExecutionState) -> bytes:
    """Writes a state."""
    return orjson.dumps(state, option=orjson.OPT_NON_STR_KEYS)


def state_from_bytes(data: bytes) -> ExecutionState:
    """Reads a state."""
    return _STATE.validate_json(data)


def result_to_bytes(result: NodeResult) -> bytes:
    """Writes a result."""
    return orjson.dumps(result)


def result_from_bytes(data: bytes) -> NodeResult:
    """Reads a result."""
    return _RESULT.validate_json(data)


def reply_to_bytes(reply: Reply) -> bytes:
    """Writes a reply."""
    return orjson.dumps(reply)


def reply_from_bytes(data: bytes) -> Reply:
    """Reads a reply."""
    return _REPLY.validate_json(data)


def report_to_bytes(report: Report) -> bytes:
    """Writes a delivery report."""
    return orjson.dumps(report)


def report_from_bytes(data: bytes) -> Report:
    """Reads a delivery report."""
    return _REPORT.validate_json(data)


def interrupted_to_bytes(interrupted: Interrupted) -> bytes:
    """Writes what a new dial may continue."""
    return orjson.dumps(interrupted)


def interrupted_from_bytes(data: bytes) -> Interrupted:
    """Reads what a new dial may continue."""
    return _INTERRUPTED.validate_json(data)


def continued_to_bytes(continued: Continued) -> bytes:
    """Writes what a session stands for."""
    return orjson.dumps(continued)


def continued_from_bytes(data: bytes) -> Continued:
    """Reads what a session stands for."""
    return _CONTINUED.validate_json(data)


def turn_to_bytes(turn: Mapping[str, Any]) -> bytes:
    """Writes a turn that has no number yet."""
    return orjson.dumps(turn)


def turn_from_bytes(data: bytes, number: int) -> Turn:
    """Reads a turn; its number is its place in the list, from 1."""
    document = orjson.loads(data)
    signal = document.pop("signal", None)
    return Turn(number=number, **document, signal=None if signal is None else Signal(signal))
