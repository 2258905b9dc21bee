"""The service over a real connection: what callers see, and what each call costs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckResponse

from launcher import valkey
from njia.sessions.v1 import sessions_service_pb2 as pb
from rpc.status import refusal_of

if TYPE_CHECKING:
    from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceAsyncStub

MSISDN = "+254711000001"


def opening(**values: Any) -> pb.OpenSessionRequest:
    return pb.OpenSessionRequest(**{"session_id": "s", "type": pb.SESSION_TYPE_USSD, "msisdn": MSISDN, **values})


async def test_a_conversation(sessions: "SessionServiceAsyncStub") -> None:
    """A USSD session from the first screen to the end, with data that outlives it."""
    opened = await sessions.OpenSession(opening(data_json='{"language":"sw"}', scoped_workflow_id="flow"))
    assert (opened.created, opened.scoped.workflow_json, opened.scoped.global_json) == (True, "{}", "{}")

    turn = pb.CommitSessionRequest(
        session_id="s",
        commit_id="e1:1",
        expected_version=opened.session.version,
        changes=[pb.DataChange(set_json='{"name":"Amina","points":12345678901234567890}')],
        ttl_seconds=120,
        workflow_id="flow",
        workflow_changes=[pb.DataChange(set_json='{"visits":1}')],
        global_changes=[pb.DataChange(set_if_absent_json='{"language":"sw"}', ttl_seconds=3600)],
    )
    committed = await sessions.CommitSession(turn)
    again = await sessions.CommitSession(turn)

    assert (committed.repeated_commit, again.repeated_commit) == (False, True)
    assert committed.session == again.session
    assert committed.session.data_json == '{"language":"sw","name":"Amina","points":12345678901234567890}'
    ends_at = committed.session.expires_at.ToMilliseconds()
    assert ends_at - committed.session.last_activity_at.ToMilliseconds() == 120_000

    read = await sessions.GetSession(pb.GetSessionRequest(session_id="s", scoped_workflow_id="flow"))
    assert read.session == committed.session
    assert (read.scoped.workflow_json, read.scoped.global_json) == ('{"visits":1}', '{"language":"sw"}')
    found = await sessions.FindSession(pb.FindSessionRequest(msisdn=MSISDN, type=pb.SESSION_TYPE_USSD))
    assert found.session == read.session

    ended = await sessions.EndSession(pb.EndSessionRequest(session_id="s"))
    listed = await sessions.ListSessions(pb.ListSessionsRequest(active=False))
    assert (ended.session.is_active, ended.session.version) == (False, 3)
    assert (list(listed.sessions), listed.next_page_token) == ([ended.session], "")


async def test_defaults(sessions: "SessionServiceAsyncStub") -> None:
    """No id: a new one; no life: that of the configuration; no data: none; no flow or number: no scoped data."""
    first = await sessions.OpenSession(pb.OpenSessionRequest(type=pb.SESSION_TYPE_OTHER, scoped_workflow_id="flow"))
    second = await sessions.OpenSession(pb.OpenSessionRequest(type=pb.SESSION_TYPE_OTHER))

    session = first.session
    assert first.created
    assert second.session.session_id != session.session_id != ""
    assert session.expires_at.ToMilliseconds() - session.created_at.ToMilliseconds() == 300_000
    assert (session.data_json, session.HasField("msisdn"), first.HasField("scoped")) == ("{}", False, False)


async def test_updates_merge_or_replace(sessions: "SessionServiceAsyncStub") -> None:
    await sessions.OpenSession(opening(data_json='{"a":1,"b":{"c":[]}}'))

    merged = await sessions.UpdateSession(pb.UpdateSessionRequest(session_id="s", data_json='{"a":2}'))
    replaced = await sessions.UpdateSession(
        pb.UpdateSessionRequest(session_id="s", data_json='{"d":{}}', replace=True, expected_version=2)
    )

    assert (merged.session.data_json, merged.session.version) == ('{"a":2,"b":{"c":[]}}', 2)
    assert (replaced.session.data_json, replaced.session.version) == ('{"d":{}}', 3)


async def test_pages_of_a_listing(sessions: "SessionServiceAsyncStub") -> None:
    for n in range(5):
        await sessions.OpenSession(opening(session_id=f"s{n}"))
    token, sizes = "", []
    while True:
        page = await sessions.ListSessions(pb.ListSessionsRequest(msisdn=MSISDN, page_size=2, page_token=token))
        sizes.append(len(page.sessions))
        token = page.next_page_token
        if not token:
            break

    assert sizes == [2, 2, 1]


async def test_round_trips_of_each_call(
    sessions: "SessionServiceAsyncStub", round_trips: Callable[[Awaitable[Any]], Awaitable[int]]
) -> None:
    """One for each call, and one more where data that outlives the session is asked for or changed."""
    scoped: dict[str, Any] = {"workflow_id": "flow", "workflow_changes": [pb.DataChange(set_json='{"a":1}')]}
    scoped["global_changes"] = scoped["workflow_changes"]

    def calls(session_id: str) -> dict[str, Callable[[], Awaitable[Any]]]:
        known: dict[str, Any] = {"session_id": session_id}
        data = [pb.DataChange(set_json='{"a":1}')]
        commit = pb.CommitSessionRequest(**known, commit_id="c2", expected_version=2, changes=data)
        scoped_commit = pb.CommitSessionRequest(**known, commit_id="c3", expected_version=3, **scoped)
        joining = opening(session_id=session_id, scoped_workflow_id="flow")
        return {
            "open": lambda: sessions.OpenSession(opening(session_id=session_id)),
            "join": lambda: sessions.OpenSession(opening(session_id=session_id)),
            "join with scoped": lambda: sessions.OpenSession(joining),
            "get": lambda: sessions.GetSession(pb.GetSessionRequest(**known)),
            "get with scoped": lambda: sessions.GetSession(pb.GetSessionRequest(**known, scoped_workflow_id="flow")),
            "update": lambda: sessions.UpdateSession(pb.UpdateSessionRequest(**known, data_json='{"a":1}')),
            "commit": lambda: sessions.CommitSession(commit),
            "commit with scoped": lambda: sessions.CommitSession(scoped_commit),
            "touch": lambda: sessions.TouchSession(pb.TouchSessionRequest(**known)),
            "end": lambda: sessions.EndSession(pb.EndSessionRequest(**known)),
            "delete": lambda: sessions.DeleteSession(pb.DeleteSessionRequest(**known)),
        }

    # The server learns the scripts.
    for call in calls("first").values():
        await call()

    counted = {name: await round_trips(call()) for name, call in calls("second").items()}

    assert counted == {name: 2 if "scoped" in name else 1 for name in counted}


async def test_redis_dies_and_comes_back(
    run_service: Callable[[dict[str, str]], AbstractAsyncContextManager[Any]], data_directory: Path
) -> None:
    """Calls fail at once with a hint when to retry, health tells, and nothing has to be restarted."""
    port = valkey.free_port()
    redis = await valkey.start(data_directory, port, fsync="always")
    async with run_service({"NJIA_REDIS_URL": redis.url}) as service:
        assert await service.status() == HealthCheckResponse.SERVING
        opened = await service.sessions.OpenSession(opening())

        redis.process.kill()
        redis.process.wait()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await service.sessions.GetSession(pb.GetSessionRequest(session_id="s"), timeout=30)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert refusal_of(refused.value).reason == "STORE_UNAVAILABLE"
        await says(service, HealthCheckResponse.NOT_SERVING)

        redis = await valkey.start(data_directory, port, fsync="always")
        read = await service.sessions.GetSession(pb.GetSessionRequest(session_id="s"), timeout=30)
        assert read.session == opened.session
        await says(service, HealthCheckResponse.SERVING)
        # A server that has forgotten the scripts.
        touched = await service.sessions.TouchSession(pb.TouchSessionRequest(session_id="s"), timeout=30)
        assert touched.session.version == 1
    redis.stop()


async def test_the_service_starts_without_redis(
    run_service: Callable[[dict[str, str]], AbstractAsyncContextManager[Any]],
) -> None:
    async with run_service({"NJIA_REDIS_URL": "redis://127.0.0.1:1/0"}) as service:
        assert await service.status() == HealthCheckResponse.NOT_SERVING


async def test_configuration_reaches_the_sessions(
    run_service: Callable[[dict[str, str]], AbstractAsyncContextManager[Any]], redis_url: str
) -> None:
    environ = {
        "NJIA_REDIS_URL": redis_url,
        "NJIA_SESSIONS_TTL_SECONDS": "1",
        "NJIA_SESSIONS_RETENTION_SECONDS": "0",
    }
    async with run_service(environ) as service:
        opened = (await service.sessions.OpenSession(opening())).session
        # Where it takes longer than a second to come to this, the session is gone already.
        await code_of(service.sessions.EndSession(pb.EndSessionRequest(session_id="s")))
        async with asyncio.timeout(30):
            while await code_of(service.sessions.GetSession(pb.GetSessionRequest(session_id="s"))) is None:
                await asyncio.sleep(0.05)
        code = await code_of(service.sessions.GetSession(pb.GetSessionRequest(session_id="s")))

    assert code is grpc.StatusCode.NOT_FOUND
    assert opened.expires_at.seconds - opened.created_at.seconds == 1


async def says(service: Any, status: int) -> None:
    async with asyncio.timeout(30):
        while await service.status() != status:
            await asyncio.sleep(0.05)


async def code_of(call: Awaitable[Any]) -> grpc.StatusCode | None:
    """Returns the code of a call that failed."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None
