"""Each service emits the metrics that are declared for it, about what really happened, and no phone number."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from telemetry.instruments import INSTRUMENTS, TLS_CERTIFICATE_END, Instrument, Kind
from tests.e2e.conftest import SCRAPED
from tests.e2e.driving import Platform, eventually, new_code, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow, node, quick_retry, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")

Rows = dict[tuple[str, frozenset[tuple[str, str]]], float]


def exposed_name(instrument: Instrument) -> str:
    """The family of a metric as the parser of Prometheus's format names it: without _total."""
    unit = {"s": "_seconds"}.get(instrument.unit, "")
    return instrument.name.replace(".", "_") + unit


async def scrape(platform: Platform, service: str) -> str:
    """What a service exposes now."""
    listen = platform.stack.environ.get(f"NJIA_{service.upper()}_METRICS_LISTEN")
    url = platform.stack.gateway_url if listen is None else f"http://{listen}"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        response = await client.get(
            f"{url}/metrics", headers={"Authorization": platform.rest.headers.get("Authorization", "")}
        )
    assert response.status_code == httpx.codes.OK
    assert response.headers["content-type"].startswith("text/plain")
    return response.text


def rows(text: str) -> Rows:
    """Every sample by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def grown(before: Rows, after: Rows, name: str, **labels: str) -> float:
    """How much the rows of a metric with these labels grew."""
    wanted = set(labels.items())
    return sum(value - before.get(key, 0.0) for key, value in after.items() if key[0] == name and wanted <= key[1])


async def test_what_happened_is_counted_by_the_service_that_did_it(observed: Any) -> None:
    platform = observed.platform
    before = {service: rows(await scrape(platform, service)) for service in SCRAPED}
    code, phone = new_code(), new_phone()
    left, sent = new_id("left"), new_id("sent")
    await platform.publish(
        flow(left, dialled(code), [ask("menu", "Menu"), bye("end", "Bye")], ["start>menu", "menu>end"])
    )
    call = await platform.dial(code, phone)
    hung_up = await platform.control.post(f"/control/ussd/sessions/{call.session_id}/hangup")
    assert hung_up.is_success
    log = await platform.ended(left)
    rehearsal = await platform.rest.post(f"/api/workflows/executions/{log['executionId']}/replay")
    assert rehearsal.json()["execution"]["status"] == log["status"], "what follows counts it once all the same"
    await platform.fault(kind="http_status", status=500, times=1)
    airtime = flow(
        new_id("air"), texted(), [node("give", "SEND_AIRTIME", {"to": phone, "amount": "10"})], ["start>give"]
    )
    assert (await platform.execute(airtime, {"msisdn": phone, "message": "x"}))["status"] == "completed"
    text = flow(sent, texted(), [sms("send", "x" * 200, retry=quick_retry())], ["start>send"])
    assert (await platform.execute(text, {"msisdn": phone, "message": "x"}))["status"] == "completed"

    async def counted() -> dict[str, Rows] | None:
        after = {service: rows(await scrape(platform, service)) for service in SCRAPED}
        # The execution is over before the run that counts it is.
        ended = (
            grown(before["engine"], after["engine"], "njia_executions_total", workflow_id=it) for it in (left, sent)
        )
        return after if all(ended) else None

    after = await eventually(counted)

    def engine(name: str, **labels: str) -> float:
        return grown(before["engine"], after["engine"], name, **labels)

    def adapter(name: str, **labels: str) -> float:
        return grown(before["at_adapter"], after["at_adapter"], name, **labels)

    assert engine("njia_executions_total", workflow_id=sent, workflow_execution_status="completed") == 1
    assert engine("njia_screen_drop_offs_total", workflow_id=left, workflow_node_id="menu") == 1
    assert engine("njia_waits_total", workflow_wait_kind="input") == 1
    assert engine("njia_node_retries_total", workflow_node_type="SEND_SMS") == 1
    assert engine("njia_node_failures_total", workflow_node_type="SEND_SMS", error_type="SERVER_ERROR") == 1
    assert engine("njia_node_duration_seconds_count", workflow_node_type="SEND_SMS") == 2
    assert engine("njia_engine_graph_lookups_total", workflow_graph_found_in="store") >= 1
    assert adapter("njia_ussd_turn_duration_seconds_count", ussd_screen="con") == 1
    outcomes = {"accepted": 1, "server_error": 1}
    assert outcomes == {
        outcome: adapter(
            "njia_at_request_duration_seconds_count",
            africastalking_product="sms",
            africastalking_outcome=outcome,
        )
        for outcome in outcomes
    }
    assert adapter("njia_sms_segments_total") == 2
    assert adapter("njia_at_cost_total", africastalking_product="sms", africastalking_currency="KES") > 0
    # Ten shillings less the discount.
    assert 9 < adapter("njia_at_cost_total", africastalking_product="airtime", africastalking_currency="KES") < 10
    assert adapter("http_server_request_duration_seconds_count", http_route="/at/ussd") == 1
    assert grown(before["sessions"], after["sessions"], "rpc_server_call_duration_seconds_count") > 0
    assert grown(before["validator"], after["validator"], "rpc_server_call_duration_seconds_count") > 0


async def test_each_service_emits_the_metrics_declared_for_it_and_no_other(observed: Any) -> None:
    platform = observed.platform
    await platform.rest.get("/api/node-types")
    for service in (*SCRAPED, "gateway"):
        text = await scrape(platform, service)
        families = {family.name: family for family in text_string_to_metric_families(text)}
        here = [each for each in INSTRUMENTS if service in each.services and each is not TLS_CERTIFICATE_END]
        declared = {exposed_name(each): each for each in here}
        assert set(families) - {"target_info", "target"} == set(declared), service
        for name, instrument in declared.items():
            assert (
                families[name].type
                == {Kind.COUNTER: "counter", Kind.HISTOGRAM: "histogram", Kind.GAUGE: "gauge"}[instrument.kind]
            )
            labels = {label for sample in families[name].samples for label in sample.labels}
            assert labels - {"le"} <= {attribute.replace(".", "_") for attribute in instrument.attributes}, name
        assert re.findall(r"254711\d{6}", text) == []


async def test_a_gateway_is_scraped_at_its_own_address(observed: Any) -> None:
    before: Mapping[Any, float] = rows(await scrape(observed.platform, "gateway"))
    await observed.platform.rest.get("/api/sessions/no-such-session")
    labels = {"http_route": "/api/sessions/{session_id}", "http_response_status_code": "404"}

    async def counted() -> float:
        after = rows(await scrape(observed.platform, "gateway"))
        return grown(dict(before), after, "http_server_request_duration_seconds_count", **labels)

    assert await eventually(counted) == 1
