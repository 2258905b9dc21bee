"""Our services as they are measured."""

import httpx

from bench.flows import ECHO, MENU
from launcher.stack import Stack


async def prepare(stack: Stack) -> None:
    """Publishes the flows and turns delivery reports off: they come when they like and cost both sides time."""
    async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
        settings = await client.patch(f"{stack.emulator_url}/control/settings", json={"deliveryReports": False})
        settings.raise_for_status()
        for flow in (MENU, ECHO):
            saved = await client.post(f"{stack.gateway_url}/api/workflows", json=flow)
            if saved.is_error:
                raise RuntimeError(f"a flow of the bench was not saved: {saved.text}")
            workflow_id = flow["metadata"]["workflowId"]
            (await client.post(f"{stack.gateway_url}/api/workflows/{workflow_id}/publish")).raise_for_status()


def url_of(stack: Stack, scenario: str) -> str:
    """Where the requests of a scenario go."""
    return stack.gateway_url if scenario == "execute" else stack.callbacks_url
