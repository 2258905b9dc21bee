"""
Several commands at once: the one way in which they are issued, on one server as on a cluster.

On one server a batch is one round trip, and its commands run as they are listed. On a cluster they go to several nodes
at the same time, so what must come after something else is a stage of its own. Nothing here is a transaction: when the
connection breaks, some of the commands may have been done.
"""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.client import Pipeline
from redis.asyncio.cluster import ClusterPipeline
from redis.exceptions import NoScriptError

from storage.connection import Client
from storage.scripts import Argument, ScriptCall

Call = ScriptCall | tuple[Argument, ...]
"""A script, or a command as its words: ("SET", key, value)."""


async def answers_of(pipeline: Pipeline | ClusterPipeline) -> list[Any]:
    """
    Runs a pipeline whose commands need no order among different keys; raises the first error as the server told it.

    The library would add the command to the error, and with it what must not stand in a log.
    """
    found = await pipeline.execute(raise_on_error=False)
    for answer in found:
        if isinstance(answer, Exception):
            raise answer
    return list(found)


async def run_in_stages(client: Client, *stages: Sequence[Call]) -> list[list[Any]]:
    """
    Runs the calls of each stage in any order (those on one key as they are listed), once the stage before it is done.

    One round trip on one server, one a stage on a cluster. Each call has keys of one hash tag; those of different calls
    may differ. A stage that fails on a cluster keeps the later ones from running; on one server they may have run.

    Returns:
        The answers of each stage.
    """
    if isinstance(client, RedisCluster):
        return [await _run(client, stage) for stage in stages]
    answers = iter(await _run(client, [call for stage in stages for call in stage]))
    return [[next(answers) for _ in stage] for stage in stages]


async def run_in_order(client: Client, calls: Sequence[Call]) -> list[Any]:
    """Runs calls one after the other: in one round trip on one server, one each on a cluster."""
    return [answer for [answer] in await run_in_stages(client, *([call] for call in calls))]


async def _run(client: Client, calls: Sequence[Call]) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for call in calls:
        pipeline.execute_command(*(call.script.by_hash(call) if isinstance(call, ScriptCall) else call))
    answers: list[Any] = list(await pipeline.execute(raise_on_error=False))
    for index, call in enumerate(calls):
        if isinstance(answers[index], NoScriptError) and isinstance(call, ScriptCall):
            # Only where a server is new or was restarted. The order is then not kept with calls that it knew already.
            answers[index] = await call.script.run(client, call.keys, call.arguments)
        elif isinstance(answers[index], Exception):
            raise answers[index]
    return answers
