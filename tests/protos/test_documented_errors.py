"""The errors that the contracts document are those that the services can raise, and no others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rpc import guard, interceptors
from services.at_adapter.outgoing.faults import Fault
from services.engine.servicers import pages

ROOT = Path(__file__).parents[2]
PROTOS = ROOT / "protos" / "njia"
SERVICES = ("validator", "engine", "sessions", "at_adapter")

Errors = set[tuple[str, str]]
"""Statuses and reasons."""

_ENTRY = re.compile(r" - (?=[A-Z_]+: )")
_REASONS = re.compile(r"\b(?:[A-Z]+(?:_[A-Z]+)+|[A-Z]{5,})\b")


def written_in(comment: str) -> Errors:
    """The lines `- STATUS: … (REASON, OTHER_REASON; more)` of a comment."""
    found: Errors = set()
    for entry in _ENTRY.split(comment)[1:]:
        status = entry.partition(":")[0]
        for aside in re.findall(r"\(([^()]*)\)", entry):
            found |= {(status, reason) for reason in _REASONS.findall(aside)}
    return found


def comments(proto: Path) -> Iterator[tuple[str, str]]:
    """Each service and each RPC of a file with the comment above it."""
    comment = ""
    for line in map(str.strip, proto.read_text(encoding="utf-8").splitlines()):
        if line.startswith("//"):
            comment += " " + line.removeprefix("//").strip()
            continue
        if line.startswith(("service ", "rpc ")):
            yield re.split(r"\(| {", line)[0], comment
        comment = ""


def documented(service: str) -> Errors:
    files = (PROTOS / service / "v1").glob("*.proto")
    return {error for proto in files for _, comment in comments(proto) for error in written_in(comment)}


def of_every_service() -> Errors:
    """What the package of the shared messages says of all RPCs."""
    text = (PROTOS / "workflow" / "v1" / "workflow.proto").read_text(encoding="utf-8")
    lines = (line.removeprefix("//").strip() for line in text.partition("\npackage ")[0].splitlines())
    return written_in(" ".join(lines))


def calls_in(folder: Path, name: str) -> Iterator[ast.Call]:
    for module in folder.rglob("*.py"):
        for place in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(place, ast.Call) and ast.unparse(place.func).rpartition(".")[2] == name:
                yield place


def refusals_in(folder: Path) -> Errors:
    """What is refused with a status and a reason that stand in the code."""
    return {
        (ast.unparse(call.args[0]).rpartition(".")[2], str(reason.value))
        for call in calls_in(folder, "Refusal")
        if len(call.args) > 1 and isinstance(reason := call.args[1], ast.Constant)
    }


def raised_by(service: str) -> Errors:
    """What the code of a service can refuse a call with."""
    found = refusals_in(ROOT / "services" / service)
    match service:
        case "engine":
            calls = calls_in(ROOT / "services" / service, "InvalidRequest")
            named = {ast.unparse(call.args[2]) for call in calls if call.args[2:]}
            # A function that is told the reason says one that another place here names.
            reasons = {pages.INVALID if name.endswith("INVALID") else name.strip("'") for name in named - {"reason"}}
            found |= {("INVALID_ARGUMENT", reason) for reason in reasons | {"INVALID_REQUEST"}}
        case "at_adapter":
            found |= {(fault.status.name, fault.name) for fault in Fault}
        case "sessions":
            # Which RPC gives which is provoked, one by one, in tests/sessions/test_service_errors.py.
            found |= {("INVALID_ARGUMENT", "INVALID_SESSION"), ("INVALID_ARGUMENT", "INVALID_FILTER")}
            found.add(("ABORTED", "SESSION_VERSION_CONFLICT"))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_documents_what_it_raises_and_nothing_else(service: str) -> None:
    assert sorted(documented(service) - of_every_service()) == sorted(raised_by(service) - of_every_service())


def test_what_every_service_refuses_is_documented_once() -> None:
    raised = {
        *((refusal.code.name, refusal.reason) for refusal in (interceptors.INTERNAL, interceptors.UNREADABLE)),
        *((refusal.code.name, refusal.reason) for refusal in (interceptors.OUT_OF_TIME, interceptors.SERVER_BUSY)),
        ("UNAUTHENTICATED", guard.API_KEY_REQUIRED),
        ("PERMISSION_DENIED", guard.SCOPE_MISSING),
        ("RESOURCE_EXHAUSTED", guard.RATE_LIMITED),
    }

    assert of_every_service() == raised


@pytest.mark.parametrize("proto", sorted(PROTOS.rglob("*_service.proto")), ids=lambda proto: proto.stem)
def test_every_rpc_says_what_errors_it_has(proto: Path) -> None:
    assert [name for name, comment in comments(proto) if name.startswith("rpc ") and "Errors:" not in comment] == []
