"""Messages to domain objects and back. What a message may not say is refused here, before the store is asked."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from njia.sessions.v1 import sessions_service_pb2 as pb
from services.sessions import json_values, rules
from services.sessions.errors import InvalidFilter, InvalidSession
from services.sessions.listing import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Filter, Position
from services.sessions.session import (
    Commit,
    Data,
    DataChange,
    NewSession,
    ScopedChanges,
    ScopedData,
    Session,
    SessionType,
)

_NUMBERS = {
    SessionType.USSD: pb.SESSION_TYPE_USSD,
    SessionType.VOICE: pb.SESSION_TYPE_VOICE,
    SessionType.SMS: pb.SESSION_TYPE_SMS,
    SessionType.PAYMENT: pb.SESSION_TYPE_PAYMENT,
    SessionType.OTHER: pb.SESSION_TYPE_OTHER,
}
_TYPES = {int(number): session_type for session_type, number in _NUMBERS.items()}


def session_to_proto(session: Session) -> pb.Session:
    """Writes a session."""
    return pb.Session(
        session_id=session.session_id,
        type=_NUMBERS[session.type],
        msisdn=session.msisdn,
        data_json=json_values.to_json(session.data),
        created_at=_timestamp(session.created_at_ms),
        last_activity_at=_timestamp(session.last_activity_at_ms),
        expires_at=_timestamp(session.expires_at_ms),
        is_active=session.is_active,
        version=session.version,
    )


def scoped_to_proto(scoped: ScopedData) -> pb.ScopedData:
    """Writes data that outlives a session."""
    return pb.ScopedData(
        workflow_json=json_values.to_json(scoped.in_workflow), global_json=json_values.to_json(scoped.in_all)
    )


def new_session_from_proto(request: pb.OpenSessionRequest, default_ttl_ms: int) -> NewSession:
    """Reads what a session is opened with. Raises InvalidSession."""
    return NewSession(
        session_id=rules.check_id("session_id", request.session_id) if request.session_id else rules.new_session_id(),
        type=_session_type(request.type),
        msisdn=rules.check_msisdn("msisdn", request.msisdn) if request.HasField("msisdn") else None,
        ttl_ms=rules.ttl_ms("ttl_seconds", request.ttl_seconds) or default_ttl_ms,
        data=_data(rules.DATA_FIELD, request.data_json),
    )


def scoped_workflow_from_proto(request: pb.OpenSessionRequest | pb.GetSessionRequest) -> str | None:
    """Reads the flow whose scoped data is asked for. Raises InvalidSession."""
    if not request.scoped_workflow_id:
        return None
    return rules.check_workflow_id("scoped_workflow_id", request.scoped_workflow_id)


def type_to_find_from_proto(request: pb.FindSessionRequest) -> SessionType | None:
    """Reads the type of the session to find; None when no session can have it."""
    return _TYPES.get(request.type)


def update_from_proto(request: pb.UpdateSessionRequest) -> tuple[DataChange, int | None]:
    """Reads a change and the version that it expects. Raises InvalidSession."""
    if request.expected_version < 0:
        raise InvalidSession("expected_version", "must be a version, or 0 for any")
    values = json_values.from_json(rules.DATA_FIELD, request.data_json)
    return DataChange(clear=request.replace, set=values), request.expected_version or None


def commit_from_proto(request: pb.CommitSessionRequest) -> Commit:
    """Reads a commit. Raises InvalidSession."""
    if request.expected_version < 1:
        raise InvalidSession("expected_version", "must be the version that the turn ran on")
    return Commit(
        commit_id=rules.check_id("commit_id", request.commit_id),
        expected_version=request.expected_version,
        changes=_changes(rules.CHANGES_FIELD, request.changes),
        ttl_ms=rules.ttl_ms("ttl_seconds", request.ttl_seconds),
        end=request.end,
        scoped=ScopedChanges(
            workflow_id=(
                rules.check_workflow_id("workflow_id", request.workflow_id) if request.workflow_changes else ""
            ),
            in_workflow=_changes(rules.WORKFLOW_FIELD, request.workflow_changes),
            in_all=_changes(rules.ALL_FIELD, request.global_changes),
        ),
    )


def touch_from_proto(request: pb.TouchSessionRequest) -> int | None:
    """Reads the new life of a session, milliseconds; None: its own. Raises InvalidSession."""
    return rules.ttl_ms("ttl_seconds", request.ttl_seconds)


def listing_from_proto(request: pb.ListSessionsRequest) -> tuple[Filter, int, Position | None]:
    """Reads the filter, the size of the page and where it starts. Raises InvalidFilter."""
    if request.msisdn and not rules.is_msisdn(request.msisdn):
        raise InvalidFilter("msisdn", "must be a phone number in E.164, such as +254711000001")
    if request.type and request.type not in _TYPES:
        raise InvalidFilter("type", f"{request.type} is no type of sessions")
    if not 0 <= request.page_size <= MAX_PAGE_SIZE:
        raise InvalidFilter("page_size", f"must be 1 to {MAX_PAGE_SIZE}, or 0 for {DEFAULT_PAGE_SIZE}")
    wanted = Filter(
        msisdn=request.msisdn or None,
        type=_TYPES.get(request.type),
        active=request.active if request.HasField("active") else None,
    )
    after = Position.from_token(request.page_token) if request.page_token else None
    return wanted, request.page_size or DEFAULT_PAGE_SIZE, after


def next_page_token(position: Position | None) -> str:
    """Writes where the next page starts; empty when there is none."""
    return "" if position is None else position.token()


def _session_type(number: int) -> SessionType | None:
    if number == pb.SESSION_TYPE_UNSPECIFIED:
        return None
    if number not in _TYPES:
        raise InvalidSession(rules.TYPE_FIELD, f"{number} is no type of sessions")
    return _TYPES[number]


def _changes(field: str, messages: Sequence[pb.DataChange]) -> Sequence[DataChange]:
    return [
        DataChange(
            clear=message.clear,
            set_if_absent=_data(f"{field}[{index}].set_if_absent_json", message.set_if_absent_json),
            set=_data(f"{field}[{index}].set_json", message.set_json),
            ttl_ms=rules.ttl_ms(f"{field}[{index}].ttl_seconds", message.ttl_seconds),
        )
        for index, message in enumerate(messages)
    ]


def _data(field: str, text: str) -> Data:
    return json_values.from_json(field, text) if text else {}


def _timestamp(milliseconds: int) -> Timestamp:
    seconds, rest = divmod(milliseconds, 1000)
    return Timestamp(seconds=seconds, nanos=rest * 1_000_000)
