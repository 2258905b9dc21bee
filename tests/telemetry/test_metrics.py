"""Metrics: their declarations, what bounds them, and that nothing is installed where nobody looks."""

import re

from opentelemetry.metrics import NoOpMeter

from telemetry import attributes, grpc_metrics, http_metrics
from telemetry.exposition import Exposition
from telemetry.instruments import EXECUTIONS, INSTRUMENTS, LIVE_RUNS, OUTBOX_DEPTH, Kind
from telemetry.metrics import MAX_NAMES, OTHER, UNMETERED, BoundedNames, Meters


def test_every_metric_has_a_name_of_its_own_and_known_attributes() -> None:
    known = {value for name, value in vars(attributes).items() if name.isupper()}

    assert len({each.name for each in INSTRUMENTS}) == len(INSTRUMENTS) > 15
    for each in INSTRUMENTS:
        assert re.fullmatch(r"[a-z]+(\.[a-z_]+)+", each.name)
        assert set(each.attributes) <= known
        assert bool(each.bounds) is (each.kind is Kind.HISTOGRAM)
        assert list(each.bounds) == sorted(each.bounds)


def test_nothing_is_installed_where_nobody_looks() -> None:
    async def app(*_: object) -> None: ...

    assert grpc_metrics.server_interceptors(UNMETERED) == ()
    assert http_metrics.measured(app, UNMETERED) is app


def test_names_beyond_the_bound_are_one_and_the_first_ones_stay_themselves() -> None:
    names = BoundedNames()

    assert [names(f"flow-{number}") for number in range(MAX_NAMES)] == [f"flow-{number}" for number in range(MAX_NAMES)]
    assert {names(f"late-{number}") for number in range(MAX_NAMES)} == {OTHER}
    assert names("flow-3") == "flow-3"


def test_a_name_that_holds_a_phone_number_is_masked() -> None:
    assert "254711000001" not in BoundedNames()("254711000001")


async def test_two_services_of_one_process_show_each_its_own() -> None:
    engine, other = Exposition("engine"), Exposition("other")
    engine.meters.counter(EXECUTIONS).add(2, {attributes.WORKFLOW_ID: "market"})

    assert 'njia_executions_total{workflow_id="market"} 2.0' in (await engine.text()).decode()
    assert "njia_executions_total" not in (await other.text()).decode()
    engine.close()
    other.close()


async def test_what_cannot_be_looked_up_is_left_out_and_the_rest_is_shown() -> None:
    exposition = Exposition("at_adapter")

    async def fail() -> None:
        raise ConnectionError("the store is away")

    exposition.meters.before_each_scrape(fail)
    exposition.meters.read(OUTBOX_DEPTH, lambda: None)
    exposition.meters.read(LIVE_RUNS, lambda: 3)

    text = (await exposition.text()).decode()

    assert "njia_engine_live_runs 3.0" in text
    assert "njia_at_outbox_depth " not in text
    exposition.close()


def test_nothing_is_looked_up_where_nobody_scrapes() -> None:
    async def never() -> None: ...

    meters = Meters(NoOpMeter("njia"), recording=False)
    meters.before_each_scrape(never)

    assert meters.refreshes == []
