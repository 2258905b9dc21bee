"""Saved and published flows."""

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from njia.workflow.v1 import workflow_pb2
from services.engine.adapters.validator_grpc import ValidatorClient
from services.engine.core.ports import StoreUnavailable
from services.engine.core.program import Program
from services.engine.errors import (
    CallbacksUnprotected,
    InvalidRequest,
    TriggerClaimed,
    WorkflowNotFound,
    WorkflowPublished,
)
from services.engine.flows.programs import Programs, document_of
from services.engine.flows.secrets import FlowSecrets, may_hold_mask
from services.engine.store import keys
from services.engine.store.redis.calls import answer_of
from services.engine.store.scripts import script
from storage.connection import Client
from storage.scripts import Script
from workflow.documents import DocumentError, parse_document

_SAVE = script("save")
_PUBLISH = script("publish")
_UNPUBLISH = script("unpublish")
_DELETE = script("delete")
_READ_FLOW = script("read_flow")

_log = structlog.get_logger()

NEWEST = -1

MAX_SAVE_RACES = 10


@dataclass(frozen=True, slots=True)
class SavedWorkflow:
    """
    One saved version. Times are Unix milliseconds.

    Attributes:
        document: The flow as it was saved, JSON; secrets in it are encrypted.
        program_digest: Names its compiled form.
        published_version: 0 when none is.
        next_run_at_ms: When a clock starts the published version next; None when none does.
    """

    workflow_id: str
    version: int
    name: str
    trigger_type: str
    document: str
    program_digest: str
    saved_at_ms: int
    published_version: int
    published_at_ms: int | None
    latest_version: int
    next_run_at_ms: int | None


