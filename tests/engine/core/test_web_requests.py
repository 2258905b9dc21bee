"""HTTP requests in a running flow: when they are repeated, and when never."""

import asyncio
from typing import Any

import pytest

from tests.engine.core.flow_dicts import FAST, NUMBER, document, node, sms
from tests.engine.core.outside import slow
from tests.engine.core.virtual_time import in_virtual_time
from tests.engine.core.world import World

URL = "https://api.example.com/orders"


def one_request(*, top: Any = None, sections: Any = None, **config: Any) -> dict[str, Any]:
    return document(
        "sms", {"ask": node("HTTP_REQUEST", top=top, url=URL, **config)}, ["start > ask"], **(sections or {})
    )


async def dies_while_it_asks(world: World, *answers: int) -> None:
    """The process dies while the first request has no answer; the next one goes on."""
    world.web.statuses = [0, *answers]
    world.comes_in(None, {})
    while not world.web.asked:
        await asyncio.sleep(0.1)
    world.steps.died.set()
    await world.rest()


@in_virtual_time
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_a_request_that_only_looks_is_made_again_after_a_crash(method: str) -> None:
    world = World(one_request(method=method))
    await dies_while_it_asks(world, 200)
    assert world.deaths == 1
    assert (world.state.status, len(world.web.asked)) == ("completed", 2)


@in_virtual_time
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_request_that_changes_something_is_not_made_again_after_a_crash(method: str) -> None:
    world = World(one_request(method=method))
    await dies_while_it_asks(world, 200)
    assert world.state.error is not None
    assert (world.state.status, world.state.error.code) == ("failed", "SEND_OUTCOME_UNKNOWN")
    assert len(world.web.asked) == 1


@in_virtual_time
async def test_a_request_that_had_not_begun_when_the_engine_died_is_made() -> None:
    flow = document(
        "sms",
        {"text": sms(), "ask": node("HTTP_REQUEST", url=URL, method="POST")},
        ["start > text", "text > ask"],
    )
    world = World(flow)
    world.sms.script[NUMBER] = [slow(5)]
    world.comes_in(None, {})
    while not world.sms.calls:
        await asyncio.sleep(0.1)
    world.steps.died.set()
    await world.rest()
    assert world.state.error is None
    assert (world.deaths, world.state.status, len(world.web.asked)) == (1, "completed", 1)


@in_virtual_time
async def test_the_journal_says_that_a_post_begins_before_it_does() -> None:
    world = World(one_request(method="POST"))
    world.steps.stop_after = 1
    state = await world.execute()
    assert state.error is not None
    assert (world.deaths, state.error.code, world.web.asked) == (1, "SEND_OUTCOME_UNKNOWN", [])


@in_virtual_time
async def test_the_second_attempt_of_a_post_is_not_lost_in_a_crash_either() -> None:
    world = World(one_request(method="POST", top={"retry": FAST}))
    world.web.statuses = [503, 0, 200]
    world.comes_in(None, {})
    while len(world.web.asked) < 2:
        await asyncio.sleep(0.1)
    world.steps.died.set()
    await world.rest()
    assert [result.error.code for result in world.results("ask") if result.error] == ["5XX", "SEND_OUTCOME_UNKNOWN"]
    assert len(world.web.asked) == 2


@in_virtual_time
@pytest.mark.parametrize(
    ("sections", "top", "config", "asked"),
    [
        ({}, {}, {"method": "GET"}, 3),
        ({}, {}, {"method": "PUT"}, 3),
        ({}, {}, {"method": "POST"}, 1),
        ({}, {}, {"method": "PATCH"}, 1),
        ({"errorHandling": {"defaultRetry": FAST | {"maxAttempts": 2}}}, {}, {"method": "GET"}, 2),
        ({"errorHandling": {"defaultRetry": FAST | {"maxAttempts": 2}}}, {}, {"method": "POST"}, 1),
        ({}, {"retry": FAST | {"maxAttempts": 4}}, {"method": "POST"}, 4),
        ({}, {"retry": FAST | {"maxAttempts": 4}}, {"method": "GET", "retry": {"attempts": 1}}, 2),
        ({}, {"retry": FAST}, {"method": "POST", "retry": {"attempts": 0}}, 1),
        ({}, {}, {"method": "GET", "retry": {"attempts": 2, "retryableStatusCodes": [500]}}, 1),
    ],
)
async def test_an_answer_of_503_is_asked_for_again_as_often_as_the_policy_says(
    sections: Any, top: Any, config: Any, asked: int
) -> None:
    world = World(one_request(top=top, sections=sections, **config))
    world.web.statuses = [503]
    state = await world.execute()
    assert (state.status, len(world.web.asked)) == ("failed", asked)
    assert state.error is not None
    assert state.error.details == {"statusCode": 503, "body": {"status": "here"}}


@in_virtual_time
@pytest.mark.parametrize(("statuses", "asked"), [([404], 1), ([404, 200], 2)])
async def test_a_status_that_the_config_names_is_retried_whatever_it_is(statuses: list[int], asked: int) -> None:
    named = [404] if len(statuses) > 1 else [500]
    world = World(one_request(retry={"attempts": 3, "retryableStatusCodes": named}))
    world.web.statuses = statuses
    await world.execute()
    assert len(world.web.asked) == asked


@in_virtual_time
async def test_every_attempt_has_the_key_of_the_visit() -> None:
    world = World(one_request(method="POST", retry={"attempts": 2}))
    world.web.statuses = [500, 502, 201]
    state = await world.execute()
    assert state.status == "completed"
    assert [request.headers["Idempotency-Key"] for request in world.web.asked] == ["exe:ask:0"] * 3


@in_virtual_time
async def test_a_dry_run_asks_nobody() -> None:
    world = World(one_request(method="POST", body={"kilos": 70}), dry_run=True)
    state = await world.execute()
    assert (state.status, world.web.asked) == ("completed", [])
    assert world.output("ask") == {"statusCode": 200, "headers": {}, "body": {"kilos": 70}, "dryRun": True}
