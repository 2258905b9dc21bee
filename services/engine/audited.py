"""Calls that are noted in the audit log."""

from typing import Any

from storage.audit import Audited
from telemetry.masking import mask_msisdn

_WORKFLOWS, _ENGINE, _ADMIN = (
    f"/njia.engine.v1.{name}" for name in ("WorkflowService", "EngineService", "AdminService")
)


def _version(_: Any, answer: Any) -> str:
    return f"{answer.workflow.workflow_id} version {answer.workflow.version}"


def _new_version(request: Any, answer: Any) -> str | None:
    return _version(request, answer) if answer.created else None


AUDITED = {
    f"{_WORKFLOWS}/SaveWorkflow": Audited("workflow.save", _new_version),
    f"{_WORKFLOWS}/PublishWorkflow": Audited("workflow.publish", _version),
    f"{_WORKFLOWS}/UnpublishWorkflow": Audited("workflow.unpublish", lambda request, _: request.workflow_id),
    f"{_WORKFLOWS}/DeleteWorkflow": Audited("workflow.delete", lambda request, _: request.workflow_id),
    f"{_ENGINE}/CancelExecution": Audited("execution.cancel", lambda request, _: request.execution_id),
    f"{_ADMIN}/EraseSubject": Audited("subject.erase", lambda request, _: mask_msisdn(request.msisdn)),
}