class Registry:
    """Keeps flows in Redis. Every method raises StoreUnavailable."""

    def __init__(
        self,
        client: Client,
        programs: Programs,
        validator: ValidatorClient,
        secrets: FlowSecrets,
        callbacks_are_protected: Callable[[], Awaitable[bool]],
        now_ms: Callable[[], int],
    ) -> None:
        """`callbacks_are_protected`: Whether only the provider can post callbacks; raises AdapterUnavailable."""
        self._client = client
        self._programs = programs
        self._validator = validator
        self._secrets = secrets
        self._callbacks_are_protected = callbacks_are_protected
        self._now_ms = now_ms

    async def save(
        self, source: workflow_pb2.WorkflowSource
    ) -> tuple[SavedWorkflow, bool, Sequence[workflow_pb2.Issue]]:
        """
        Saves a flow; returns it, whether that made a new version, and the warnings.

        Raises CompilationFailed, ValidatorUnavailable, InvalidRequest, SecretsNeedKey, SecretsUnreadable.
        """
        if source.WhichOneof("source") is None:
            raise InvalidRequest("source", "no flow was given: send workflow_json or workflow")
        document = await document_of(source, self._validator)
        if may_hold_mask(document):
            document = await self._with_kept_secrets(document)
            source = workflow_pb2.WorkflowSource(workflow_json=document)
        graph, warnings = await self._validator.compile(source)
        digest = self._secrets.digest(_canonical(document))
        sealed = self._secrets.sealed_document(document)
        workflow_id = graph.workflow_id
        for _ in range(MAX_SAVE_RACES):
            kept = await answer_of(self._client.hmget(keys.registered(workflow_id), "latest", "digest"))
            latest = int(kept[0] or 0)
            if kept[1] is not None and kept[1].decode() == digest:
                return await self.get(workflow_id, latest), False, warnings
            graph.workflow_version = latest + 1
            program_digest = f"{digest}.{latest + 1}"
            await self._programs.keep(program_digest, graph)
            record = {
                "name": graph.workflow_name,
                "trigger_type": graph.nodes[graph.trigger].type,
                "document": sealed,
                "program_digest": program_digest,
                "saved_at_ms": self._now_ms(),
            }
            created, version = await self._run(
                _SAVE,
                [keys.REGISTRY_IDS, keys.registered(workflow_id)],
                [workflow_id, digest, orjson.dumps(record), latest],
            )
            if created >= 0:
                # Also where somebody else has saved the same: we have set their graph to expire.
                await self._programs.keep_for_good(f"{digest}.{version}")
                return await self.get(workflow_id, version), created == 1, warnings
        raise StoreUnavailable(f"flow {workflow_id!r} is being saved by many at once")

    async def get(self, workflow_id: str, version: int) -> SavedWorkflow:
        """Reads a version; 0 means the published one, else the newest. Raises WorkflowNotFound."""
        return await self._read(workflow_id, version)

    async def newest(self, workflow_id: str) -> SavedWorkflow:
        """Reads the newest version. Raises WorkflowNotFound."""
        return await self._read(workflow_id, NEWEST)

    async def page(self, limit: int, after: str) -> tuple[Sequence[SavedWorkflow], str]:
        """Lists the newest versions by id; returns a page and the id that the next one begins behind."""
        found = await answer_of(
            self._client.zrangebylex(keys.REGISTRY_IDS, f"({after}" if after else "-", "+", start=0, num=limit + 1)
        )
        names = [name.decode() for name in found]
        flows = []
        for name in names[:limit]:
            with suppress(WorkflowNotFound):
                # Deleted since the names were read.
                flows.append(await self.newest(name))
        return flows, names[limit - 1] if len(names) > limit else ""

    async def publish(self, workflow_id: str, version: int) -> SavedWorkflow:
        """Publishes a version, 0 means the newest. Raises WorkflowNotFound, TriggerClaimed, CallbacksUnprotected."""
        flow = await (self.get(workflow_id, version) if version else self.newest(workflow_id))
        program = await self.program_of(flow)
        trigger = program.trigger
        trusts = program.trigger_type.needs_protected_callbacks(program.trigger_config)
        if trusts and not await self._callbacks_are_protected():
            raise CallbacksUnprotected(workflow_id)
        claimed = program.trigger_type.claim(program.trigger_config) or (program.trigger_type.channel, workflow_id)
        claim = orjson.dumps([*claimed]).decode()
        entry = {
            "workflow_id": workflow_id,
            "claim": claim,
            "version": flow.version,
            "program_digest": flow.program_digest,
            "trigger_type": trigger.node.type,
        }
        now_ms, schedule = self._now_ms(), program.trigger_type.schedule(program.trigger_config)
        next_run = None if schedule is None else schedule.after(now_ms)
        due = flow.next_run_at_ms
        if schedule is None or due is None or due > now_ms or schedule.after(due - 1) != due:
            due = None
        outcome = await self._run(
            _PUBLISH,
            [keys.REGISTRY_PUBLISHED, keys.REGISTRY_VERSION, keys.registered(workflow_id), keys.SCHEDULES],
            [
                workflow_id,
                flow.version,
                claim,
                orjson.dumps(entry),
                now_ms,
                "" if next_run is None else next_run,
                "" if due is None else due,
            ],
        )
        match outcome:
            case [b"claimed", other]:
                raise TriggerClaimed(workflow_id, other.decode())
            case [b"missing"]:
                raise WorkflowNotFound(workflow_id, flow.version)
        return await self.get(workflow_id, flow.version)

    async def unpublish(self, workflow_id: str) -> SavedWorkflow:
        """Takes the published version off its trigger. Raises WorkflowNotFound."""
        outcome = await self._run(
            _UNPUBLISH,
            [keys.REGISTRY_PUBLISHED, keys.REGISTRY_VERSION, keys.registered(workflow_id), keys.SCHEDULES],
            [workflow_id],
        )
        if outcome[0] == b"missing":
            raise WorkflowNotFound(workflow_id, 0)
        return await self.newest(workflow_id)

    async def delete(self, workflow_id: str) -> None:
        """Removes a flow. Raises WorkflowNotFound, WorkflowPublished."""
        outcome = await self._run(_DELETE, [keys.REGISTRY_IDS, keys.registered(workflow_id)], [workflow_id])
        match outcome:
            case [b"missing"]:
                raise WorkflowNotFound(workflow_id, 0)
            case [b"published", version]:
                raise WorkflowPublished(workflow_id, int(version))
            case [b"deleted", records]:
                for record in records:
                    if record.startswith(b"{"):
                        await self._programs.let_go(orjson.loads(record)["program_digest"])

    async def program_of(self, flow: SavedWorkflow) -> Program:
        """Returns the compiled form of a saved flow."""
        program = await self._programs.of_digest(flow.program_digest)
        if program is None:
            document = self._secrets.clear_document(flow.workflow_id, flow.document)
            graph, _ = await self._validator.compile(workflow_pb2.WorkflowSource(workflow_json=document))
            graph.workflow_version = flow.version
            program = await self._programs.keep(flow.program_digest, graph)
            await self._programs.keep_for_good(flow.program_digest)
        return program

    async def _with_kept_secrets(self, document: str) -> str:
        """Returns a flow with the secrets of its newest version in place of the masks in it."""
        try:
            metadata = parse_document(document).get("metadata")
        except DocumentError:
            return document
        workflow_id = metadata.get("workflowId") if isinstance(metadata, dict) else None
        try:
            stored = (await self.newest(workflow_id)).document if isinstance(workflow_id, str) else None
        except WorkflowNotFound:
            stored = None
        return self._secrets.with_kept(document, stored)

    async def _read(self, workflow_id: str, version: int) -> SavedWorkflow:
        found = await self._run(_READ_FLOW, [keys.registered(workflow_id), keys.SCHEDULES], [workflow_id, version])
        if not found:
            raise WorkflowNotFound(workflow_id, 0)
        number, latest, published, published_at, record, next_run = found
        if not record:
            raise WorkflowNotFound(workflow_id, number)
        return SavedWorkflow(
            workflow_id=workflow_id,
            version=number,
            published_version=published,
            published_at_ms=int(published_at) if published_at else None,
            latest_version=latest,
            next_run_at_ms=int(float(next_run)) if next_run else None,
            **orjson.loads(record),
        )

    async def _run(self, script: Script, script_keys: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        return await answer_of(script.run(self._client, script_keys, arguments))


def _canonical(document: str) -> bytes:
    """Equal flows have equal canonical texts, however they were indented. Integers keep all of their digits."""
    flow = parse_document(document)
    try:
        return orjson.dumps(flow, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # orjson refuses integers of more than 64 bits.
        return json.dumps(flow, sort_keys=True).encode()
