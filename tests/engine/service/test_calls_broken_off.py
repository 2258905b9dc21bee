"""Sends whose call of the adapter broke off: a real gRPC server that goes away under the call, and a new one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
import pytest
from opentelemetry.trace import NoOpTracerProvider

from launcher.valkey import free_port
from njia.at_adapter.v1 import at_adapter_service_pb2 as pb
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import (
    AtAdapterServiceServicer,
    AtAdapterServiceStub,
    add_AtAdapterServiceServicer_to_server,
)
from rpc.channels import open_channel
from rpc.status import DETAILS_KEY, Refusal, rich_status
from services.engine.adapters.at_adapter_grpc import AtAdapterSms
from workflow.errors import NodeFailure
from workflow.ports import SmsRequest

REQUEST = SmsRequest(
    idempotency_key="key", to=["+254711000001"], message="hello", sender="", enqueue=False, premium=None
)
Behaviour = Callable[[Any], Awaitable[pb.SendSmsResponse]]


class Adapter(AtAdapterServiceServicer):
    """Behaves as told, call by call; the last behaviour stays."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = list(behaviours)
        self.called = asyncio.Event()

    async def SendSms(self, request: pb.SendSmsRequest, context: Any) -> pb.SendSmsResponse:
        self.called.set()
        behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
        return await behaviour(context)


async def hangs(_: Any) -> pb.SendSmsResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def without_redis(context: Any) -> pb.SendSmsResponse:
    refusal = Refusal(
        grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "nothing was sent", metadata={"type": "transient"}
    )
    details = ((DETAILS_KEY, rich_status(refusal).SerializeToString()),)
    await context.abort(refusal.code, refusal.message, details)
    raise AssertionError


async def under_way(context: Any) -> pb.SendSmsResponse:
    refusal = Refusal(
        grpc.StatusCode.ABORTED, "SEND_IN_PROGRESS", "a send is under way", metadata={"type": "transient"}
    )
    details = ((DETAILS_KEY, rich_status(refusal).SerializeToString()),)
    await context.abort(refusal.code, refusal.message, details)
    raise AssertionError


async def sent(_: Any) -> pb.SendSmsResponse:
    row = pb.SmsRecipient(number="+254711000001", status="Success", status_code=101, message_id="ATXid_1", cost="0")
    return pb.SendSmsResponse(recipients=[row])


async def serving(port: int, adapter: Adapter) -> grpc.aio.Server:
    server = grpc.aio.server()
    add_AtAdapterServiceServicer_to_server(adapter, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server


@pytest.fixture
async def patient_way() -> AsyncIterator[tuple[int, AtAdapterSms]]:
    """A port, and what sends through whoever serves there; it waits long for word of a call that broke off."""
    port = free_port()
    channel = open_channel(f"127.0.0.1:{port}", NoOpTracerProvider())
    yield port, AtAdapterSms(AtAdapterServiceStub(channel), unknown_after_seconds=60.0)
    await channel.close()


@pytest.fixture
async def way() -> AsyncIterator[tuple[int, AtAdapterSms]]:
    """The same, of which nobody will send word: it waits a second."""
    port = free_port()
    channel = open_channel(f"127.0.0.1:{port}", NoOpTracerProvider())
    yield port, AtAdapterSms(AtAdapterServiceStub(channel), unknown_after_seconds=1.0)
    await channel.close()


async def broken_off(port: int, sms: AtAdapterSms) -> "asyncio.Task[Sequence[Any]]":
    """Begins a send whose adapter goes away under it."""
    adapter = Adapter(hangs)
    server = await serving(port, adapter)
    sending = asyncio.create_task(sms.send(REQUEST))
    await adapter.called.wait()
    await server.stop(None)
    return sending


async def test_a_call_that_broke_off_is_asked_about_until_the_adapter_knows(
    patient_way: tuple[int, AtAdapterSms],
) -> None:
    """An adapter without Redis says that it sent nothing; of the first call it knows nothing."""
    port, sms = patient_way
    sending = await broken_off(port, sms)
    server = await serving(port, Adapter(without_redis, sent))

    assert [row.message_id for row in await sending] == ["ATXid_1"]
    await server.stop(None)


async def test_a_call_that_broke_off_and_that_nobody_knows_of_is_unknown_and_not_called_unsent(
    way: tuple[int, AtAdapterSms],
) -> None:
    sending = await broken_off(*way)

    with pytest.raises(NodeFailure) as failed:
        await sending
    assert failed.value.error.code == "SEND_OUTCOME_UNKNOWN"


async def test_where_nobody_listens_nothing_was_sent(way: tuple[int, AtAdapterSms]) -> None:
    _, sms = way

    with pytest.raises(NodeFailure) as failed:
        await sms.send(REQUEST)
    assert failed.value.error.code == "NETWORK_ERROR"


async def test_a_send_that_stays_under_way_is_unknown_since_whoever_made_it_is_gone(
    way: tuple[int, AtAdapterSms],
) -> None:
    port, sms = way
    server = await serving(port, Adapter(under_way))

    with pytest.raises(NodeFailure) as failed:
        await sms.send(REQUEST)
    assert failed.value.error.code == "SEND_OUTCOME_UNKNOWN"
    await server.stop(None)
