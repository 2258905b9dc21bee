"""The dashboard asks for what there is, and what scrapes looks where the services are."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import yaml

from telemetry.instruments import INSTRUMENTS, Instrument, Kind

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
COMPOSE = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())

SCRAPER_S_OWN = {"job", "instance", "le"}
"""Labels that Prometheus adds by itself."""


def exposed(instrument: Instrument) -> set[str]:
    """Names of the series of a metric."""
    name = instrument.name.replace(".", "_") + ("_seconds" if instrument.unit == "s" else "")
    match instrument.kind:
        case Kind.COUNTER:
            return {f"{name}_total"}
        case Kind.HISTOGRAM:
            return {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
    return {name}


SERIES = {name: each for each in INSTRUMENTS for name in exposed(each)}
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/njia.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


ALERTS = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]


def metrics_in(query: str) -> set[str]:
    """Names in a query that are followed by a selector, a range or its end, and are no labels or functions."""
    bare = re.sub(r"by \([^)]*\)", "", query)
    return set(re.findall(r"\b((?:njia|rpc|http)_\w+)(?=[\[{)])", bare))


def test_every_metric_of_the_dashboard_is_emitted_by_a_service() -> None:
    for query in QUERIES:
        found = metrics_in(query)
        assert found, query
        assert found <= set(SERIES), query


def test_what_operators_are_told_to_look_at_is_emitted() -> None:
    page = (DEPLOY.parent / "docs/operations.md").read_text()
    named = re.findall(r"`((?:njia|rpc|http)_\w+)(?:\{([^}]*)\})?", page)
    assert len(named) > 10
    for name, labels in named:
        # A histogram may be meant as a whole.
        metric = SERIES.get(name) or SERIES[f"{name}_count"]
        known = {attribute.replace(".", "_") for attribute in metric.attributes}
        assert set(re.findall(r"(\w+)=", labels)) <= known, name


def test_every_label_of_the_dashboard_is_one_of_its_metric() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            labels = {
                label.strip() for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in group.split(",")
            }
            labels |= set(re.findall(r"[{,](\w+)(?:=|!=|=~)\"", target["expr"]))
            shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            for name in metrics_in(target["expr"]):
                known = {attribute.replace(".", "_") for attribute in SERIES[name].attributes}
                assert labels - SCRAPER_S_OWN <= known, target["expr"]
            assert shown <= labels, target["legendFormat"]


def test_every_alert_asks_for_what_there_is() -> None:
    """A name that is mistaken is no error to Prometheus: the alert just never comes."""
    for rule in ALERTS:
        query = rule["expr"]
        selectors = re.findall(r"\b(\w+)\{([^}]*)\}", query)
        grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(",")}
        found = metrics_in(query)
        assert found or "up" in {name for name, _ in selectors}, query
        assert found <= set(SERIES), query
        for name, labels in selectors:
            used = set(re.findall(r"(\w+)(?:=~|!=|=)\"", labels)) - SCRAPER_S_OWN
            assert used <= ({attribute.replace(".", "_") for attribute in SERIES[name].attributes} if used else set())
        shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        known = {attribute.replace(".", "_") for name in found for attribute in SERIES[name].attributes}
        assert grouped <= known | SCRAPER_S_OWN, query
        assert shown <= (grouped if found else SCRAPER_S_OWN), query
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_alert_has_a_row_for_who_is_woken() -> None:
    page = (DEPLOY.parent / "docs/operations.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for rule in ALERTS:
        assert any(f"`{rule['alert']}`" in row for row in rows), rule["alert"]


def test_prometheus_reads_the_alerts() -> None:
    (file,) = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["rule_files"]
    mounted = COMPOSE["services"]["prometheus"]["volumes"]
    assert f"./deploy/prometheus/{file}:/etc/prometheus/{file}:ro" in mounted


def test_every_metric_stands_in_the_dashboard() -> None:
    shown = {SERIES[name].name for query in QUERIES for name in metrics_in(query)}
    assert shown == {each.name for each in INSTRUMENTS}


def test_prometheus_scrapes_each_service_where_the_containers_show_their_metrics() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    scraped = {job["job_name"]: job["dns_sd_configs"][0] for job in config["scrape_configs"]}

    assert set(scraped) == {service for each in INSTRUMENTS for service in each.services}
    for service, where in scraped.items():
        variable = "NJIA_GATEWAY_LISTEN" if service == "gateway" else f"NJIA_{service.upper()}_METRICS_LISTEN"
        assert where["names"] == [service]
        assert COMPOSE["services"][service]["environment"][variable] == f"0.0.0.0:{where['port']}"


def test_the_store_of_the_containers_has_a_bound_and_forgets_nothing_there() -> None:
    command = COMPOSE["services"]["redis"]["command"]
    told = dict(itertools.pairwise(command))
    assert told["--maxmemory"] == "${REDIS_MAXMEMORY:-1gb}"
    assert told["--maxmemory-policy"] == "noeviction"


def test_what_the_containers_mount_is_there() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (DEPLOY.parent / source).exists(), volume
