"""
Compiled flows, ready to run.

A flow is named by the digest of what was handed in. Its graph is kept in Redis before an execution of it is
acknowledged, so that any engine can take the execution over, also while the validator is away.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from weakref import WeakValueDictionary

import orjson

from njia.workflow.v1 import workflow_pb2
from rpc.documents import to_document
from services.engine.adapters.validator_grpc import ValidatorClient
from services.engine.core.program import Program, load
from services.engine.errors import InvalidRequest
from services.engine.flows.graph_messages import graph_from_proto
from services.engine.flows.secrets import FlowSecrets, may_hold_mask
from services.engine.store import keys
from services.engine.store.lifetimes import Retention
from services.engine.store.redis.calls import answer_of
from storage.batches import run_in_stages
from storage.connection import Client

MAX_PROGRAMS = 1000
"""Flows that are kept ready in memory; the oldest goes first."""


async def document_of(source: workflow_pb2.WorkflowSource, validator: ValidatorClient) -> str:
    """Returns a flow that came with a call as JSON. Raises as `ValidatorClient.compile` where it cannot be written."""
    if source.WhichOneof("source") == "workflow_json":
        return source.workflow_json
    try:
        return orjson.dumps(to_document(source.workflow)).decode()
    except ValueError:
        # A config that is no JSON; the validator says which.
        await validator.compile(source)
        raise


class Programs:
    """
    Finds programs by digest: in memory, else in Redis, where secrets are encrypted, else by compiling.

    Attributes:
        lookups: How often one was asked for, by where it was found: memory or store.
    """

    def __init__(
        self,
        client: Client,
        validator: ValidatorClient,
        secrets: FlowSecrets,
        retention: Retention,
        now: Callable[[], float],
    ) -> None:
        self._client = client
        self._validator = validator
        self._secrets = secrets
        self._life_ms = retention.shared_ms
        self._keep_again_seconds = retention.prolonged_every_ms / 1000
        self._now = now
        self._ready: OrderedDict[str, Program] = OrderedDict()
        self._kept_at: dict[str, float] = {}
        # One compiles a flow, the others wait for it; a slow flow keeps no other waiting.
        self._compiling: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.lookups = {"memory": 0, "store": 0}

    @property
    def count(self) -> int:
        """How many are kept in memory."""
        return len(self._ready)

    async def of_source(self, source: workflow_pb2.WorkflowSource) -> Program:
        """
        Returns the program of a flow that came with a call.

        Raises CompilationFailed, ValidatorUnavailable, InvalidRequest, SecretsNeedKey, StoreUnavailable.
        """
        if source.WhichOneof("source") is None:
            raise InvalidRequest("workflow", "no flow was given: send workflow_json or workflow")
        # Equal flows of one form have equal names.
        digest = self._secrets.digest(source.SerializeToString(deterministic=True))
        kept_at = self._kept_at.get(digest)
        if kept_at is not None and self._now() - kept_at < self._keep_again_seconds:
            self.lookups["memory"] += 1
            return self._ready[digest]
        self.lookups["store"] += 1
        compiling = self._compiling.get(digest) or self._compiling.setdefault(digest, asyncio.Lock())
        async with compiling:
            data = await self._prolonged(digest)
            if data is None:
                document = await document_of(source, self._validator)
                if may_hold_mask(document):
                    self._secrets.with_kept(document, None)
                graph, _ = await self._validator.compile(source)
                data = self._secrets.sealed_graph(graph).SerializeToString()
                await answer_of(self._client.set(keys.graph(digest), data, px=self._life_ms, nx=True))
            program = self._ready.get(digest) or self._loaded(digest, data)
            self._kept_at[digest] = self._now()
            return program

    async def of_digest(self, digest: str) -> Program | None:
        """
        Returns the program of a flow that was compiled before, None when it is no longer kept.

        Raises SecretsUnreadable, StoreUnavailable.
        """
        program = self._ready.get(digest)
        self.lookups["memory" if program is not None else "store"] += 1
        if program is None:
            data = await answer_of(self._client.get(keys.graph(digest)))
            program = None if data is None else self._loaded(digest, data)
        return program

    async def keep(self, digest: str, graph: workflow_pb2.ExecutionGraph) -> Program:
        """
        Keeps the graph of a flow that is being saved; it expires unless `keep_for_good` follows.

        Raises SecretsNeedKey, StoreUnavailable.
        """
        data = self._secrets.sealed_graph(graph).SerializeToString()
        await answer_of(self._client.set(keys.graph(digest), data, px=self._life_ms))
        return self._ready.get(digest) or self._loaded(digest, data)

    async def keep_for_good(self, digest: str) -> None:
        """Keeps the graph of a saved flow until `let_go`."""
        await answer_of(self._client.persist(keys.graph(digest)))

    async def let_go(self, digest: str) -> None:
        """Lets the graph of a deleted flow expire once no execution can need it any more."""
        await answer_of(self._client.pexpire(keys.graph(digest), self._life_ms))

    async def _prolonged(self, digest: str) -> bytes | None:
        """Reads a graph and makes it live on; one that is kept for good stays so (GT knows no longer life)."""
        key = keys.graph(digest)
        [[_, data]] = await answer_of(
            run_in_stages(self._client, [("PEXPIRE", key, self._life_ms, "GT"), ("GET", key)])
        )
        return data if isinstance(data, bytes) else None

    def _loaded(self, digest: str, data: bytes) -> Program:
        graph = self._secrets.clear_graph(workflow_pb2.ExecutionGraph.FromString(data))
        program = load(graph_from_proto(graph), digest)
        self._ready[digest] = program
        while len(self._ready) > MAX_PROGRAMS:
            oldest, _ = self._ready.popitem(last=False)
            self._kept_at.pop(oldest, None)
        return program
