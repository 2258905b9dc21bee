"""One half of the set is restarted, then the other, while people dial and clients call; everybody is answered."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from launcher.replicas import Replicas, replicated
from launcher.stack import ONE_PROCESS_EACH, Stack
from rpc.probe import is_serving
from tests.e2e.conftest import check_logs
from tests.e2e.driving import CALL_SECONDS, Platform, eventually, new_code, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVICES = ("validator", "sessions", "at_adapter", "engine", "gateway")

CALLERS = 2

PAUSE_SECONDS = 0.1
"""Between two calls of a caller: load is wanted, and a machine that can still start processes."""


class Load:
    """Callers that take no excuse: whatever is not answered as it should be is a failure."""

    def __init__(self, gateways: Sequence[str], adapters: Sequence[str]) -> None:
        self.ends = False
        self.failures: list[str] = []
        self.phones: list[str] = []
        self.answered = {"executions": 0, "talks": 0}
        self._gateways = gateways
        self._adapters = adapters

    async def execute(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        """Runs a flow again and again, once each."""
        while not self.ends:
            phone = new_phone()
            request = {"workflowId": workflow_id, "triggerPayload": {"msisdn": phone, "message": "x"}}
            answer = await _balanced(
                client,
                [f"{url}/api/workflows/execute" for url in self._gateways],
                json=request,
                headers={"Idempotency-Key": phone},
            )
            self.phones.append(phone)
            if answer is not None and answer.status_code == httpx.codes.OK and answer.json()["status"] == "completed":
                self.answered["executions"] += 1
            else:
                self.failures.append(f"execute: {answer and answer.text}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def dial(self, client: httpx.AsyncClient, code: str, name: str) -> None:
        """Dials and types again and again; a talk that has begun is finished."""
        for number in itertools.count():
            if self.ends:
                return
            form = {
                "sessionId": f"ATUid_{name}_{number}",
                "phoneNumber": new_phone(),
                "serviceCode": code,
                "networkCode": "63902",
            }
            screens = [await self._screen(client, {**form, "text": text}) for text in ("", "1")]
            if screens == ["CON Menu", "END Bye 1"]:
                self.answered["talks"] += 1
            else:
                self.failures.append(f"{form['sessionId']}: {screens}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _screen(self, client: httpx.AsyncClient, form: dict[str, str]) -> str:
        answer = await _balanced(client, [f"{url}/at/ussd" for url in self._adapters], data=form, headers={})
        return "nobody took the call" if answer is None else answer.text


async def _balanced(
    client: httpx.AsyncClient,
    urls: Sequence[str],
    *,
    headers: dict[str, str],
    data: dict[str, str] | None = None,
    json: Mapping[str, object] | None = None,
) -> httpx.Response | None:
    """
    What a load balancer answers: it asks the next server where one takes no connection, or closes it without an answer.

    Each request has a connection of its own and may come twice: it is a callback, or has a key.
    """
    for url in urls:
        try:
            return await client.post(url, data=data, json=json, headers={**headers, "Connection": "close"})
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            continue
    return None


def listens(stack: Stack, replicas: Replicas, service: str, variable: str) -> list[str]:
    """Addresses of the replicas of a service."""
    names = [name for name in replicas.layout if name in (service, f"{service}-2")]
    return [{**stack.environ, **replicas.own.get(name, {})}[variable] for name in names]


async def test_every_call_is_answered_and_done_once_while_the_set_restarts_one_half_after_the_other(
    tmp_path: Path,
) -> None:
    replicas = replicated(ONE_PROCESS_EACH, dict.fromkeys(SERVICES, 2))
    stack = Stack(tmp_path, layout=replicas.layout, environ=replicas.environ, own=replicas.own)
    at = {service: listens(stack, replicas, service, f"NJIA_{service.upper()}_LISTEN") for service in SERVICES}
    gateways = [f"http://{listen}" for listen in at["gateway"]]
    adapters = listens(stack, replicas, "at_adapter", "NJIA_AT_ADAPTER_CALLBACKS_LISTEN")

    async with stack, Platform(stack) as platform, httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False) as client:

        async def serves(service: str, replica: int) -> bool:
            if service != "gateway":
                return await asyncio.to_thread(is_serving, at[service][replica])
            try:
                return (await client.get(f"{gateways[replica]}/health")).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        async def restart(service: str, replica: int) -> None:
            name = service if replica == 0 else f"{service}-2"
            await stack.stop(name)
            await stack.start(name)
            await eventually(lambda: serves(service, replica), seconds=60)

        code = new_code()
        edges = ["start>menu", "menu>end"]
        await platform.publish(
            flow(new_id("rolled"), dialled(code), [ask("menu", "Menu"), bye("end", "Bye {{input}}")], edges)
        )
        sent = await platform.publish(flow(new_id("rolled"), texted(), [sms("send")], ["start>send"]))
        load = Load(gateways, [f"http://{listen}" for listen in adapters])
        callers = [
            *(asyncio.create_task(load.execute(client, sent)) for _ in range(CALLERS)),
            *(asyncio.create_task(load.dial(client, code, f"roll{number}")) for number in range(CALLERS)),
        ]
        for replica in range(2):
            before = dict(load.answered)
            await asyncio.gather(*(restart(service, replica) for service in SERVICES))
            # The load went on meanwhile.
            assert all(load.answered[kind] > count for kind, count in before.items())
        load.ends = True
        await asyncio.gather(*callers)
        texts = {phone: await platform.sent_to(phone) for phone in load.phones}

    assert load.failures == []
    assert {phone: sent for phone, sent in texts.items() if sent != ["hello"]} == {}
    check_logs(tmp_path)
