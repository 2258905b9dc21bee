"""Whether the platform is up."""

import asyncio
from datetime import UTC, datetime

import grpc
from fastapi import APIRouter, Request, Response
from grpc_health.v1 import health_pb2

from gateway.answers import json_answer
from gateway.clients import Clients, clients_of
from gateway.documents.health import Alive, Degraded, Healthy
from gateway.responses import answered

CHECK_SECONDS = 1.0

_TIME = "2026-01-31T08:00:00.000Z"

router = APIRouter(tags=["Health"])


@router.get("/livez", responses={200: answered(Alive, "The gateway runs.", {"status": "ok"})})
async def check_liveness() -> Response:
    """Says that the gateway itself runs; asks nobody."""
    return json_answer({"status": "ok"})


@router.get(
    "/health",
    responses={
        200: answered(Healthy, "Every service serves.", {"status": "ok", "timestamp": _TIME}),
        503: answered(
            Degraded,
            "A service does not serve.",
            {
                "status": "degraded",
                "timestamp": _TIME,
                "services": {
                    "validator": "serving",
                    "engine": "not_serving",
                    "sessions": "not_serving",
                    "at_adapter": "unreachable",
                },
            },
        ),
    },
)
async def check_health(request: Request) -> Response:
    """Asks every service at once, for at most a second; each says whether its Redis answers."""
    clients = clients_of(request)
    names = list(clients.health)
    states = dict(zip(names, await asyncio.gather(*(_state(clients, name) for name in names)), strict=True))
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if all(state == "serving" for state in states.values()):
        return json_answer({"status": "ok", "timestamp": now})
    return json_answer({"status": "degraded", "timestamp": now, "services": states}, 503)


async def _state(clients: Clients, name: str) -> str:
    try:
        check = clients.health[name].Check  # type: ignore[attr-defined]  # the stubs of grpc_health lack it
        answer = await check(health_pb2.HealthCheckRequest(), timeout=CHECK_SECONDS)
    except grpc.aio.AioRpcError:
        return "unreachable"
    return "serving" if answer.status == health_pb2.HealthCheckResponse.SERVING else "not_serving"
