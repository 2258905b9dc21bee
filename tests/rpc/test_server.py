"""Health, reflection, ports and the orderly end of a server."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from njia.sessions.v1 import sessions_service_pb2 as pb
from rpc import readiness, server
from rpc.listening import ListenFailed
from rpc.status import refusal_of

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SESSIONS = "njia.sessions.v1.SessionService"


async def health(running: Any, service: str = "") -> int:
    stub: Any = health_pb2_grpc.HealthStub(running.channel)
    return int((await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)).status)


async def until_health_is(running: Any, status: int) -> None:
    async with asyncio.timeout(30):
        while await health(running) != status:
            await asyncio.sleep(0.02)


async def test_health_follows_what_the_service_says(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "ASK_EVERY_SECONDS", 0.02)
    state = {"ready": True}

    async def ready() -> bool:
        return state["ready"]

    running = await start(ready=ready)
    assert await health(running) == SERVING
    assert await health(running, SESSIONS) == SERVING

    state["ready"] = False
    await until_health_is(running, NOT_SERVING)
    assert await health(running, SESSIONS) == NOT_SERVING

    state["ready"] = True
    await until_health_is(running, SERVING)


async def test_a_service_that_fails_to_say_it_is_ready_is_not(start: Any) -> None:
    async def ready() -> bool:
        raise ConnectionError("no Redis")

    running = await start(ready=ready)

    assert await health(running) == NOT_SERVING


async def test_a_service_that_takes_too_long_to_say_it_is_ready_is_not(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "ANSWER_WITHIN_SECONDS", 0.02)

    async def ready() -> bool:
        await asyncio.sleep(30)
        return True

    running = await start(ready=ready)

    assert await health(running) == NOT_SERVING


async def test_health_of_an_unknown_service_is_not_found(start: Any) -> None:
    running = await start()

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health(running, "njia.Nothing")

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_watcher_of_health_hears_of_a_change(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "ASK_EVERY_SECONDS", 0.02)
    state = {"ready": True}

    async def ready() -> bool:
        return state["ready"]

    running = await start(ready=ready)
    stub: Any = health_pb2_grpc.HealthStub(running.channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=SESSIONS), timeout=30)

    assert (await watch.read()).status == SERVING
    state["ready"] = False
    assert (await watch.read()).status == NOT_SERVING
    watch.cancel()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_the_services_and_describes_them(start: Any, version: str) -> None:
    running = await start()
    ask: Any = running.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SESSIONS),
    ]

    names, files = [answer async for answer in ask(iter(questions), timeout=30)]

    assert {service.name for service in names.list_services_response.service} == {
        SESSIONS,
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert b"GetSession" in files.file_descriptor_response.file_descriptor_proto[0]


async def test_a_port_in_use_is_named(start: Any) -> None:
    running = await start()
    listen = f"127.0.0.1:{running.server.port}"

    with pytest.raises(ListenFailed, match=listen):
        await start(listen=listen)


async def test_a_stop_lets_running_calls_finish_and_takes_no_new_ones(start: Any) -> None:
    entered, finish = asyncio.Event(), asyncio.Event()

    async def slow(request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        entered.set()
        await finish.wait()
        return pb.GetSessionResponse(session=pb.Session(session_id=request.session_id))

    running = await start(slow)
    call = asyncio.create_task(running.get("finished"))
    await entered.wait()
    stopping = asyncio.create_task(running.server.stop(30))
    async with asyncio.timeout(30):
        while (code := await code_of_another_call(running)) is grpc.StatusCode.DEADLINE_EXCEEDED:
            pass
    finish.set()

    assert code is grpc.StatusCode.UNAVAILABLE
    assert (await call).session.session_id == "finished"
    await asyncio.wait_for(stopping, 30)


async def code_of_another_call(running: Any) -> grpc.StatusCode:
    """What a call is told; one that came before the stop is served, and runs out of time."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.get("new", timeout=1)
    return caught.value.code()


async def test_a_call_that_outlasts_the_grace_time_is_cancelled(start: Any) -> None:
    entered = asyncio.Event()

    async def endless(_request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        entered.set()
        await asyncio.sleep(60)
        raise AssertionError

    running = await start(endless)
    call = asyncio.create_task(running.get(timeout=30))
    await asyncio.wait_for(entered.wait(), 30)
    await asyncio.wait_for(running.server.stop(0.1), 30)

    with pytest.raises(grpc.aio.AioRpcError):
        await call


async def test_a_message_over_the_limit_is_refused(start: Any) -> None:
    running = await start()

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.get("x" * (4 * 1024 * 1024 + 1))

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_call_beyond_the_bound_is_told_to_come_back_and_health_still_answers(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_CONCURRENT_CALLS", 2)
    monkeypatch.setattr(server, "CALLS_HEADROOM", 3)
    go_on = asyncio.Event()
    entered = []

    async def held(request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        entered.append(request.session_id)
        await go_on.wait()
        return pb.GetSessionResponse(session=pb.Session(session_id=request.session_id))

    running = await start(held)
    calls = [asyncio.ensure_future(running.get(name)) for name in ("a", "b")]
    async with asyncio.timeout(30):
        while len(entered) < 2:
            await asyncio.sleep(0.01)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.get("c")
    healthy = await health(running)
    go_on.set()
    await asyncio.gather(*calls)

    refusal = refusal_of(caught.value)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER_BUSY")
    assert refusal.retry_after_ms == 1000
    assert healthy == SERVING
    assert sorted(entered) == ["a", "b"]
    assert (await running.get("d")).session.session_id == "d"
