"""What a caller learns of an error, over a real connection."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from structlog.testing import capture_logs

from njia.sessions.v1 import sessions_service_pb2 as pb
from rpc.status import (
    DETAILS_KEY,
    MAX_STATUS_BYTES,
    OMITTED_VIOLATIONS,
    CallRefused,
    FieldViolation,
    Refusal,
    refusal_of,
    rich_status,
)


def raising(error: Callable[[], Exception]) -> Callable[[pb.GetSessionRequest], Any]:
    async def behaviour(_request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        raise error()

    return behaviour


async def refusal_from(running: Any, **call: Any) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.get(**call)
    return refusal_of(caught.value)


async def test_a_domain_error_becomes_the_refusal_of_its_row(start: Any, session_lost: type[Exception]) -> None:
    running = await start(raising(lambda: session_lost("s1")))

    assert await refusal_from(running) == Refusal(
        grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", "no session s1", {"id": "s1"}
    )


async def test_an_error_without_a_row_takes_that_of_its_parent(start: Any, session_lost: type[Exception]) -> None:
    class SessionLostByAgeError(session_lost):  # type: ignore[misc, valid-type]
        pass

    running = await start(raising(lambda: SessionLostByAgeError("s1")))

    assert (await refusal_from(running)).reason == "SESSION_NOT_FOUND"


async def test_an_unlisted_error_says_nothing_to_the_caller_and_everything_to_the_log(start: Any) -> None:
    running = await start(raising(lambda: KeyError("secret")))

    with capture_logs() as logs:
        refusal = await refusal_from(running)

    assert refusal == Refusal(grpc.StatusCode.INTERNAL, "INTERNAL", "internal error")
    assert [(line["log_level"], repr(line["exc_info"])) for line in logs] == [("error", "KeyError('secret')")]


async def test_a_refusal_of_a_called_service_is_forwarded_whole(start: Any) -> None:
    refusal = Refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "RATE_LIMIT",
        "too fast",
        {"product": "sms"},
        (FieldViolation("nodes[2].config.to", "is no phone number", "INVALID_NODE_CONFIG"),),
        1500,
    )
    running = await start(raising(lambda: CallRefused(refusal)))

    with capture_logs() as logs:
        assert await refusal_from(running) == refusal
    assert logs == []


async def test_a_request_that_does_not_parse_is_the_callers_fault(start: Any) -> None:
    running = await start()
    call = running.channel.unary_unary("/njia.sessions.v1.SessionService/GetSession")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"\xff\xff\xff", timeout=30)

    assert refusal_of(caught.value).code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal_of(caught.value).reason == "UNREADABLE_REQUEST"


async def test_an_unknown_method_is_unimplemented(start: Any) -> None:
    running = await start()
    call = running.channel.unary_unary("/njia.sessions.v1.SessionService/Nothing")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"", timeout=30)

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_call_that_runs_out_of_time_is_no_error_of_the_service(start: Any) -> None:
    async def slow(_request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        await asyncio.sleep(30)
        raise AssertionError

    running = await start(slow)

    with capture_logs() as logs:
        refusal = refusal_of(await running.out_of_time())
        await asyncio.wait_for(running.servicer.cancelled.wait(), 30)

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    assert logs == []


async def test_nobody_listening_is_unavailable(start: Any) -> None:
    running = await start()
    await running.server.stop(0)

    assert (await refusal_from(running)).code is grpc.StatusCode.UNAVAILABLE


async def test_a_long_refusal_reaches_a_client_with_default_settings(start: Any) -> None:
    """Clients refuse trailers beyond 8 KiB; violations that do not fit are counted instead."""
    violations = tuple(FieldViolation(f"nodes[{i}]", "ü" * 200, "INVALID_NODE_CONFIG") for i in range(500))
    refusal = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "COMPILATION_FAILED", "é" * 5000, {}, violations)
    running = await start(raising(lambda: CallRefused(refusal)))

    async with grpc.aio.insecure_channel(f"127.0.0.1:{running.server.port}") as channel:
        call: Any = channel.unary_unary("/njia.sessions.v1.SessionService/GetSession")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"", timeout=30)

    received = refusal_of(caught.value)
    assert received.reason == "COMPILATION_FAILED"
    assert received.violations == violations[: len(received.violations)]
    assert len(received.violations) + int(received.metadata[OMITTED_VIOLATIONS]) == 500
    assert len(received.violations) >= 5


async def test_the_status_is_that_of_googles_error_model(start: Any) -> None:
    refusal = Refusal(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "no Redis", {"store": "redis"}, (), 250)
    running = await start(raising(lambda: CallRefused(refusal)))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.get()

    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata() or ())[DETAILS_KEY])
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert [detail.Unpack(retry) or detail.Unpack(info) for detail in status.details] == [True, True]
    assert (info.reason, info.domain, dict(info.metadata)) == ("STORE_UNAVAILABLE", "njia", {"store": "redis"})
    assert retry.retry_delay.ToMilliseconds() == 250
    assert status.code == grpc.StatusCode.UNAVAILABLE.value[0]


def test_a_status_never_grows_beyond_its_bound() -> None:
    violations = tuple(FieldViolation("f" * 3000, "d" * 3000) for _ in range(5))

    status = rich_status(Refusal(grpc.StatusCode.INVALID_ARGUMENT, "R", "m" * 9000, {}, violations))

    assert status.ByteSize() <= MAX_STATUS_BYTES + 200
