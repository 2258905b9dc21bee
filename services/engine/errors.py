"""What the engine refuses, with the facts that a caller needs."""

from collections.abc import Sequence

from workflow.issues import Issue


class EngineError(Exception):
    """What all refusals of the engine share: the text says what is wrong and what to do."""


class InvalidRequest(EngineError):
    """A field of the call cannot be used as it is."""

    def __init__(self, field: str, message: str, reason: str = "INVALID_REQUEST") -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason


class CompilationFailed(EngineError):
    """The flow is not valid."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        count = len(issues)
        super().__init__(f"the flow has {count} {'error' if count == 1 else 'errors'}")
        self.issues = tuple(issues)


class SecretsNeedKey(EngineError):
    """A flow holds a secret, and no key is configured to encrypt it with."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} is a secret, and secrets are stored encrypted only: set NJIA_ENCRYPTION_KEY on every engine"
        )


class SecretsUnreadable(EngineError):
    """The key that the secrets of a stored flow take is not configured."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(
            f"the secrets of flow {workflow_id!r} cannot be read: NJIA_ENCRYPTION_KEY of this engine is not set, or "
            "none of its keys is the one that they were stored with; set it, put that key back behind the new one, or "
            "save the flow with its secrets"
        )
        self.workflow_id = workflow_id


class ValidatorUnavailable(EngineError):
    """The validator does not answer and the flow is not known here."""


class WorkflowNotFound(EngineError):
    """The registry has no such flow or version."""

    def __init__(self, workflow_id: str, version: int) -> None:
        super().__init__(
            f"no flow {workflow_id!r}" if version == 0 else f"flow {workflow_id!r} has no version {version}"
        )
        self.workflow_id = workflow_id
        self.version = version


class WorkflowPublished(EngineError):
    """A published flow cannot be deleted."""

    def __init__(self, workflow_id: str, version: int) -> None:
        super().__init__(f"version {version} of flow {workflow_id!r} is published: unpublish it first")
        self.workflow_id = workflow_id


class TriggerClaimed(EngineError):
    """Another published flow claims the same trigger."""

    def __init__(self, workflow_id: str, other_workflow_id: str) -> None:
        super().__init__(
            f"flow {workflow_id!r} claims the same trigger as the published flow {other_workflow_id!r}: "
            "change one trigger's filters, or unpublish the other"
        )
        self.workflow_id = workflow_id
        self.other_workflow_id = other_workflow_id


class CallbacksUnprotected(EngineError):
    """Anybody could post what starts the flow."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(
            f"flow {workflow_id!r} trusts its trigger, and anybody who finds the callback addresses could post it: "
            "set NJIA_AT_CALLBACK_TOKEN of the AT adapter, or validateSignature: false of the trigger"
        )
        self.workflow_id = workflow_id


class AdapterUnavailable(EngineError):
    """The AT adapter does not answer."""

    def __init__(self) -> None:
        super().__init__("the AT adapter does not say whether its callbacks are protected; try again")


class ExecutionNotFound(EngineError):
    """No such execution, or its retention is over."""

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"no execution {execution_id!r}, or it is no longer kept")
        self.execution_id = execution_id


class ExecutionEnded(EngineError):
    """The execution has ended."""

    def __init__(self, execution_id: str, status: str) -> None:
        super().__init__(f"execution {execution_id!r} has ended: it is {status}")
        self.execution_id = execution_id
        self.status = status


class ExecutionRunning(EngineError):
    """Another engine runs the execution at this moment."""

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"another engine runs execution {execution_id!r} at this moment; try again")
        self.execution_id = execution_id


class TooManyWatchers(EngineError):
    """The engine serves as many streams as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} executions are watched by this engine already; try again, or read the log")


class EngineStopping(EngineError):
    """The engine stops; `then` says how the caller goes on with another one."""

    def __init__(self, then: str) -> None:
        super().__init__(f"the engine stops; {then}")


class ReplayDisabled(EngineError):
    """The flow does not want to be run again."""

    def __init__(self, execution_id: str, workflow_id: str) -> None:
        super().__init__(f"flow {workflow_id!r} has settings.enableReplay: false")
        self.execution_id = execution_id


class SessionNotFound(EngineError):
    """No such session, or it expired."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"no session {session_id!r}, or it has expired")
        self.session_id = session_id


class SessionEnded(EngineError):
    """The session has ended."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"session {session_id!r} has ended")
        self.session_id = session_id


class SessionBusy(EngineError):
    """Another execution is live on the session, or a turn of it is under way."""

    def __init__(self, session_id: str, execution_id: str, workflow_id: str) -> None:
        super().__init__(
            f"session {session_id!r} is held by execution {execution_id!r} of flow {workflow_id!r}: "
            "wait for it, cancel it, or use another session"
        )
        self.session_id = session_id
        self.execution_id = execution_id


class IdempotencyKeyReused(EngineError):
    """The idempotency key belongs to another request."""

    def __init__(self, key: str) -> None:
        super().__init__(f"idempotency key {key[:64]!r} was used with another request: use a new key")


class EngineBusy(EngineError):
    """The engine runs as many executions as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the engine runs {limit} executions already; try again in a second")


class FlowBusy(EngineError):
    """As many executions of the flow have begun and not ended as its settings allow."""

    def __init__(self, workflow_id: str, limit: int) -> None:
        super().__init__(
            f"flow {workflow_id!r} has {limit} executions that have not ended, as many as its maxConcurrentExecutions "
            "allows: wait until one ends, cancel one, or raise the limit"
        )
        self.workflow_id = workflow_id
        self.limit = limit


class FlowStartsTooOften(FlowBusy):
    """As many executions of the flow have begun in this window as its settings allow."""

    def __init__(self, workflow_id: str, limit: int, retry_after_ms: int) -> None:
        EngineError.__init__(
            self,
            f"flow {workflow_id!r} was started {limit} times in this window, as often as its rateLimit allows: try "
            f"again in {retry_after_ms} ms",
        )
        self.workflow_id = workflow_id
        self.limit = limit
        self.retry_after_ms = retry_after_ms
