"""What the gateway measures of itself, for Prometheus; every other service has a listener of its own for that."""

from fastapi import APIRouter, Request, Response

from telemetry.exposition import CONTENT_TYPE, Exposition

_EXAMPLE = 'http_server_request_duration_seconds_count{http_route="/livez",http_request_method="GET"} 1.0'

router = APIRouter(tags=["Health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Every metric, in the text format of Prometheus.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        }
    },
)
async def read_metrics(request: Request) -> Response:
    """Shows the metrics of the gateway, for a scraper."""
    exposition: Exposition = request.app.state.exposition
    return Response(await exposition.text(), headers={"Content-Type": CONTENT_TYPE})
