"""No phone number and no credential in logs, spans and errors."""

import asyncio
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from rpc.status import Refusal

NUMBER = "254722333444"
KEY = "the-api-key"
TOKEN = "the-callback-token-1"


async def test_logs_spans_and_errors_show_neither(start_adapter: Any, emulator: Any, engine: Any, sms: Any) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    errors = []
    with capture_logs() as logs:
        adapter = await start_adapter(
            provider,
            AT_BASE_URL=emulator.url,
            AT_API_KEY=KEY,
            NJIA_ENGINE_TARGET=engine.target,
            NJIA_AT_CALLBACK_TOKEN=TOKEN,
        )
        turn = f"sessionId=s&phoneNumber=%2B{NUMBER}&text="
        message = f"id=m&from=%2B{NUMBER}&to=21512&text=hi&status=Sent&phoneNumber=%2B{NUMBER}&sessionId=s"
        await adapter.callbacks.post(f"/at/{TOKEN}/ussd", content=turn)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await adapter.stub.SendSms(sms(to=(f"+{NUMBER}",)))
        errors.append(caught.value)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await adapter.stub.SendSms(sms(to=(NUMBER,)))
        errors.append(caught.value)
        engine.servicer.refusal = Refusal(grpc.StatusCode.INTERNAL, "INTERNAL", "internal error")
        paths = ("ussd", "sms", "sms/delivery", "ussd/events")
        await asyncio.gather(*(adapter.callbacks.post(f"/at/{TOKEN}/{path}", content=message) for path in paths))

    seen = [span.to_json() for span in spans.get_finished_spans()]
    names = {span.name for span in spans.get_finished_spans()}
    assert "sms.send" in names
    assert "POST /at/{token}/ussd" in names
    assert {entry["event"] for entry in logs} >= {"a send was not taken", "the engine made no screen"}
    for secret in (NUMBER, KEY, TOKEN):
        for text in (*seen, *map(repr, logs), *map(repr, errors)):
            assert secret not in text
