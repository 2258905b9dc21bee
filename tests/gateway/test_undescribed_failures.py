"""What becomes of a status that gRPC, or something on the way, gives without the details of a refusal."""

import grpc
import httpx
import pytest

from gateway.errors import HTTP_STATUS
from njia.engine.v1 import engine_service_pb2 as pb
from tests.gateway.serving import Context, Engine

EXECUTION = "/api/workflows/executions/ex-1"
INSIDE = 'Traceback (most recent call last): File "store.py", line 42, redis://:sesame@10.0.0.7'
FAILURES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


@pytest.mark.parametrize("code", FAILURES, ids=lambda code: code.name)
async def test_its_text_never_reaches_the_caller(
    client: httpx.AsyncClient, engine: Engine, code: grpc.StatusCode
) -> None:
    async def bare(context: Context) -> pb.GetExecutionResponse:
        await context.abort(code, INSIDE)

    engine.behaviour = bare

    answer = await client.get(EXECUTION)

    assert answer.status_code == HTTP_STATUS.get(code, 500)
    assert ("retry-after" in answer.headers) == (answer.status_code in (429, 503))
    document = answer.json()
    assert set(document) == {"error", "message", "code"}
    assert all(document.values())
    for secret in ("Traceback", "store.py", "sesame", "10.0.0.7"):
        assert secret not in answer.text
