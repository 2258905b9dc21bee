"""
Runs the containers for real. `make compose-test`; needs Docker and docker-compose (or docker compose) on this machine.

What must hold: the image builds; a session is dialled to its end and its SMS comes; two engines both get calls; an
engine that is killed under load costs no screen and no execution, and no SMS goes out twice; an adapter that is added
gets calls as well; processes are not root, may not write and are healthy; all of them stop in time with exit code 0;
the adapter serves gRPC clients without any other service; the same set runs with TLS and keys, and who has neither
does not get in; nothing is left behind. Exit codes: 0 it holds, 1 it does not, 2 no Docker.
"""

import asyncio
import itertools
import subprocess
import sys

import grpc
import httpx

from scripts.compose_test import protected
from scripts.compose_test.containers import (
    CALL_SECONDS,
    PORTS,
    Containers,
    docker,
    require_docker,
    require_nothing_left,
    step,
    until,
)
from scripts.compose_test.people import (
    CALLS_EACH,
    all_healthy,
    dial,
    orders,
    phones,
    publish_flows,
    send_directly,
    texts,
)

GATEWAY = f"http://127.0.0.1:{PORTS['GATEWAY_PORT']}"
DIALLER = "+254711000001"
CALLERS, PEOPLE = 6, 2

_ROUNDS = itertools.count()


def calls_taken(containers: Containers, service: str, method: str) -> list[int]:
    """How many calls of a gRPC method each container of a service has answered, by its own metrics."""
    read = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/metrics', timeout=5).read().decode())"
    counts = []
    for each in containers.of(service):
        lines = docker("exec", each, "python3", "-c", read).splitlines()
        found = [line for line in lines if line.startswith("rpc_server_call_duration_seconds_count") and method in line]
        counts.append(sum(int(float(line.rpartition(" ")[2])) for line in found))
    return counts


async def each_gets_calls(
    containers: Containers, rest: httpx.AsyncClient, first: int, service: str, method: str
) -> bool:
    """Whether both containers of a service have had calls; makes some more before it looks."""
    await orders(rest, first + CALLS_EACH * next(_ROUNDS))
    counts = await asyncio.to_thread(calls_taken, containers, service, method)
    print(f"    {method} by container: {counts}")
    return len(counts) == 2 and min(counts) > 0


async def kill_an_engine_under_load(
    containers: Containers, rest: httpx.AsyncClient, emulator: httpx.AsyncClient
) -> None:
    """What was accepted is done, once, and nobody who dials notices."""
    engine = containers.of("engine")[0]
    over = asyncio.Event()

    async def people(phone: str) -> int:
        dialled = 0
        while not over.is_set():
            await dial(emulator, phone)
            dialled += 1
        return dialled

    async def kill() -> None:
        await asyncio.sleep(1)
        await asyncio.to_thread(docker, "kill", engine)

    async def load() -> int:
        answered = await asyncio.gather(*(orders(rest, number * CALLS_EACH) for number in range(CALLERS)))
        over.set()
        return sum(answered)

    dialling = asyncio.gather(*(people(f"+25471300000{number}") for number in range(PEOPLE)))
    _, answered, dialled = await asyncio.gather(kill(), load(), dialling)
    for number in range(CALLERS * CALLS_EACH):
        assert await texts(emulator, f"+2547120{number:05}") == [f"order {number}"], number
    print(
        f"    {CALLERS * CALLS_EACH} executions, {answered} answered by the first call; "
        f"{sum(dialled)} sessions, all to their end"
    )
    await asyncio.to_thread(docker, "start", engine)


async def the_whole_set(containers: Containers) -> None:
    """Two engines, then two adapters; a killed engine; the end in order."""
    step("two engines, one adapter")
    containers.compose("up", "-d", "--scale", "engine=2")
    async with httpx.AsyncClient(base_url=GATEWAY, timeout=CALL_SECONDS, trust_env=False) as rest, phones() as emulator:
        await until("health of all services", lambda: all_healthy(rest))
        await publish_flows(rest)
        step("a dialled session and its SMS")
        await dial(emulator, DIALLER)
        step("both engines get calls")
        await until("calls of both engines", lambda: each_gets_calls(containers, rest, 1000, "engine", "Execute"))
        step("an engine is killed under load")
        await kill_an_engine_under_load(containers, rest, emulator)
        step("an adapter is added and gets calls")
        containers.compose("up", "-d", "--no-recreate", "--scale", "engine=2", "--scale", "at_adapter=2")
        await until("health of the added adapter", containers.are_healthy)
        await until("calls of both adapters", lambda: each_gets_calls(containers, rest, 3000, "at_adapter", "SendSms"))
        step("metrics, and what the processes may do")
        assert "http_server_request_duration_seconds" in (await rest.get("/metrics")).text
    containers.check_what_processes_may()
    await until("health of all containers", containers.are_healthy)
    step("stopped within the grace period")
    containers.stop()
    containers.down()


async def the_adapter_alone() -> None:
    """The adapter serves a gRPC client with nothing but its store."""
    step("the adapter alone")
    alone = Containers(environ={"NJIA_ENGINE_TARGET": ""})
    alone.compose("up", "-d", "emulator", "at_adapter")
    running = alone.compose("ps", "--services", "--filter", "status=running").split()
    assert sorted(running) == ["at_adapter", "emulator", "redis"], running
    async with grpc.aio.insecure_channel(f"127.0.0.1:{alone.port_of_adapter()}") as channel:
        print(f"    message {await until('an SMS by gRPC', lambda: send_directly(channel))}")
    alone.down()


async def main() -> None:
    """Runs all stages; what is left after a failure is taken away as well."""
    require_docker()
    containers = Containers()
    step("build")
    containers.compose("build")
    try:
        await the_whole_set(containers)
        await the_adapter_alone()
        await protected.the_whole_set()
    except BaseException:
        print(containers.compose("logs", "--tail", "15"), file=sys.stderr)
        raise
    finally:
        containers.down()
    require_nothing_left()
    step("all of it works, and nothing is left behind")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except subprocess.CalledProcessError as failed:
        sys.exit(str(failed))
