"""A call that changes something does nothing when it is given a parameter that it does not know."""

import httpx
import pytest

from tests.gateway.serving import Engine


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        # Taken as a dry run by its caller, it would send real messages.
        ("POST", "/api/workflows/execute?dryRun=true", "dryRun"),
        ("POST", "/api/workflows?publish=true", "publish"),
        ("POST", "/api/workflows/w/unpublish?version=1", "version"),
        ("POST", "/api/workflows/executions/ex-1/cancel?node=n", "node"),
        ("DELETE", "/api/workflows/w?version=1", "version"),
        ("DELETE", "/api/sessions/s?msisdn=1", "msisdn"),
    ],
)
async def test_nothing_reaches_the_services(
    client: httpx.AsyncClient, engine: Engine, method: str, path: str, name: str
) -> None:
    answer = await client.request(method, path, json={"workflowId": "w"} if method == "POST" else None)

    assert answer.status_code == 400
    assert answer.json()["message"] == f"query parameter {name}: is not known here; this call takes none"
    assert engine.requests == []
