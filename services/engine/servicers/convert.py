"""Between messages and the engine's own objects, in named pairs."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from services.engine.core.state import ExecutionState, ExecutionStatus, NodeResult, NodeStatus, Reply
from services.engine.replays.differences import Difference
from services.engine.servicers.moments import timestamp_of
from services.engine.store.execution_store import Report, Stored
from services.engine.triggers.unclaimed import Entry
from workflow.errors import ErrorType, NodeError
from workflow.issues import Issue
from workflow.outcome import WaitKind
from workflow.sealing import masked

_EXECUTION_STATUS = {
    ExecutionStatus.COMPLETED: workflow_pb2.EXECUTION_STATUS_COMPLETED,
    ExecutionStatus.FAILED: workflow_pb2.EXECUTION_STATUS_FAILED,
    ExecutionStatus.RUNNING: workflow_pb2.EXECUTION_STATUS_RUNNING,
    ExecutionStatus.TIMEOUT: workflow_pb2.EXECUTION_STATUS_TIMEOUT,
    ExecutionStatus.CANCELLED: workflow_pb2.EXECUTION_STATUS_CANCELLED,
}
_NODE_STATUS = {
    NodeStatus.SUCCESS: workflow_pb2.NODE_STATUS_SUCCESS,
    NodeStatus.ERROR: workflow_pb2.NODE_STATUS_ERROR,
    NodeStatus.SKIPPED: workflow_pb2.NODE_STATUS_SKIPPED,
    NodeStatus.TIMEOUT: workflow_pb2.NODE_STATUS_TIMEOUT,
}
_ERROR_TYPE = {
    ErrorType.TRANSIENT: workflow_pb2.ERROR_TYPE_TRANSIENT,
    ErrorType.PERMANENT: workflow_pb2.ERROR_TYPE_PERMANENT,
    ErrorType.RATE_LIMIT: workflow_pb2.ERROR_TYPE_RATE_LIMIT,
    ErrorType.VALIDATION: workflow_pb2.ERROR_TYPE_VALIDATION,
}
_STATUS_NAMES = {number: name for name, number in _EXECUTION_STATUS.items()}


def status_from_proto(number: "workflow_pb2.ExecutionStatus.ValueType") -> ExecutionStatus | None:
    """Reads a status; None for UNSPECIFIED."""
    return _STATUS_NAMES.get(number)


def result_to_proto(state: ExecutionState, results: Sequence[NodeResult], now_ms: int) -> pb.ExecutionResult:
    """Writes how an execution stands when a call returns."""
    message = pb.ExecutionResult(
        execution_id=state.execution_id,
        status=_EXECUTION_STATUS[state.status],
        output_json=_json(masked(state.output)),
        error=_error(state.error),
        node_results=[node_result_to_proto(result) for result in results],
        duration_ms=_duration_ms(state, now_ms),
        reply=_reply(state.reply),
        waiting_for=_waiting_for(state),
        workflow_id=state.workflow_id,
        workflow_version=state.workflow_version,
    )
    if state.session_id is not None:
        message.session_id = state.session_id
    return message


def log_to_proto(stored: Stored, now_ms: int) -> pb.ExecutionLog:
    """Writes the log of an execution."""
    message = summary_to_proto(stored.state, now_ms)
    message.node_results.extend(node_result_to_proto(result) for result in stored.results)
    message.delivery_reports.extend(_report(report) for report in stored.reports)
    return message


def summary_to_proto(state: ExecutionState, now_ms: int) -> pb.ExecutionLog:
    """Writes the log of an execution without what its nodes answered."""
    message = pb.ExecutionLog(
        execution_id=state.execution_id,
        workflow_id=state.workflow_id,
        workflow_version=state.workflow_version,
        status=_EXECUTION_STATUS[state.status],
        started_at=timestamp_of(state.started_at_ms),
        completed_at=None if state.completed_at_ms is None else timestamp_of(state.completed_at_ms),
        duration_ms=_duration_ms(state, now_ms),
        error=_error(state.error),
        waiting_for=_waiting_for(state),
        output_json=_json(masked(state.output)),
        reply=_reply(state.reply),
        trace_ids=state.traces,
    )
    if state.session_id is not None:
        message.session_id = state.session_id
    if state.options.dry_run:
        message.dry_run = True
    return message


def reply_to_proto(reply: Reply) -> pb.Reply:
    """Writes a reply."""
    return pb.Reply(kind=reply.kind, text=reply.text)


def difference_to_proto(difference: Difference) -> pb.ReplayDifference:
    """Writes what went otherwise in a replay."""
    return pb.ReplayDifference(
        node_id=difference.node_id,
        visit=difference.visit,
        field=difference.field,
        before_json="" if difference.before is None else orjson.dumps(difference.before).decode(),
        after_json="" if difference.after is None else orjson.dumps(difference.after).decode(),
    )


def unclaimed_to_proto(entry: Entry) -> pb.Unclaimed:
    """Writes what nobody claimed."""
    return pb.Unclaimed(
        channel=entry.channel, received_at=timestamp_of(entry.received_at_ms), payload_json=_json(masked(entry.payload))
    )


def issue_to_document(issue: Issue) -> dict[str, str]:
    """Writes an issue as REST shows it."""
    known = {"nodeId": issue.node_id, "edgeId": issue.edge_id, "path": issue.path}
    return {"code": issue.code, "message": issue.message} | {key: value for key, value in known.items() if value}


def node_result_to_proto(result: NodeResult) -> pb.NodeExecutionResult:
    """Writes what a node answered."""
    message = pb.NodeExecutionResult(
        node_id=result.node_id,
        status=_NODE_STATUS[result.status],
        error=_error(result.error),
        duration_ms=result.duration_ms,
        executed_at=timestamp_of(result.executed_at_ms),
        attempt=result.attempt,
        visit=result.visit,
    )
    if result.output is not None:
        message.output_json = _json(masked(result.output))
    if result.settled_by is not None:
        message.settled_by = result.settled_by
    if result.handle is not None:
        message.handle = result.handle
    if result.retry_delay_ms is not None:
        message.retry_delay_ms = result.retry_delay_ms
    return message


def _report(report: Report) -> pb.DeliveryReport:
    return pb.DeliveryReport(
        message_id=report.message_id,
        status=report.status,
        number=report.number,
        failure_reason=report.failure_reason,
        network_code=report.network_code,
        received_at=timestamp_of(report.received_at_ms),
        channel=report.channel,
        amount=report.amount,
    )


def _error(error: NodeError | None) -> workflow_pb2.NodeError | None:
    if error is None:
        return None
    return workflow_pb2.NodeError(
        code=error.code,
        message=error.message,
        type=_ERROR_TYPE[error.type],
        details_json=_json(error.details) if error.details else "",
    )


def _waiting_for(state: ExecutionState) -> pb.WaitingFor | None:
    """A wait for a person says more than a timer that runs beside it."""
    waits = sorted(state.waits.items(), key=lambda item: (item[1].kind is not WaitKind.INPUT, item[1].expires_at_ms))
    if not waits:
        return None
    node_id, wait = waits[0]
    return pb.WaitingFor(node_id=node_id, kind=wait.kind, expires_at=timestamp_of(wait.expires_at_ms))


def _reply(reply: Reply | None) -> pb.Reply | None:
    return None if reply is None else reply_to_proto(reply)


def _duration_ms(state: ExecutionState, now_ms: int) -> int:
    return (state.completed_at_ms or now_ms) - state.started_at_ms


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
