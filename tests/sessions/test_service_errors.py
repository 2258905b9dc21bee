"""Every error that the contract documents, provoked over a real connection."""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from njia.sessions.v1 import sessions_service_pb2 as pb
from rpc.status import Refusal, refusal_of
from services.sessions import errors
from services.sessions.refusals import REFUSALS

if TYPE_CHECKING:
    from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceAsyncStub

    Provoke = Callable[[SessionServiceAsyncStub], Awaitable[Any]]

PROTO = Path(__file__).parents[2] / "protos/njia/sessions/v1/sessions_service.proto"
NO_OBJECT = "[1]"
TOO_LARGE = '{"a":"' + "x" * 300_000 + '"}'


async def opened(sessions: "SessionServiceAsyncStub", **values: Any) -> pb.Session:
    request = pb.OpenSessionRequest(session_id="s", type=pb.SESSION_TYPE_USSD, **values)
    return (await sessions.OpenSession(request)).session


async def ended(sessions: "SessionServiceAsyncStub") -> None:
    await opened(sessions)
    await sessions.EndSession(pb.EndSessionRequest(session_id="s"))


async def open_ended(sessions: "SessionServiceAsyncStub") -> None:
    await ended(sessions)
    await opened(sessions)


async def update_ended(sessions: "SessionServiceAsyncStub") -> None:
    await ended(sessions)
    await sessions.UpdateSession(pb.UpdateSessionRequest(session_id="s", data_json="{}"))


async def update_conflict(sessions: "SessionServiceAsyncStub") -> None:
    await opened(sessions)
    await sessions.UpdateSession(pb.UpdateSessionRequest(session_id="s", data_json="{}", expected_version=2))


async def commit_ended(sessions: "SessionServiceAsyncStub") -> None:
    await ended(sessions)
    await sessions.CommitSession(commit(expected_version=2))


async def commit_conflict(sessions: "SessionServiceAsyncStub") -> None:
    await opened(sessions)
    await sessions.CommitSession(commit(expected_version=2))


async def touch_ended(sessions: "SessionServiceAsyncStub") -> None:
    await ended(sessions)
    await sessions.TouchSession(pb.TouchSessionRequest(session_id="s"))


def commit(**values: Any) -> pb.CommitSessionRequest:
    return pb.CommitSessionRequest(**{"session_id": "s", "commit_id": "c1", "expected_version": 1, **values})


DOCUMENTED: "Mapping[tuple[str, str, str], Provoke]" = {
    ("OpenSession", "INVALID_ARGUMENT", "INVALID_SESSION"): lambda s: opened(s, ttl_seconds=-1),
    ("OpenSession", "FAILED_PRECONDITION", "SESSION_ENDED"): open_ended,
    ("GetSession", "INVALID_ARGUMENT", "INVALID_SESSION"): lambda s: s.GetSession(
        pb.GetSessionRequest(session_id="s", scoped_workflow_id="no/flow")
    ),
    ("GetSession", "NOT_FOUND", "SESSION_NOT_FOUND"): lambda s: s.GetSession(pb.GetSessionRequest(session_id="s")),
    ("FindSession", "NOT_FOUND", "SESSION_NOT_FOUND"): lambda s: s.FindSession(
        pb.FindSessionRequest(msisdn="+254711000001", type=pb.SESSION_TYPE_SMS)
    ),
    ("ListSessions", "INVALID_ARGUMENT", "INVALID_FILTER"): lambda s: s.ListSessions(
        pb.ListSessionsRequest(page_token="made up")
    ),
    ("UpdateSession", "INVALID_ARGUMENT", "INVALID_SESSION"): lambda s: s.UpdateSession(
        pb.UpdateSessionRequest(session_id="s", data_json=NO_OBJECT)
    ),
    ("UpdateSession", "NOT_FOUND", "SESSION_NOT_FOUND"): lambda s: s.UpdateSession(
        pb.UpdateSessionRequest(session_id="s", data_json="{}")
    ),
    ("UpdateSession", "FAILED_PRECONDITION", "SESSION_ENDED"): update_ended,
    ("UpdateSession", "ABORTED", "SESSION_VERSION_CONFLICT"): update_conflict,
    ("CommitSession", "INVALID_ARGUMENT", "INVALID_SESSION"): lambda s: s.CommitSession(
        commit(changes=[pb.DataChange(set_json=NO_OBJECT)])
    ),
    ("CommitSession", "NOT_FOUND", "SESSION_NOT_FOUND"): lambda s: s.CommitSession(commit()),
    ("CommitSession", "FAILED_PRECONDITION", "SESSION_ENDED"): commit_ended,
    ("CommitSession", "ABORTED", "SESSION_VERSION_CONFLICT"): commit_conflict,
    ("TouchSession", "INVALID_ARGUMENT", "INVALID_SESSION"): lambda s: s.TouchSession(
        pb.TouchSessionRequest(session_id="s", ttl_seconds=86_401)
    ),
    ("TouchSession", "NOT_FOUND", "SESSION_NOT_FOUND"): lambda s: s.TouchSession(
        pb.TouchSessionRequest(session_id="s")
    ),
    ("TouchSession", "FAILED_PRECONDITION", "SESSION_ENDED"): touch_ended,
    ("EndSession", "NOT_FOUND", "SESSION_NOT_FOUND"): lambda s: s.EndSession(pb.EndSessionRequest(session_id="s")),
    ("EraseMsisdn", "INVALID_ARGUMENT", "INVALID_SESSION"): lambda s: s.EraseMsisdn(pb.EraseMsisdnRequest(msisdn="0")),
}

