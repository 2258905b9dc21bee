"""Whether the platform is up."""

import asyncio
from datetime import UTC, datetime

import grpc
from fastapi import APIRouter, Request, Response
from grpc_health.v1 import health_pb2

from gateway.answers import json_answer
from gateway.clients import Clients

CHECK_SECONDS = 1.0

router = APIRouter()


@router.get("/livez", response_model=None)
async def livez() -> Response:
    """Says that the gateway itself runs."""
    return json_answer({"status": "ok"})


@router.get("/health", response_model=None)
async def health(request: Request) -> Response:
    """Asks every service; each says whether its Redis answers."""
    clients: Clients = request.app.state.clients
    names = list(clients.health)
    states = dict(zip(names, await asyncio.gather(*(_state(clients, name) for name in names)), strict=True))
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if all(state == "serving" for state in states.values()):
        return json_answer({"status": "ok", "timestamp": now})
    return json_answer({"status": "degraded", "timestamp": now, "services": states}, 503)


async def _state(clients: Clients, name: str) -> str:
    try:
        check = clients.health[name].Check  # type: ignore[attr-defined]
        answer = await check(health_pb2.HealthCheckRequest(), timeout=CHECK_SECONDS)
    except grpc.aio.AioRpcError:
        return "unreachable"
    return "serving" if answer.status == health_pb2.HealthCheckResponse.SERVING else "not_serving"
