"""The deadline of a call reaches every call made for it."""

import asyncio
from typing import Any

import grpc
import pytest

from njia.sessions.v1 import sessions_service_pb2 as pb
from rpc.deadlines import call_timeout, no_deadline


def answer(seconds: float) -> pb.GetSessionResponse:
    return pb.GetSessionResponse(session=pb.Session(session_id=repr(seconds)))


async def seconds_of(running: Any, timeout: float | None) -> float:
    return float((await running.get(timeout=timeout)).session.session_id)


async def test_what_is_left_of_the_callers_deadline_bounds_a_call(start: Any) -> None:
    async def behaviour(_request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        return answer(call_timeout(60))

    running = await start(behaviour)

    assert 10 < await seconds_of(running, 30) <= 30.1


async def test_the_default_holds_where_it_is_shorter_or_there_is_no_deadline(start: Any) -> None:
    async def behaviour(_request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        return answer(call_timeout(1.5))

    running = await start(behaviour)

    assert await seconds_of(running, 30) == 1.5
    assert await seconds_of(running, None) == 1.5
    assert call_timeout(1.5) == 1.5


async def test_a_call_after_the_deadline_still_gets_a_positive_timeout(start: Any) -> None:
    seen: list[float] = []

    async def behaviour(_request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0)
            seen.append(call_timeout(60))
        raise AssertionError

    running = await start(behaviour)
    assert (await running.out_of_time()).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(running.servicer.cancelled.wait(), 30)

    assert seen == [pytest.approx(0.001, abs=0.01)]


async def test_work_that_outlives_its_call_is_free_of_the_deadline(start: Any) -> None:
    tails: list[asyncio.Task[float]] = []

    async def tail() -> float:
        await asyncio.sleep(0)
        return call_timeout(60)

    async def behaviour(_request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        with no_deadline():
            tails.append(asyncio.create_task(tail()))
        return answer(call_timeout(60))

    running = await start(behaviour)

    assert await seconds_of(running, 30) <= 30.1
    assert await tails[0] == 60
