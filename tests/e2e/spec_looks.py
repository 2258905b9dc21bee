"""What is seen of a flow from outside: each look runs, saves or compiles one and says what came of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.e2e.driving import Document, Platform, new_phone, results_of

Look = Callable[[Platform, str, Document], Awaitable[Any]]
"""Takes the path of the field as well."""

LONG_DELAY_MS = 50
"""A delay of 64 ms is fixed for its half; what is at least so long was asked for."""

WITHIN_SECONDS = 30.0


async def run(platform: Platform, spec: Document) -> Document:
    """Runs a flow that comes along, from a new phone."""
    payload = {"msisdn": new_phone(), "message": "x", "at": "2026-01-01T00:30:00Z", "tail": "000001"}
    return await platform.execute(spec, payload)


async def executed(platform: Platform, _: str, spec: Document) -> tuple[str, str | None]:
    """Status and error code of a run."""
    result = await run(platform, spec)
    return result["status"], result.get("error", {}).get("code")


async def nodes_that_ran(platform: Platform, _: str, spec: Document) -> list[str]:
    """Ids of what was not skipped, in the order in which it ended."""
    results = (await run(platform, spec))["nodeResults"]
    return [result["nodeId"] for result in results if result["status"] != "skipped"]


async def value_of_switch(platform: Platform, _: str, spec: Document) -> Any:
    """What the SWITCH named route decided by."""
    [result] = results_of(await run(platform, spec), "route")
    return result.get("output", {}).get("value")


async def merged(platform: Platform, _: str, spec: Document) -> list[bool]:
    """What the MERGE named merge joined, in its order."""
    [result] = results_of(await run(platform, spec), "merge")
    return [joined["result"] for joined in result["output"]["items"]]


async def delays(platform: Platform, _: str, spec: Document) -> list[int]:
    """An entry for each attempt to send, while Africa's Talking answers 500: 0, or 50 where it came after 50 ms."""
    await platform.fault(kind="http_status", status=500, times=9)
    attempts = results_of(await run(platform, spec), "send")
    await platform.control.delete("/control/faults")
    return [LONG_DELAY_MS if attempt.get("retryDelayMs", 0) >= LONG_DELAY_MS / 2 else 0 for attempt in attempts]


async def begun_twice(platform: Platform, _: str, spec: Document) -> list[int]:
    """What two calls that run it, one after the other, are answered."""
    await platform.save(spec)
    body = {"workflowId": spec["metadata"]["workflowId"]}
    return [(await platform.rest.post("/api/workflows/execute", json=body)).status_code for _ in range(2)]


async def window_that_is_waited_for(platform: Platform, _: str, spec: Document) -> str:
    """How long a second start has to wait: the windows are chosen so that a fixed one is half over now."""
    window_ms = int(time.time() * 1000 / 1000.5)
    spec["settings"]["rateLimit"] |= {"maxRequests": 1, "windowMs": window_ms}
    await platform.save(spec)
    body = {"workflowId": spec["metadata"]["workflowId"]}
    refused = [await platform.rest.post("/api/workflows/execute", json=body) for _ in range(2)][-1]
    return "a window" if int(refused.headers["Retry-After"]) * 1000 > window_ms * 0.75 else "half a window"


async def is_replayed(platform: Platform, _: str, spec: Document) -> int:
    """What a replay is answered."""
    result = await run(platform, spec)
    return (await platform.rest.post(f"/api/workflows/executions/{result['executionId']}/replay")).status_code


async def dialled_screen(platform: Platform, _: str, spec: Document) -> str:
    """The first screen of somebody who dials."""
    await platform.publish(spec)
    return str((await platform.dial(spec["trigger"]["config"]["serviceCode"], new_phone())).screen)


async def continued(platform: Platform, _: str, spec: Document) -> str:
    """The first screen of somebody who hung up in the middle and dials again."""
    phone, code = new_phone(), spec["trigger"]["config"]["serviceCode"]
    await platform.publish(spec)
    call = await platform.dial(code, phone)
    await call.type("maize")
    await platform.control.post(f"/control/ussd/sessions/{call.session_id}/hangup")
    return str((await platform.dial(code, phone)).screen)


async def told_of_failure(platform: Platform, path: str, spec: Document) -> str:
    """The address that is told that a run failed: the field has its path, on a server of our own."""
    told = asyncio.get_running_loop().create_future()

    async def answer(request: web.Request) -> web.Response:
        if not told.done():
            told.set_result((request.path, await request.json()))
        return web.Response()

    application = web.Application()
    application.router.add_post("/{any}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        handling = spec["errorHandling"]
        handling["errorWebhook"] = f"http://127.0.0.1:{runner.addresses[0][1]}{handling['errorWebhook']}"
        result = await run(platform, spec)
        async with asyncio.timeout(WITHIN_SECONDS):
            address, document = await told
        assert document["executionId"] == result["executionId"]
        return str(address)
    finally:
        await runner.cleanup()


async def kept(platform: Platform, path: str, spec: Document) -> Any:
    """The field of the flow once it is saved and read back."""
    saved = await platform.save(spec)
    read = (await platform.rest.get(f"/api/workflows/{saved['workflowId']}")).json()["workflow"]
    for step in path.split("."):
        read = read[step]
        read = read[0] if isinstance(read, list) and step in ("nodes", "edges") else read
    return read


async def warnings(platform: Platform, _: str, spec: Document) -> list[tuple[str, str]]:
    """Codes and places of what the validator warns of, beside that a check decides nothing."""
    report = (await platform.rest.post("/api/workflows/validate", json=spec)).json()
    found = [(issue["code"], issue["path"]) for issue in report["warnings"]]
    return [issue for issue in found if issue[0] != "DEAD_END_NODE"]


async def errors(platform: Platform, _: str, spec: Document) -> list[str]:
    """Codes of what the validator holds against it."""
    report = (await platform.rest.post("/api/workflows/validate", json=spec)).json()
    return [issue["code"] for issue in report["errors"]]


async def compiled_edges(platform: Platform, _: str, spec: Document) -> list[str]:
    """The ids of the edges of its graph, sorted."""
    answer = await platform.rest.post("/api/workflows/compile", json=spec)
    assert answer.status_code == 200, answer.text
    return sorted(edge["id"] for node in answer.json()["graph"]["nodes"].values() for edge in node["outgoingEdges"])
