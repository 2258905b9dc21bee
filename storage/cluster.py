"""The client of a cluster: the library's, with a bound on what is under way and an eye on nodes that went away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import RedisCluster, SSLConnection
from redis.asyncio.cluster import ClusterNode, ClusterPipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.event import EventDispatcherInterface
from redis.exceptions import (
    ClusterDownError,
    ConnectionError as RedisConnectionError,
    TimeoutError as RedisTimeoutError,
)

from storage.lines import NodeLine, TlsNodeLine

SPARE_CONNECTIONS = 16
"""Connections to each node beside those of commands and pipelines: for the map of slots, and while some are closed."""


class BoundedCluster(RedisCluster):
    """
    A cluster client whose callers wait for a connection, as they do on one server; the library would refuse them.

    Args:
        nodes: Some nodes of the cluster, host and port; one that answers is enough.
        max_connections: Commands under way at once, and as many pipelines.
        wait_seconds: Longest wait for a turn; then RedisConnectionError.
        options: Options of the library's client.
    """

    def __init__(
        self, nodes: list[tuple[str, int]], *, max_connections: int, wait_seconds: float, **options: Any
    ) -> None:
        super().__init__(
            startup_nodes=[ClusterNode(host, port) for host, port in nodes],
            # A pipeline sends single commands of its own after a slot has moved. So that these never wait for the
            # turn that their pipeline holds, the two have turns of their own.
            max_connections=2 * max_connections + SPARE_CONNECTIONS,
            retry=Retry(NoBackoff(), 0),
            # A slot that moved is noted by itself. The library's other way closes all connections at every fifth such
            # slot, those with commands under way too, and nobody knows then whether these were done.
            reinitialize_steps=0,
            **options,
        )
        # The library's client takes no class of connections. Nodes that it finds later are made with these options.
        kind = TlsNodeLine if self.connection_kwargs["connection_class"] is SSLConnection else NodeLine
        self.connection_kwargs["connection_class"] = kind
        for node in self.nodes_manager.startup_nodes.values():
            node.connection_class = kind
        self._command_turns = asyncio.Semaphore(max_connections)
        self.pipeline_turns = asyncio.Semaphore(max_connections)
        self._wait_seconds = wait_seconds

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        async with self.turn(self._command_turns):
            return await super().execute_command(*args, **kwargs)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> ClusterPipeline:
        return _BoundedPipeline(self, transaction)

    @asynccontextmanager
    async def turn(self, turns: asyncio.Semaphore) -> AsyncIterator[None]:
        """Holds a turn, or raises RedisConnectionError when none is free in time."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await turns.acquire()
        except TimeoutError:
            raise RedisConnectionError("no connection available") from None
        try:
            yield
        finally:
            turns.release()

    async def look(self, script: str) -> None:
        """
        Runs a script without keys on the node of every slot. A node that refuses everything because the others are away
        would do that all the same, so each is asked for the state of the cluster first. Raises what the library raises.
        """
        await self.initialize()
        await asyncio.gather(*(self._look_at(node, script) for node in self.get_primaries()))

    async def _look_at(self, node: ClusterNode, script: str) -> None:
        state = (await self.cluster_info(target_nodes=node))["cluster_state"]
        if state != "ok":
            raise ClusterDownError(f"cluster_state is {state}")
        await self.execute_command("EVAL", script, 0, target_nodes=node)

    def look_again(self) -> None:
        """Makes the next command read the map of slots anew."""
        self._initialize = True


class _BoundedPipeline(ClusterPipeline):
    # Declared by a protocol of the library's and set by none of its pipelines.
    _event_dispatcher: EventDispatcherInterface

    def __init__(self, client: BoundedCluster, transaction: bool | None) -> None:
        super().__init__(client, transaction)
        self._bounded = client

    async def execute(self, *args: Any, **kwargs: Any) -> list[Any]:
        lost = (RedisConnectionError, RedisTimeoutError)
        try:
            async with self._bounded.turn(self._bounded.pipeline_turns):
                answers: list[Any] = await super().execute(*args, **kwargs)
        except lost:
            # The library does this for single commands alone: a client that sends nothing but pipelines would never
            # hear of the node that took over.
            self._bounded.look_again()
            raise
        if any(isinstance(answer, lost) for answer in answers):
            self._bounded.look_again()
        return answers
