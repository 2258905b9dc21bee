"""What flows keep about a phone: for the session, for the flow, for all flows; and what happens when time runs out."""

import asyncio
import time
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.e2e.driving import Document, Platform, eventually, new_code, new_id, new_phone, results_of
from tests.e2e.flows import ask, bye, dialled, flow, node, sms

pytestmark = pytest.mark.asyncio(loop_scope="session")


def keeps(workflow_id: str, code: str, scope: str, **config: Any) -> Document:
    """Says what it knows of the caller, asks for a word, and keeps it."""
    path = f"{scope}.data.word"
    return flow(
        workflow_id,
        dialled(code),
        [
            ask("menu", f'Word? It was {{{{{path} | default("unknown")}}}}'),
            node("keep", "SESSION_WRITE", {"data": {"word": "{{input}}"}, "scope": scope, **config}),
            bye("end", f"It is {{{{{path}}}}}"),
        ],
        ["start>menu", "menu>keep", "keep>end"],
    )


async def walk(platform: Platform, code: str, phone: str, word: str) -> tuple[str, str]:
    call = await platform.dial(code, phone)
    return str(call.screen), str(await call.type(word))


async def test_a_value_of_the_flow_is_there_in_the_next_session_of_that_phone_alone(platform: Platform) -> None:
    code, phone, other = new_code(), new_phone(), new_phone()
    await platform.publish(keeps(new_id("of-flow"), code, "workflow"))

    assert await walk(platform, code, phone, "one") == ("CON Word? It was unknown", "END It is one")
    assert await walk(platform, code, phone, "two") == ("CON Word? It was one", "END It is two")
    assert await walk(platform, code, other, "x") == ("CON Word? It was unknown", "END It is x")


async def test_a_value_of_all_flows_is_there_in_another_flow_and_one_of_the_session_is_not(
    platform: Platform,
) -> None:
    one, two, three, phone = new_code(), new_code(), new_code(), new_phone()
    await platform.publish(keeps(new_id("global"), one, "global"))
    await platform.publish(keeps(new_id("global"), two, "global"))
    await platform.publish(keeps(new_id("session"), three, "session"))

    assert await walk(platform, one, phone, "one") == ("CON Word? It was unknown", "END It is one")
    assert await walk(platform, two, phone, "two") == ("CON Word? It was one", "END It is two")
    assert await walk(platform, three, phone, "x") == ("CON Word? It was unknown", "END It is x")
    assert await walk(platform, three, phone, "y") == ("CON Word? It was unknown", "END It is y")


async def test_an_encrypted_value_is_used_in_clear_and_kept_sealed(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(
        flow(
            new_id("sealed"),
            dialled(code),
            [
                node("keep", "SESSION_WRITE", {"data": {"card": "4000-1234-{{msisdn}}"}, "encrypt": True}),
                ask("menu", "Card {{session.data.card}}"),
                node("read", "SESSION_READ", {}),
                bye("end", "Bye {{session.data.card}}"),
            ],
            ["start>keep", "keep>menu", "menu>read", "read>end"],
        )
    )

    call = await platform.dial(code, phone)
    assert str(call.screen) == f"CON Card 4000-1234-{phone}"
    assert str(await call.type("1")) == f"END Bye 4000-1234-{phone}"

    seen = (await platform.rest.get(f"/api/sessions/{call.session_id}")).text
    log = await platform.ended(workflow_id)
    assert "4000-1234" not in seen
    assert "4000-1234" not in str(results_of(log, "keep"))
    async with Redis.from_url(platform.stack.redis_url) as redis:
        keys = [key async for key in redis.scan_iter(match=f"*{call.session_id}*")]
        stored = b"".join([await redis.dump(key) or b"" for key in keys if b"}:s:" not in key and b"x:" not in key])
    assert keys
    assert b"4000-1234" not in stored


async def test_concurrent_calls_of_one_phone_do_not_lose_each_other_s_values(platform: Platform) -> None:
    phone = new_phone()
    codes = [new_code() for _ in range(8)]
    for number, code in enumerate(codes):
        await platform.publish(
            flow(
                new_id("counts"),
                dialled(code),
                [node("keep", "SESSION_WRITE", {"data": {f"n{number}": number}, "scope": "global"}), bye("end", "Ok")],
                ["start>keep", "keep>end"],
            )
        )
    await asyncio.gather(*(platform.dial(code, phone) for code in codes))
    reading = new_code()
    shown = " ".join(f'{{{{global.data.n{number} | default("lost")}}}}' for number in range(8))
    await platform.publish(flow(new_id("shows"), dialled(reading), [bye("end", shown)], ["start>end"]))

    async def all_kept() -> bool:
        return str((await platform.dial(reading, phone)).screen) == "END 0 1 2 3 4 5 6 7"

    await eventually(all_kept)


async def test_a_screen_that_nobody_answers_times_out(platform: Platform) -> None:
    """One flow catches it with an edge, the other ends as timed out."""
    caught, uncaught, phone = new_code(), new_code(), new_phone()
    screen = ask("menu", "Still there?", sessionTimeout=10)
    catching = await platform.publish(
        flow(
            new_id("caught"),
            dialled(caught),
            [screen, bye("end", "Bye"), sms("late", "You did not answer")],
            ["start>menu", "menu>end", "menu:timeout>late"],
        )
    )
    leaving = await platform.publish(
        flow(new_id("uncaught"), dialled(uncaught), [screen, bye("end", "Bye")], ["start>menu", "menu>end"])
    )
    started = time.monotonic()
    calls = [await platform.dial(caught, phone), await platform.dial(uncaught, phone)]

    logs = [await platform.ended(workflow_id) for workflow_id in (catching, leaving)]

    assert time.monotonic() - started >= 9.9
    assert [log["status"] for log in logs] == ["completed", "timeout"]
    assert [results_of(log, "menu")[0]["status"] for log in logs] == ["timeout", "timeout"]
    assert await platform.sent_to(phone) == ["You did not answer"]
    # Who answers after all is told so, and nothing runs.
    for call in calls:
        screen_now = await call.type("1")
        assert screen_now.kind == "END"
        assert screen_now.text != "Bye"


async def test_a_turn_over_its_time_budget_ends_with_the_apology_and_the_work_goes_on(observed: Any) -> None:
    platform, code, phone = observed.platform, new_code(), new_phone()
    workflow_id = await platform.publish(
        flow(
            new_id("budget"),
            dialled(code),
            [ask("menu", "Menu"), sms("send"), ask("next", "Sent"), bye("end", "Bye")],
            ["start>menu", "menu>send", "send>next", "next>end"],
            settings={"ussd": {"apology": "Pole, please dial again."}},
        )
    )
    call = await platform.dial(code, phone)
    await platform.hold_up_sends()

    screen = await call.type("1")

    assert str(screen) == "END Pole, please dial again."
    assert str(await call.repeat()) == str(screen)
    await eventually(lambda: platform.sent_to(phone))
    await platform.answer_sends()

    async def past_the_send() -> list[Document]:
        return results_of(await platform.only_execution(workflow_id), "send")

    assert [row["status"] for row in await eventually(past_the_send)] == ["success"]
    assert await platform.sent_to(phone) == ["hello"]