OF_EVERY_RPC: "Mapping[str, Provoke]" = {
    "OpenSession": opened,
    "EraseMsisdn": lambda s: s.EraseMsisdn(pb.EraseMsisdnRequest(msisdn="+254711000001")),
    "GetSession": lambda s: s.GetSession(pb.GetSessionRequest(session_id="s")),
    "FindSession": lambda s: s.FindSession(pb.FindSessionRequest(msisdn="+1", type=pb.SESSION_TYPE_SMS)),
    "ListSessions": lambda s: s.ListSessions(pb.ListSessionsRequest()),
    "UpdateSession": lambda s: s.UpdateSession(pb.UpdateSessionRequest(session_id="s", data_json="{}")),
    "CommitSession": lambda s: s.CommitSession(commit()),
    "TouchSession": lambda s: s.TouchSession(pb.TouchSessionRequest(session_id="s")),
    "EndSession": lambda s: s.EndSession(pb.EndSessionRequest(session_id="s")),
    "DeleteSession": lambda s: s.DeleteSession(pb.DeleteSessionRequest(session_id="s")),
}


async def refused(call: Awaitable[Any]) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return refusal_of(error.value)


def documented_in_the_proto() -> tuple[set[tuple[str, str, str]], set[str]]:
    """Reads the lines `// - CODE: … (REASON)` above each RPC, and the names of all RPCs."""
    rows: set[tuple[str, str, str]] = set()
    names: set[str] = set()
    comment = ""
    in_service = False
    for line in map(str.strip, PROTO.read_text(encoding="utf-8").splitlines()):
        in_service = in_service or line.startswith("service ")
        if line.startswith("//"):
            comment += " " + line.removeprefix("//").strip()
        elif in_service and line.startswith("rpc "):
            name = line.removeprefix("rpc ").split("(")[0]
            names.add(name)
            for entry in re.split(r" - (?=[A-Z_]+: )", comment)[1:]:
                code = entry.split(":")[0]
                rows |= {(name, code, reason) for reason in re.findall(r"\(([A-Z_]+)\)", entry)}
            comment = ""
        else:
            comment = ""
    return rows, names


def test_every_documented_error_is_provoked_here() -> None:
    rows, names = documented_in_the_proto()

    assert rows == set(DOCUMENTED)
    assert names == set(OF_EVERY_RPC)


def test_every_error_has_a_refusal() -> None:
    raised = {
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.SessionError) and error is not errors.SessionError
    }

    assert {error for error in raised if not any(parent in REFUSALS for parent in error.__mro__)} == set()


@pytest.mark.parametrize("row", DOCUMENTED, ids=" ".join)
async def test_a_documented_error(sessions: "SessionServiceAsyncStub", row: tuple[str, str, str]) -> None:
    refusal = await refused(DOCUMENTED[row](sessions))

    assert (refusal.code.name, refusal.reason) == row[1:]
    assert len(refusal.violations) == (1 if row[1] == "INVALID_ARGUMENT" else 0)


@pytest.mark.parametrize("rpc", OF_EVERY_RPC)
async def test_every_rpc_says_that_the_store_is_unavailable(
    sessions_without_redis: "SessionServiceAsyncStub", rpc: str
) -> None:
    refusal = await refused(OF_EVERY_RPC[rpc](sessions_without_redis))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert refusal.retry_after_ms == 1000


