"""The metrics of every service, read by what Prometheus reads them with."""

import shutil
import subprocess

import httpx
from prometheus_client.parser import text_string_to_metric_families

from clients.node_client import CheckFailed
from clients.serving import SCRAPED, Served

CALL_SECONDS = 15.0

PROMTOOL = "promtool"
"""Checks names, units and texts as well; of Debian's package prometheus. Left out where it is not installed."""


async def check(served: Served) -> list[str]:
    """Returns what was read of each service. Raises CheckFailed."""
    told = []
    promtool = shutil.which(PROMTOOL)
    if promtool is None:
        told.append("promtool is not installed: names and units are not checked")
    async with httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False) as client:
        for service, url in _addresses(served).items():
            answer = await client.get(f"{url}/metrics", headers={"Authorization": f"Bearer {served.api_key}"})
            families = list(text_string_to_metric_families(answer.raise_for_status().text))
            samples = sum(len(family.samples) for family in families)
            if not samples:
                raise CheckFailed(f"no metrics of {service}")
            if promtool is not None:
                _lint(promtool, service, answer.text)
            told.append(f"{service}: {len(families)} metrics, {samples} samples")
    return told


def _addresses(served: Served) -> dict[str, str]:
    listeners = {name: f"http://{served.stack.environ[f'NJIA_{name.upper()}_METRICS_LISTEN']}" for name in SCRAPED}
    return {**listeners, "gateway": served.stack.gateway_url}


def _lint(promtool: str, service: str, text: str) -> None:
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=CALL_SECONDS
    )
    if done.returncode != 0:
        raise CheckFailed(f"promtool on the metrics of {service}: {done.stdout}{done.stderr}")
