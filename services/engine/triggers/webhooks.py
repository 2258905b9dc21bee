"""HTTP requests that start published flows."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from services.engine import ids
from services.engine.core.timestamps import timestamp
from services.engine.errors import IdempotencyKeyReused, InvalidRequest
from services.engine.executions.executions import Executions
from services.engine.flows.routes import Routes
from services.engine.store.execution_store import LONGEST_IDEMPOTENCY_KEY, ExecutionStore, Stored
from services.engine.store.typed_text import TypedText
from workflow.outcome import WaitKind
from workflow.web.incoming import IncomingRequest, NobodyListens, TooLarge

CHANNEL = "webhook"
KEY = "idempotency-key"


@dataclass(frozen=True, slots=True)
class Taken:
    """
    A request that was taken.

    Attributes:
        stored: The execution where it came to rest in the time that the caller waits; None otherwise.
    """

    execution_id: str
    stored: Stored | None


class Webhooks:
    """
    Takes requests for flows.

    Args:
        store: Knows the keys of requests that came before.
        routes: Know who listens.
        executions: Starts flows.
        typed: Records what may be secret.
        now_ms: Unix time.
        max_payload_bytes: Largest payload as JSON: it is the output of the trigger, and more of that is not kept.
    """

    def __init__(
        self,
        store: ExecutionStore,
        routes: Routes,
        executions: Executions,
        typed: TypedText,
        now_ms: Callable[[], int],
        max_payload_bytes: int,
    ) -> None:
        self._store = store
        self._routes = routes
        self._executions = executions
        self._typed = typed
        self._now_ms = now_ms
        self._max_payload_bytes = max_payload_bytes

    async def take(self, workflow_id: str, request: IncomingRequest, *, waits: bool) -> Taken:
        """
        Records a request and starts the flow that listens at its address.

        Raises:
            IncomingRefused: Nothing was started; see workflow.web.incoming.
            InvalidRequest, IdempotencyKeyReused: The Idempotency-Key cannot be used.
            EngineBusy, FlowBusy, StoreUnavailable: Nothing was started; the request may be repeated.
        """
        route = await self._routes.listening(CHANNEL, workflow_id)
        if route is None:
            raise NobodyListens
        program = route.program
        trigger, config = program.trigger_type, program.trigger_config
        payload = trigger.admit(config, request, timestamp(self._now_ms()))
        size = len(orjson.dumps(payload))
        if size > self._max_payload_bytes:
            raise TooLarge(size, self._max_payload_bytes)
        execution_id = await self._named(workflow_id, request)
        recorded = self._typed.recorded(payload) if program.is_sensitive else payload
        await self._executions.start(program, recorded, execution_id)
        if not waits:
            return Taken(execution_id, None)
        stored = await self._executions.at_rest(execution_id, trigger.answers_within_ms(config))
        asks = any(wait.kind is WaitKind.INPUT for wait in stored.state.waits.values())
        return Taken(execution_id, stored if stored.state.ended or asks else None)

    async def _named(self, workflow_id: str, request: IncomingRequest) -> str:
        """The id of the execution that a request starts: the same one where it comes again under its key."""
        execution_id = ids.new_execution_id(ids.any_partition())
        key = request.headers.get(KEY)
        if not key:
            return execution_id
        if len(key) > LONGEST_IDEMPOTENCY_KEY:
            raise InvalidRequest(KEY, f"must have at most {LONGEST_IDEMPOTENCY_KEY} characters")
        asked = b"\0".join((request.method.encode(), request.path.encode(), request.query.encode(), request.body))
        digest = blake2b(asked, digest_size=16).hexdigest()
        found, execution_id = await self._store.claim_key(f"webhook:{workflow_id}:{key}", digest, execution_id)
        if found != digest:
            raise IdempotencyKeyReused(key)
        return execution_id
