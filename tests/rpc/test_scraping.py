"""The listener of the metrics is protected as all else."""

import httpx
import pytest

from launcher.valkey import free_port
from rpc.api_keys import new_key
from rpc.callers import Scope
from rpc.config import ConfigError
from rpc.scraping import scraped


async def test_where_there_are_keys_a_scrape_needs_one_that_may_read() -> None:
    reader, publisher = new_key("prometheus", {Scope.READ}), new_key("deployment", {Scope.PUBLISH})
    listen = f"127.0.0.1:{free_port()}"
    environ = {
        "NJIA_VALIDATOR_METRICS_LISTEN": listen,
        "NJIA_API_KEYS": f"{reader.line};{publisher.line}",
        "NJIA_SERVICE_KEY": "between-the-services",
    }
    async with scraped("validator", environ), httpx.AsyncClient(base_url=f"http://{listen}", timeout=30) as client:
        refused = await client.get("/metrics")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        wrong = await client.get("/metrics", headers={"authorization": f"Bearer {publisher.key}"})
        assert (wrong.status_code, "lacks the scope read" in wrong.text) == (403, True)
        let_in = await client.get("/metrics", headers={"authorization": f"Bearer {reader.key}"})
        assert let_in.status_code == 200
        assert let_in.headers["content-type"].startswith("text/plain")


async def test_without_keys_it_listens_on_this_machine_alone_unless_that_is_meant() -> None:
    environ = {"NJIA_VALIDATOR_METRICS_LISTEN": "0.0.0.0:0"}
    with pytest.raises(ConfigError) as told:
        async with scraped("validator", environ):
            pass
    assert told.value.problems[0].startswith("NJIA_VALIDATOR_METRICS_LISTEN: 0.0.0.0:0 can be reached from other")
    async with scraped("validator", {**environ, "NJIA_INSECURE": "true"}) as meters:
        assert meters.recording
