"""What the gateway passes on of a request from the web, as the engine has it."""

from njia.engine.v1 import engine_service_pb2 as pb
from workflow.web.incoming import IncomingRequest


def incoming_request(request: pb.HandleWebhookRequest) -> IncomingRequest:
    """Reads a request; several headers of one name are joined by commas (RFC 9110, 5.3)."""
    headers: dict[str, list[str]] = {}
    for header in request.headers:
        headers.setdefault(header.name.lower(), []).append(header.value)
    return IncomingRequest(
        method=request.method,
        path=request.path,
        headers={name: ", ".join(values) for name, values in headers.items()},
        query=request.query,
        body=request.body,
    )
