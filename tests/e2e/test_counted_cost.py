"""RPCs and round trips to Redis: counted on the wire, against the budget of the design."""

import itertools
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.e2e.driving import eventually, new_code, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow, node, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")

REPEATS = 5
USSD = "POST /at/ussd"
EXECUTE = "POST /api/workflows/execute"

_traces = itertools.count(0xC0FFEE)


def new_trace() -> tuple[str, dict[str, str]]:
    """A trace id of the test's own, and the header that carries it."""
    trace_id = f"{next(_traces):032x}"
    return trace_id, {"traceparent": f"00-{trace_id}-00000000000000ab-01"}


async def cost(observed: Any, root: str, trace_id: str, request: Awaitable[Any]) -> tuple[list[str], list[list[bytes]]]:
    """The RPCs of a request and the commands of each round trip that was made, tail and all."""
    before = len(observed.redis.foreground())
    answer = await request
    assert answer.status_code == 200, answer.text
    await eventually(lambda: observed.collector.is_whole(trace_id, root))
    calls = [span.name for span in observed.collector.trace(trace_id) if span.kind == "server" and span.name != root]
    return calls, [[command[0] for command in trip] for trip in observed.redis.foreground()[before:]]


class Caller:
    """A phone whose callbacks are posted straight to the adapter, each in a trace of its own."""

    def __init__(self, observed: Any, code: str) -> None:
        self._observed = observed
        phone = new_phone()
        self._form = {"sessionId": new_id("cost"), "phoneNumber": phone, "serviceCode": code, "networkCode": "1"}

    async def turn(self, text: str) -> tuple[list[str], list[list[bytes]]]:
        trace_id, headers = new_trace()
        posting = self._observed.platform.callbacks.post("/at/ussd", data={**self._form, "text": text}, headers=headers)
        return await cost(self._observed, USSD, trace_id, posting)


async def test_a_steady_ussd_turn_takes_3_rpcs_and_4_trips_at_most(observed: Any) -> None:
    code = new_code()
    await observed.platform.publish(
        flow(
            new_id("counted"),
            dialled(code),
            [
                ask("menu", "Menu"),
                node("keep", "SESSION_WRITE", {"data": {"choice": "{{input}}"}}),
                node("even", "CONDITION", {"expression": "{{session.data.choice}} == '1'"}),
                ask("again", "You chose {{session.data.choice}}"),
                bye("end", "Bye"),
            ],
            [
                "start>menu",
                "menu>keep",
                "keep>even",
                "even:true>again",
                "even:false>again",
                "again>menu",
                "again:timeout>end",
            ],
        )
    )
    texts = ("", "1", "1*2", "1*2*1")
    warm = Caller(observed, code)
    for text in texts:
        await warm.turn(text)

    first_trips, later_trips = [], []
    for _ in range(REPEATS):
        caller = Caller(observed, code)
        calls, trips = await caller.turn(texts[0])
        # The first turn opens the session in the place of a commit, and asks which flow is dialled.
        assert 2 <= len(calls) <= 3, calls
        first_trips += trips
        for text in texts[1:]:
            calls, trips = await caller.turn(text)
            assert 2 <= len(calls) <= 3, calls
            later_trips += trips
    # Together: what is written behind an answer may be counted with the next turn, and no trip is counted twice.
    turns = len(texts) - 1
    assert 3 * (1 + turns) <= (len(first_trips) + len(later_trips)) / REPEATS <= 5 + 4 * turns, later_trips


async def test_an_execute_with_one_sms_takes_4_rpcs_and_6_trips_at_most(observed: Any) -> None:
    spec = flow(new_id("counted"), texted(), [sms("send")], ["start>send"])

    async def execute() -> tuple[list[str], list[list[bytes]]]:
        trace_id, headers = new_trace()
        body = {"workflow": spec, "triggerPayload": {"msisdn": new_phone(), "message": "x"}}
        return await cost(
            observed, EXECUTE, trace_id, observed.platform.rest.post(EXECUTE.split()[1], json=body, headers=headers)
        )

    unknown, _ = await execute()
    assert "njia.validator.v1.ValidatorService/CompileWorkflow" in unknown
    # A script that the server sees for the first time takes a trip more, whichever test comes first.
    for _ in range(REPEATS):
        await execute()
    for _ in range(REPEATS):
        calls, trips = await execute()
        assert 2 <= len(calls) <= 4, calls
        assert 3 <= len(trips) <= 6, trips


async def test_a_repeated_callback_takes_one_trip(observed: Any) -> None:
    code = new_code()
    await observed.platform.publish(
        flow(new_id("repeated"), dialled(code), [ask("a", "A"), bye("b", "B")], ["start>a", "a>b"])
    )
    caller = Caller(observed, code)
    # Repeated more than once, since what the last turn writes behind its answer may be counted with the next one.
    for text in ("", "1", "1", "1"):
        await caller.turn(text)

    calls, trips = await caller.turn("1")

    assert calls == ["njia.engine.v1.EngineService/HandleUssd"]
    assert len(trips) == 1