async def test_a_conflict_tells_the_current_version(sessions: "SessionServiceAsyncStub") -> None:
    refusal = await refused(update_conflict(sessions))

    assert refusal.metadata == {"currentVersion": "1"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"session_id": "two words"}, "session_id"),
        ({"session_id": "x" * 257}, "session_id"),
        ({"session_id": "line\nbreak"}, "session_id"),
        ({"session_id": "new", "type": pb.SESSION_TYPE_UNSPECIFIED}, "type"),
        ({"type": 99}, "type"),
        ({"msisdn": "0711000001"}, "msisdn"),
        ({"msisdn": "+2547 11"}, "msisdn"),
        ({"msisdn": ""}, "msisdn"),
        ({"msisdn": "+1234567890123456"}, "msisdn"),
        ({"ttl_seconds": 86_401}, "ttl_seconds"),
        ({"data_json": NO_OBJECT}, "data_json"),
        ({"data_json": '{"a":NaN}'}, "data_json"),
        ({"data_json": '{"a":1,"a":2}'}, "data_json"),
        ({"data_json": TOO_LARGE}, "data_json"),
        ({"scoped_workflow_id": "a b"}, "scoped_workflow_id"),
    ],
)
async def test_an_unusable_field_of_an_opening_is_named(
    sessions: "SessionServiceAsyncStub", values: dict[str, Any], field: str
) -> None:
    request = pb.OpenSessionRequest(**{"session_id": "s", "type": pb.SESSION_TYPE_USSD, **values})

    refusal = await refused(sessions.OpenSession(request))

    assert (refusal.reason, [violation.field for violation in refusal.violations]) == ("INVALID_SESSION", [field])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"commit_id": ""}, "commit_id"),
        ({"expected_version": 0}, "expected_version"),
        ({"ttl_seconds": -1}, "ttl_seconds"),
        ({"changes": [pb.DataChange(), pb.DataChange(set_json="{")]}, "changes[1].set_json"),
        ({"changes": [pb.DataChange(set_if_absent_json="null")]}, "changes[0].set_if_absent_json"),
        ({"changes": [pb.DataChange(ttl_seconds=100_000)]}, "changes[0].ttl_seconds"),
        ({"changes": [pb.DataChange(set_json=TOO_LARGE)]}, "changes"),
        ({"workflow_changes": [pb.DataChange()]}, "workflow_id"),
        ({"workflow_id": "f", "workflow_changes": [pb.DataChange(set_json="1")]}, "workflow_changes[0].set_json"),
        ({"workflow_id": "f", "workflow_changes": [pb.DataChange(set_json='{"a":1}')]}, "workflow_changes"),
        ({"global_changes": [pb.DataChange(set_json='{"a":1}')]}, "global_changes"),
    ],
)
async def test_an_unusable_field_of_a_commit_is_named(
    sessions: "SessionServiceAsyncStub", values: dict[str, Any], field: str
) -> None:
    """The session has no phone number."""
    await opened(sessions)

    refusal = await refused(sessions.CommitSession(commit(**values)))

    assert (refusal.reason, [violation.field for violation in refusal.violations]) == ("INVALID_SESSION", [field])


async def test_the_refusal_of_large_data_says_the_size(sessions: "SessionServiceAsyncStub") -> None:
    refusal = await refused(opened(sessions, data_json=TOO_LARGE))

    assert "300003 bytes" in refusal.message
    assert "262144" in refusal.message


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"msisdn": "0711"}, "msisdn"),
        ({"type": 99}, "type"),
        ({"page_size": 1001}, "page_size"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "e30"}, "page_token"),
    ],
)
async def test_an_unusable_filter_is_named(
    sessions: "SessionServiceAsyncStub", values: dict[str, Any], field: str
) -> None:
    refusal = await refused(sessions.ListSessions(pb.ListSessionsRequest(**values)))

    assert (refusal.reason, [violation.field for violation in refusal.violations]) == ("INVALID_FILTER", [field])


async def test_no_refusal_tells_a_phone_number(sessions: "SessionServiceAsyncStub") -> None:
    request = pb.FindSessionRequest(msisdn="+254711000001", type=pb.SESSION_TYPE_SMS)

    refusal = await refused(sessions.FindSession(request))

    assert "254711000001" not in str(refusal)
