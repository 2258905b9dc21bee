"""Calls wait for a service that restarts, and leave one that is about to end."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.trace import NoOpTracerProvider

from launcher.valkey import free_port
from njia.sessions.v1 import sessions_service_pb2 as pb
from njia.sessions.v1.sessions_service_pb2_grpc import (
    SessionServiceServicer,
    SessionServiceStub,
    add_SessionServiceServicer_to_server,
)
from rpc import patient_channel
from rpc.channels import open_channel
from rpc.patient_channel import PatientChannel
from rpc.server import GrpcServer, start_server

SERVICE = "njia.sessions.v1.SessionService"


class Named(SessionServiceServicer):
    """Answers with its name, in a moment."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def GetSession(self, request: pb.GetSessionRequest, context: object) -> pb.GetSessionResponse:
        await asyncio.sleep(0.01)
        return pb.GetSessionResponse(session=pb.Session(session_id=self.name))


async def started(port: int, name: str) -> GrpcServer:
    async def ready() -> bool:
        return True

    return await start_server(
        listen=f"127.0.0.1:{port}",
        register=lambda server: add_SessionServiceServicer_to_server(Named(name), server),
        services=(SERVICE,),
        errors={},
        tracer_provider=NoOpTracerProvider(),
        ready=ready,
    )


async def asked(channel: grpc.aio.Channel, seconds: float = 30.0) -> str:
    answer = await SessionServiceStub(channel).GetSession(pb.GetSessionRequest(session_id="x"), timeout=seconds)
    return str(answer.session.session_id)


async def test_a_call_waits_for_a_service_that_is_about_to_come() -> None:
    port = free_port()
    async with open_channel(f"127.0.0.1:{port}", NoOpTracerProvider()) as channel:
        calls = [asyncio.create_task(asked(channel)) for _ in range(5)]
        await asyncio.sleep(0.5)
        assert not any(call.done() for call in calls)
        server = await started(port, "late")
        assert await asyncio.gather(*calls) == ["late"] * 5
        await server.stop(1)


async def test_a_call_of_a_service_that_stays_away_is_told_so_in_time_and_a_question_for_health_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_channel(f"127.0.0.1:{free_port()}", NoOpTracerProvider()) as channel:
        # It waits for a connection no longer than its deadline leaves time to say that there is none.
        monkeypatch.setattr(patient_channel, "CONNECT_WITHIN_SECONDS", 60.0)
        monkeypatch.setattr(patient_channel, "REFUSE_SECONDS", 29.5)
        with pytest.raises(grpc.aio.AioRpcError) as short:
            async with asyncio.timeout(25):
                await asked(channel)
        assert short.value.code() is grpc.StatusCode.UNAVAILABLE
        monkeypatch.setattr(patient_channel, "CONNECT_WITHIN_SECONDS", 0.5)
        monkeypatch.setattr(patient_channel, "REFUSE_SECONDS", 0.0)
        with pytest.raises(grpc.aio.AioRpcError) as whole:
            await asked(channel)
        assert whole.value.code() is grpc.StatusCode.UNAVAILABLE
        with pytest.raises(grpc.aio.AioRpcError) as health:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)  # type: ignore[attr-defined]
        assert health.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_calls_that_wait_share_one_look_at_the_connection() -> None:
    plain = grpc.aio.insecure_channel(f"127.0.0.1:{free_port()}")
    looks = 0
    look = plain.channel_ready

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await look()

    plain.channel_ready = counted  # type: ignore[method-assign]
    async with PatientChannel(plain) as channel:
        await asyncio.gather(*(channel.connect(0.05) for _ in range(20)))
        assert looks == 1


async def test_no_call_fails_while_replicas_stop_and_start_again_one_after_the_other() -> None:
    ports = [free_port(), free_port()]
    servers = [await started(port, str(port)) for port in ports]
    seen: set[str] = set()
    looks = 0
    over = asyncio.Event()

    async with open_channel(f"ipv4:///127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}", NoOpTracerProvider()) as channel:

        async def load() -> None:
            while not over.is_set():
                began_in = looks
                name = await asked(channel)
                # An answer may still be on its way to us when its server has ended.
                if began_in == looks:
                    seen.add(name)

        async def heard_from(count: int) -> None:
            while len(seen) < count:
                await asyncio.sleep(0.01)

        callers = [asyncio.create_task(load()) for _ in range(10)]
        for _ in range(2):
            for number, port in enumerate(ports):
                await heard_from(2)
                await servers[number].stop(30)
                seen.clear()
                looks += 1
                await heard_from(1)
                assert seen == {str(ports[1 - number])}
                servers[number] = await started(port, str(port))
        over.set()
        await asyncio.gather(*callers)
    for server in servers:
        await server.stop(1)


async def test_no_call_fails_while_the_only_replica_restarts() -> None:
    port = free_port()
    server = await started(port, "first")
    seen: list[str] = []
    async with open_channel(f"127.0.0.1:{port}", NoOpTracerProvider()) as channel:

        async def load() -> None:
            while not seen or seen[-1] != "second":
                seen.append(await asked(channel))

        callers = [asyncio.create_task(load()) for _ in range(10)]
        while not seen:
            await asyncio.sleep(0.01)
        await server.stop(30)
        server = await started(port, "second")
        await asyncio.gather(*callers)
    await server.stop(1)
    assert set(seen) == {"first", "second"}
