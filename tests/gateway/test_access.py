"""Keys: who may make which call over REST and over gRPC, and what web pages elsewhere may."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from gateway.access import scope_of
from gateway.probe import lives
from njia.engine.v1 import engine_service_pb2 as pb, workflow_service_pb2 as registry_pb
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceStub
from njia.engine.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from rpc.api_keys import NewKey, new_key
from rpc.callers import Scope
from rpc.config import Environment
from rpc.protection import Protection, read_protection
from services.engine.access import SCOPES
from tests.gateway.contract import Contract
from tests.gateway.serving import Engine, served_gateway, start_engine
from tests.gateway.test_document import ANSWERS
from tests.rpc.certificates import Authority

SERVICE_KEY = "a-key-for-services-alone"
ORIGIN = "https://canvas.example.org"
LOG = "/api/workflows/executions/ex-1"


@dataclass(frozen=True, slots=True)
class Guarded:
    """
    A gateway and an engine that ask for keys.

    Attributes:
        rest: Sends no key by itself.
        keys: A key for each scope, by its name.
    """

    rest: httpx.AsyncClient
    channel: grpc.aio.Channel
    engine: Engine
    keys: dict[str, str]

    def bearer(self, name: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys[name]}"}


def protection_of(environ: dict[str, str]) -> Protection:
    variables = Environment(environ)
    protection = read_protection(variables, grpc={}, http={})
    variables.check()
    return protection


@pytest.fixture
async def guarded(contract: Contract) -> AsyncIterator[Guarded]:
    made: dict[str, NewKey] = {scope: new_key(f"{scope}er", {scope}) for scope in Scope if scope is not Scope.SERVICE}
    made["slow"] = new_key("slow", {Scope.READ}, rate_per_second=0.1)
    keys = {"NJIA_API_KEYS": ";".join(key.line for key in made.values()), "NJIA_SERVICE_KEY": SERVICE_KEY}
    engine = Engine()
    async with AsyncExitStack() as parts:
        server = await start_engine(engine, protection=protection_of(keys))
        parts.push_async_callback(server.stop, 0)
        target = f"127.0.0.1:{server.port}"
        channel = await parts.enter_async_context(grpc.aio.insecure_channel(target))
        rest = await parts.enter_async_context(
            served_gateway(contract, {"ENGINE": target}, None, NJIA_GATEWAY_CORS_ORIGINS=ORIGIN, **keys)
        )
        yield Guarded(rest, channel, engine, {name: key.key for name, key in made.items()} | {"service": SERVICE_KEY})


async def test_without_a_key_nothing_is_answered_and_nothing_is_told(guarded: Guarded) -> None:
    answers = [
        await guarded.rest.get(LOG),
        await guarded.rest.get(LOG, headers={"authorization": "Bearer njia_wrong"}),
        await guarded.rest.get("/api/no-such-path"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert guarded.engine.requests == []


async def test_health_and_the_description_need_no_key(guarded: Guarded) -> None:
    for path in ("/livez", "/docs", "/docs/page.js", "/openapi.json"):
        assert (await guarded.rest.get(path)).status_code == 200, path
    assert (await guarded.rest.get("/health")).status_code == 503


async def test_a_call_needs_the_scope_of_what_it_does(guarded: Guarded) -> None:
    calls = {
        ("GET", LOG): {"read", "admin"},
        ("POST", "/api/workflows/execute"): {"execute", "admin"},
        ("POST", "/api/workflows/flow/publish"): {"publish", "admin"},
        ("DELETE", "/api/subjects/%2B254711000001"): {"admin"},
    }
    for (method, path), may in calls.items():
        body = {"workflowId": "flow"} if path.endswith("execute") else None
        for name in ("read", "execute", "publish", "admin"):
            answer = await guarded.rest.request(method, path, json=body, headers=guarded.bearer(name))
            assert (answer.status_code == 403) == (name not in may), (path, name, answer.text)
            if name not in may:
                assert answer.json()["code"] == "SCOPE_MISSING"


WHOLE = [(method.upper(), re.sub(r"\{\w+\}", "x", path)) for method, path in ANSWERS]


async def test_every_operation_refuses_every_key_that_lacks_its_scope(guarded: Guarded) -> None:
    for method, path in WHOLE:
        asked = scope_of(method, path)
        if asked is None:
            continue
        answer = await guarded.rest.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "API_KEY_REQUIRED"), (method, path)
        for scope in {Scope.READ, Scope.EXECUTE, Scope.PUBLISH} - {asked}:
            answer = await guarded.rest.request(method, path, headers=guarded.bearer(scope))
            assert (answer.status_code, answer.json()["code"]) == (403, "SCOPE_MISSING"), (method, path, scope)
    assert guarded.engine.requests == []


async def test_a_key_counts_where_it_stands_alone_behind_bearer(guarded: Guarded) -> None:
    key = guarded.keys["admin"]
    two = [("authorization", f"Bearer {guarded.keys[name]}") for name in ("admin", "read")]
    answers = [
        await guarded.rest.get(LOG, headers=two),
        await guarded.rest.get(LOG, headers={"authorization": key}),
        await guarded.rest.get(LOG, params={"api_key": key}),
        await guarded.rest.get(LOG, headers={"x-api-key": key}),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "API_KEY_REQUIRED")}
    assert not any(key in answer.text for answer in answers)


async def test_every_rpc_refuses_every_key_that_lacks_its_scope(guarded: Guarded) -> None:
    async def status(method: str, *names: str) -> grpc.StatusCode:
        asked: Any = guarded.channel.unary_unary(method)
        call = asked(b"", metadata=[pair for name in names for pair in guarded.bearer(name).items()], timeout=30)
        code: grpc.StatusCode = await call.code()
        return code

    served = [rpc for rpc in SCOPES if "AdminService" not in rpc and not rpc.endswith("/WatchExecution")]
    for rpc in served:
        assert await status(rpc) is grpc.StatusCode.UNAUTHENTICATED, rpc
        assert await status(rpc, "admin", "read") is grpc.StatusCode.UNAUTHENTICATED, rpc
        for scope in {Scope.READ, Scope.EXECUTE, Scope.PUBLISH} - {SCOPES[rpc]}:
            assert await status(rpc, scope) is grpc.StatusCode.PERMISSION_DENIED, (rpc, scope)
    assert guarded.engine.requests == []


class Following(Engine):
    """An engine of which each execution goes on for ever."""

    async def WatchExecution(
        self, request: pb.WatchExecutionRequest, context: Any
    ) -> AsyncIterator[pb.WatchExecutionResponse]:
        while True:
            self._note(request, context)
            yield pb.WatchExecutionResponse(sequence=1, node_result=pb.NodeExecutionResult(node_id="a"))
            await asyncio.sleep(0.05)


class Hooked(Engine):
    """An engine of which a flow listens at every address."""

    async def HandleWebhook(self, request: pb.HandleWebhookRequest, context: Any) -> pb.HandleWebhookResponse:
        self._note(request, context)
        return pb.HandleWebhookResponse(execution_id="ex-1")


async def test_a_request_without_a_key_has_no_name_whoever_used_the_connection_before(contract: Contract) -> None:
    made, engine = new_key("boss", {Scope.ADMIN}), Hooked()
    keys = {"NJIA_API_KEYS": made.line, "NJIA_SERVICE_KEY": SERVICE_KEY}
    server = await start_engine(engine, protection=protection_of(keys))
    async with served_gateway(contract, {"ENGINE": f"127.0.0.1:{server.port}"}, None, **keys) as rest:
        reader, writer = await asyncio.open_connection("127.0.0.1", rest.base_url.port)
        # Sent at once, so that the second one begins where the first one ends.
        writer.write(
            f"GET {LOG} HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {made.key}\r\n\r\n"
            "GET /webhooks/flow/x HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n".encode()
        )
        async with asyncio.timeout(30):
            answers = await reader.read()
        writer.close()
    await server.stop(0)
    assert (answers.count(b"HTTP/1.1 200"), answers.count(b"HTTP/1.1 202")) == (1, 1)
    assert engine.callers == ["boss", "service"]


async def read_for_ever(call: Any) -> None:
    while True:
        await call.read()


async def test_a_stream_ends_once_its_key_is_taken_out_of_the_list(contract: Contract, tmp_path: Path) -> None:
    file, made, other = tmp_path / "keys", new_key("leaves", {Scope.READ}), new_key("stays", {Scope.READ})
    file.write_text(f"{made.line}\n{other.line}")
    keys = {"NJIA_API_KEYS_FILE": str(file), "NJIA_SERVICE_KEY": SERVICE_KEY}
    engine, bearer = Following(), {"authorization": f"Bearer {made.key}"}
    async with AsyncExitStack() as parts:
        server = await start_engine(engine, protection=protection_of(keys))
        parts.push_async_callback(server.stop, 0)
        target = f"127.0.0.1:{server.port}"
        channel = await parts.enter_async_context(grpc.aio.insecure_channel(target))
        rest = await parts.enter_async_context(served_gateway(contract, {"ENGINE": target}, None, **keys))
        reader = await parts.enter_async_context(
            httpx.AsyncClient(base_url=rest.base_url, headers=bearer, timeout=30, trust_env=False)
        )
        over_rest = asyncio.create_task(reader.get(f"{LOG}/events"))
        over_grpc: Any = EngineServiceStub(channel).WatchExecution(
            pb.WatchExecutionRequest(execution_id="ex-1"), metadata=list(bearer.items()), timeout=60
        )
        while (await over_grpc.read()).sequence != 1 or set(engine.callers) != {"leaves"} or len(engine.callers) < 5:
            pass
        file.write_text(other.line)
        async with asyncio.timeout(30):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await read_for_ever(over_grpc)
            stream = await over_rest
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    *_, last = stream.text.strip().split("\n\n")
    assert last.startswith("event: error")
    assert "API_KEY_REQUIRED" in last


async def test_the_engine_learns_who_called_the_gateway(guarded: Guarded) -> None:
    await guarded.rest.get(LOG, headers=guarded.bearer("read"))
    await guarded.rest.post("/api/workflows/flow/publish", headers=guarded.bearer("publish"))
    assert guarded.engine.callers == ["reader", "publisher"]


async def test_grpc_asks_for_the_same_keys_and_scopes(guarded: Guarded) -> None:
    engine, workflows = EngineServiceStub(guarded.channel), WorkflowServiceStub(guarded.channel)
    read, publish = pb.GetExecutionRequest(execution_id="ex-1"), registry_pb.PublishWorkflowRequest()

    async def code(method: object, request: object, name: str | None, claim: str = "") -> grpc.StatusCode:
        metadata = [("njia-caller", claim)] if claim else []
        metadata += [] if name is None else list(guarded.bearer(name).items())
        try:
            await method(request, metadata=metadata, timeout=30)  # type: ignore[operator]
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    assert await code(engine.GetExecution, read, None) is grpc.StatusCode.UNAUTHENTICATED
    assert await code(engine.GetExecution, read, "publish") is grpc.StatusCode.PERMISSION_DENIED
    assert await code(engine.GetExecution, read, "read", claim="boss") is grpc.StatusCode.OK
    assert await code(workflows.PublishWorkflow, publish, "publish") is grpc.StatusCode.OK
    assert await code(workflows.PublishWorkflow, publish, "service", claim="ann") is grpc.StatusCode.OK
    assert await code(engine.HandleUssd, pb.HandleUssdRequest(), "admin") is grpc.StatusCode.PERMISSION_DENIED
    assert guarded.engine.callers == ["reader", "publisher", "ann"]


async def test_streams_ask_for_a_key_too(guarded: Guarded) -> None:
    watch = EngineServiceStub(guarded.channel).WatchExecution(pb.WatchExecutionRequest(execution_id="ex-1"), timeout=30)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for _ in watch:
            pass
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_health_is_open_and_reflection_needs_read(guarded: Guarded) -> None:
    check = health_pb2_grpc.HealthStub(guarded.channel).Check  # type: ignore[attr-defined]
    assert (await check(health_pb2.HealthCheckRequest(), timeout=30)).status == 1

    stub: Any = reflection_pb2_grpc.ServerReflectionStub(guarded.channel)  # type: ignore[arg-type]

    async def listed(name: str | None) -> grpc.StatusCode:
        asked = stub.ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")]),
            metadata=None if name is None else list(guarded.bearer(name).items()),
            timeout=30,
        )
        try:
            async for _ in asked:
                return grpc.StatusCode.OK
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.UNKNOWN

    assert await listed(None) is grpc.StatusCode.UNAUTHENTICATED
    assert await listed("execute") is grpc.StatusCode.PERMISSION_DENIED
    assert await listed("read") is grpc.StatusCode.OK


async def test_a_key_that_calls_too_often_is_told_when_to_come_back(guarded: Guarded) -> None:
    first, second = [await guarded.rest.get(LOG, headers=guarded.bearer("slow")) for _ in range(2)]
    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 429, "RATE_LIMITED")
    assert 1 <= int(second.headers["retry-after"]) <= 10
    assert (await guarded.rest.get(LOG, headers=guarded.bearer("read"))).status_code == 200


async def test_only_listed_pages_may_read_answers(guarded: Guarded) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    preflight = await guarded.rest.options("/api/workflows/execute", headers={"origin": ORIGIN, **asks})
    theirs = await guarded.rest.options("/api/workflows/execute", headers={"origin": "https://evil.example", **asks})
    refused = await guarded.rest.get(LOG, headers={"origin": ORIGIN})

    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert "access-control-allow-origin" not in theirs.headers
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)


async def test_a_gateway_whose_own_key_is_refused_says_so(contract: Contract) -> None:
    made = new_key("a", {Scope.ADMIN})
    server = await start_engine(Engine(), protection=protection_of({"NJIA_SERVICE_KEY": "another-key-of-services"}))
    keys = {"NJIA_API_KEYS": made.line, "NJIA_SERVICE_KEY": SERVICE_KEY}
    async with served_gateway(contract, {"ENGINE": f"127.0.0.1:{server.port}"}, None, **keys) as rest:
        answer = await rest.get(LOG, headers={"authorization": f"Bearer {made.key}"})
    await server.stop(0)
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_KEY_REFUSED")


async def test_the_gateway_serves_https_shows_when_that_ends_and_its_probe_asks_so(
    contract: Contract, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "ours")
    shown = authority.signed("gateway")
    settings = {"NJIA_GATEWAY_TLS_CERT_FILE": str(shown.certificate), "NJIA_GATEWAY_TLS_KEY_FILE": str(shown.key)}
    async with served_gateway(contract, {}, authority.file, **settings) as client:
        assert (await client.get("/livez")).status_code == 200
        metrics = (await client.get("/metrics")).text
        ends = x509.load_pem_x509_certificate(shown.certificate.read_bytes()).not_valid_after_utc.timestamp()
        (told,) = re.findall(r"^njia_tls_certificate_not_after_seconds (.+)$", metrics, re.MULTILINE)
        assert float(told) == ends
        listen = {"NJIA_GATEWAY_LISTEN": f"127.0.0.1:{client.base_url.port}"}
        assert await asyncio.to_thread(lives, {**settings, **listen})
        assert not await asyncio.to_thread(lives, listen)


def test_a_path_that_nobody_thought_of_asks_for_admin() -> None:
    assert scope_of("POST", "/api/something-new") is Scope.ADMIN
    assert scope_of("PUT", "/") is Scope.ADMIN
