"""Which published flow what comes in is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from services.engine.core.ports import StoreUnavailable
from services.engine.core.program import Program
from services.engine.errors import ValidatorUnavailable, WorkflowNotFound
from services.engine.flows.registry import Registry
from services.engine.store import keys
from services.engine.store.redis.calls import answer_of
from storage.connection import Client

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Route:
    """A published flow that listens."""

    workflow_id: str
    program: Program

    @property
    def names_flow(self) -> bool:
        """Whether what comes in by it asks for this flow by name."""
        return self.program.trigger_type.names_flow(self.program.trigger_config)


class Routes:
    """
    Finds published flows by what they listen to. Every method raises StoreUnavailable, ValidatorUnavailable.

    The flows are held in memory; their version number is looked at first, so that what was published elsewhere counts
    from the moment that the publishing call returned.
    """

    def __init__(self, client: Client, registry: Registry) -> None:
        self._client = client
        self._registry = registry
        self._routes: Mapping[str, Sequence[Route]] = {}
        self._version: bytes | None = b"unread"

    async def find(self, channel: str, payload: Mapping[str, Any]) -> Route | None:
        """Returns the published flow whose trigger fits a payload most narrowly; one round trip."""
        await self._refresh()
        best: Route | None = None
        best_narrowness = -1
        for route in self._routes.get(channel, ()):
            narrowness = route.program.trigger_type.specificity(route.program.trigger_config, payload)
            if narrowness is not None and narrowness > best_narrowness:
                best, best_narrowness = route, narrowness
        return best

    async def listening(self, channel: str, workflow_id: str) -> Route | None:
        """Returns a flow if its published version listens to a channel; one round trip."""
        await self._refresh()
        return next((route for route in self._routes.get(channel, ()) if route.workflow_id == workflow_id), None)

    async def _refresh(self) -> None:
        version = await answer_of(self._client.get(keys.REGISTRY_VERSION))
        if version == self._version:
            return
        published = await answer_of(self._client.hgetall(keys.REGISTRY_PUBLISHED))
        routes: dict[str, list[Route]] = {}
        # Sorted by id, so that of two flows that fit equally well it is always the same one that answers.
        for workflow_id in sorted(published):
            entry = orjson.loads(published[workflow_id])
            try:
                flow = await self._registry.get(entry["workflow_id"], entry["version"])
                program = await self._registry.program_of(flow)
            except WorkflowNotFound:
                # Taken off and deleted since `published` was read.
                continue
            except (StoreUnavailable, ValidatorUnavailable):
                raise
            except Exception as problem:  # noqa: BLE001 - one flow must not keep the others from answering
                # A secret whose key is gone, or a node type that only newer engines know. What comes in for this flow
                # is listed as unclaimed.
                why = str(problem) or type(problem).__name__
                _log.error("a published flow cannot be run", workflow_id=workflow_id.decode(), why=why)
                continue
            routes.setdefault(program.trigger_type.channel, []).append(Route(flow.workflow_id, program))
        self._routes, self._version = routes, version
