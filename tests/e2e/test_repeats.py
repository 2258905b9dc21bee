"""The same thing twice, things out of order, and many things at once."""

import asyncio

import grpc
import pytest

from tests.e2e.driving import (
    CALL_SECONDS,
    Document,
    Platform,
    eventually,
    execute,
    new_code,
    new_id,
    new_phone,
    refused,
    results_of,
)
from tests.e2e.flows import ask, bye, dialled, flow, node, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")


def three_screens(code: str, **more: object) -> Document:
    """first -> second -> an SMS and the end, which shows both answers."""
    return flow(
        new_id("three"),
        dialled(code),
        [
            ask("first", "First?"),
            node("keep", "SESSION_WRITE", {"data": {"first": "{{input}}"}}),
            ask("second", "Second after {{session.data.first}}?"),
            sms("send", "{{session.data.first}} {{input}}"),
            bye("end", "Got {{session.data.first}} and {{input}}"),
        ],
        ["start>first", "first>keep", "keep>second", "second>send", "second>end"],
    )


async def published(platform: Platform) -> tuple[str, str, str, str]:
    """Publishes the three screens; returns workflow id, code, phone and a session id."""
    code, phone = new_code(), new_phone()
    return await platform.publish(three_screens(code)), code, phone, new_id("ATUid_")


async def test_the_same_callback_twice_gets_the_same_answer_and_runs_once(platform: Platform) -> None:
    workflow_id, code, phone, session = await published(platform)
    texts = ("", "", "a", "a", "a", "a*b", "a*b")
    answers = [await platform.callback(session, phone, code, text) for text in texts]

    assert answers == [
        "CON First?",
        "CON First?",
        "CON Second after a?",
        "CON Second after a?",
        "CON Second after a?",
        "END Got a and b",
        "END Got a and b",
    ]
    log = await platform.ended(workflow_id)
    assert [len(results_of(log, name)) for name in ("first", "keep", "second", "send", "end")] == [1, 1, 1, 1, 1]
    assert await platform.sent_to(phone) == ["a b"]


async def test_the_same_callbacks_at_once_are_one_turn(platform: Platform) -> None:
    workflow_id, code, phone, session = await published(platform)

    async def twenty(text: str) -> set[str]:
        return set(await asyncio.gather(*(platform.callback(session, phone, code, text) for _ in range(20))))

    assert await twenty("") == {"CON First?"}
    assert await twenty("a") == {"CON Second after a?"}
    assert await twenty("a*b") == {"END Got a and b"}

    log = await platform.ended(workflow_id)
    assert [len(results_of(log, name)) for name in ("first", "keep", "second", "send", "end")] == [1, 1, 1, 1, 1]
    assert await platform.sent_to(phone) == ["a b"]


async def test_a_callback_after_the_end_gets_the_end_and_starts_nothing(platform: Platform) -> None:
    workflow_id, code, phone, session = await published(platform)
    for text in ("", "a", "a*b"):
        last = await platform.callback(session, phone, code, text)
    await platform.ended(workflow_id)

    assert [await platform.callback(session, phone, code, text) for text in ("a*b*c", "a*b*c*d", "zzz")] == [last] * 3
    assert await platform.callback(session, phone, code, "") == "CON First?"

    assert (await platform.only_execution(workflow_id))["status"] == "completed"
    assert await platform.sent_to(phone) == ["a b"]


async def test_a_shorter_text_that_is_unknown_gets_the_screen_of_now(platform: Platform) -> None:
    """A callback that overtook another one: the person sees where the flow is, and nothing runs."""
    workflow_id, code, phone, session = await published(platform)
    await platform.callback(session, phone, code, "")
    now = await platform.callback(session, phone, code, "abc")

    assert await platform.callback(session, phone, code, "ab") == now == "CON Second after abc?"
    assert await platform.callback(session, phone, code, "x") == now
    assert len(results_of(await platform.only_execution(workflow_id), "keep")) == 1
    assert await platform.callback(session, phone, code, "abc*d") == "END Got abc and d"


async def test_a_dialled_short_cut_feeds_the_screens_and_shows_the_last(platform: Platform) -> None:
    workflow_id, code, phone, session = await published(platform)

    assert await platform.callback(session, phone, code, "1*2") == "END Got 1 and 2"

    log = await platform.ended(workflow_id)
    assert [results_of(log, name)[0]["output"]["input"] for name in ("first", "second")] == ["1", "2"]
    assert await platform.sent_to(phone) == ["1 2"]


async def test_a_short_cut_from_the_network_reaches_the_screen_behind_it(platform: Platform) -> None:
    _, code, phone, _ = await published(platform)

    call = await platform.dial(f"{code[:-1]}*7#", phone, service_code=code)

    assert str(call.screen) == "CON Second after 7?"
    assert str(await call.type("8")) == "END Got 7 and 8"


async def test_a_short_cut_longer_than_the_flow_stops_at_its_end(platform: Platform) -> None:
    workflow_id, code, phone, session = await published(platform)

    assert await platform.callback(session, phone, code, "1*2*3*4") == "END Got 1 and 2"
    assert (await platform.ended(workflow_id))["status"] == "completed"


async def test_a_star_that_a_person_types_later_is_part_of_the_answer(platform: Platform) -> None:
    _, code, phone, session = await published(platform)
    await platform.callback(session, phone, code, "")
    await platform.callback(session, phone, code, "1*2")

    assert await platform.callback(session, phone, code, "1*2*3*4") == "END Got 1*2 and 3*4"


async def test_two_hops_at_once_run_one_after_the_other(platform: Platform) -> None:
    workflow_id, code, phone, session = await published(platform)
    await platform.callback(session, phone, code, "")

    first, second = await asyncio.gather(
        platform.callback(session, phone, code, "a"), platform.callback(session, phone, code, "a*b")
    )

    # The longer one may overtake; then it carries the entry of both, and the shorter one gets what is shown now.
    if second == "CON Second after a*b?":
        assert first == second
        log = await platform.only_execution(workflow_id)
    else:
        assert (first, second) == ("CON Second after a?", "END Got a and b")
        log = await platform.ended(workflow_id)
    assert len(results_of(log, "keep")) == 1


async def test_fifty_sessions_at_once_each_get_their_own_answers(platform: Platform) -> None:
    workflow_id, code, _, _ = await published(platform)
    phones = [new_phone() for _ in range(50)]

    async def walk(phone: str) -> list[str]:
        first, second = phone[-4:], phone[-2:]
        call = await platform.dial(code, phone)
        return [str(call.screen), str(await call.type(first)), str(await call.type(second))]

    walked = await asyncio.gather(*(walk(phone) for phone in phones))

    assert walked == [
        ["CON First?", f"CON Second after {phone[-4:]}?", f"END Got {phone[-4:]} and {phone[-2:]}"] for phone in phones
    ]

    async def texts() -> bool:
        return [await platform.sent_to(phone) for phone in phones] == [
            [f"{phone[-4:]} {phone[-2:]}"] for phone in phones
        ]

    await eventually(texts)
    logs = await platform.executions(workflow_id)
    assert len(logs) == 50
    assert {log["status"] for log in logs} == {"completed"}


async def test_one_phone_in_two_sessions_keeps_them_apart(platform: Platform) -> None:
    _, code, phone, session = await published(platform)
    other = f"{session}-2"
    for each in (session, other):
        await platform.callback(each, phone, code, "")
    assert await platform.callback(session, phone, code, "a") == "CON Second after a?"
    assert await platform.callback(other, phone, code, "x") == "CON Second after x?"
    assert await platform.callback(session, phone, code, "a*b") == "END Got a and b"
    assert await platform.callback(other, phone, code, "x*y") == "END Got x and y"


async def test_a_repeated_incoming_sms_runs_once(platform: Platform) -> None:
    keyword, phone = new_id("K"), new_phone()
    workflow_id = await platform.publish(
        flow(new_id("repeat"), texted(keyword=keyword), [sms("send", "Got {{message}}")], ["start>send"])
    )
    sent = await platform.text(phone, "22334", f"{keyword} one")
    await asyncio.gather(*(platform.control.post(f"/control/sms/{sent['id']}/repeat") for _ in range(10)))
    await platform.ended(workflow_id)
    again = await platform.control.post(f"/control/sms/{sent['id']}/repeat")

    assert again.json()["lastStatus"] == 200
    assert len(await platform.executions(workflow_id)) == 1
    assert await platform.sent_to(phone) == [f"Got {keyword} one"]


async def test_ten_first_deliveries_of_one_sms_at_once_run_once(platform: Platform) -> None:
    keyword, phone = new_id("K"), new_phone()
    workflow_id = await platform.publish(
        flow(new_id("atonce"), texted(keyword=keyword), [sms("send", "Got {{message}}")], ["start>send"])
    )
    form = {"id": new_id("m"), "from": phone, "to": "22334", "text": keyword, "date": "2026-11-22 10:00:00"}

    answers = await asyncio.gather(*(platform.callbacks.post("/at/sms", data=form) for _ in range(10)))

    assert {answer.status_code for answer in answers} == {200}
    await platform.ended(workflow_id)
    assert await platform.sent_to(phone) == [f"Got {keyword}"]


async def test_a_repeated_idempotency_key_gets_the_first_execution(platform: Platform) -> None:
    phone, key = new_phone(), new_id("key")
    spec = flow(new_id("once"), texted(), [sms("send", "Once")], ["start>send"])
    body = {"workflow": spec, "triggerPayload": {"msisdn": phone, "message": "x"}}

    async def post(document: Document) -> tuple[int, Document]:
        answer = await platform.rest.post("/api/workflows/execute", json=document, headers={"Idempotency-Key": key})
        return answer.status_code, answer.json()

    status, first = await post(body)
    repeats = await asyncio.gather(*(post(body) for _ in range(5)))
    other_status, other = await post({**body, "triggerPayload": {"msisdn": phone, "message": "y"}})

    assert status == 200
    assert [(code, answer["executionId"], answer["status"]) for code, answer in repeats] == [
        (200, first["executionId"], "completed")
    ] * 5
    assert repeats[0][1]["nodeResults"] == first["nodeResults"]
    assert (other_status, other["code"]) == (400, "IDEMPOTENCY_KEY_REUSED")
    assert await platform.sent_to(phone) == ["Once"]


async def test_one_key_in_ten_calls_at_once_is_one_execution(platform: Platform) -> None:
    phone, key = new_phone(), new_id("key")
    spec = flow(new_id("race"), texted(), [sms("send", "Once")], ["start>send"])

    results = await asyncio.gather(
        *(platform.execute(spec, {"msisdn": phone, "message": "x"}, key=key) for _ in range(10))
    )

    assert len({result["executionId"] for result in results}) == 1
    assert {result["status"] for result in results} == {"completed"}
    assert await platform.sent_to(phone) == ["Once"]


async def test_a_key_holds_on_a_flow_that_waits_too(platform: Platform) -> None:
    """A repeated start does not become an answer to the screen."""
    phone, key = new_phone(), new_id("key")
    spec = three_screens(new_code())
    payload = {"msisdn": phone, "sessionId": new_id("key")}

    first = await platform.execute(spec, payload, key=key)
    again = await platform.execute(spec, payload, key=key)

    assert again["executionId"] == first["executionId"]
    assert again["status"] == first["status"] == "running"
    assert again["waitingFor"] == first["waitingFor"]
    assert again["reply"] == first["reply"] == {"kind": "con", "text": "First?"}


async def test_a_repeated_answer_to_a_screen_is_taken_once(platform: Platform) -> None:
    """Also when it was the last one, and the session has ended since."""
    phone = new_phone()
    spec = three_screens(new_code())
    begun = await platform.execute(spec, {"msisdn": phone})
    session_id = begun["sessionId"]

    for entry in ("a", "b"):
        key = new_id("key")
        first = await platform.execute(spec, {"input": entry}, session_id, key=key)
        again = await platform.execute(spec, {"input": entry}, session_id, key=key)
        assert again["executionId"] == first["executionId"] == begun["executionId"]
        assert (again["status"], again["reply"]) == (first["status"], first["reply"])

    log = await platform.log(begun["executionId"])
    assert log["status"] == "completed"
    typed = [row["output"]["input"] for name in ("first", "second") for row in results_of(log, name)]
    assert typed == ["a", "b"]


async def test_one_answer_in_five_calls_at_once_is_one_turn(platform: Platform) -> None:
    spec = three_screens(new_code())
    begun = await platform.execute(spec, {"msisdn": new_phone()})
    key = new_id("key")

    calls = (platform.execute(spec, {"input": "a"}, begun["sessionId"], key=key) for _ in range(5))
    answers = await asyncio.gather(*calls)

    assert {answer["executionId"] for answer in answers} == {begun["executionId"]}
    log = await platform.log(begun["executionId"])
    assert [row["output"]["input"] for row in results_of(log, "first")] == ["a"]
    assert log["waitingFor"]["nodeId"] == "second"


async def test_two_answers_to_one_screen_at_once_are_told_apart(platform: Platform) -> None:
    """Execute on one session twice at the same time: one goes on, the other is refused or comes after it."""
    spec = three_screens(new_code())
    begun = await platform.execute(spec, {"msisdn": new_phone()})
    session_id = begun["sessionId"]

    async def answer(text: str) -> Document | grpc.StatusCode:
        try:
            return await platform.execute(spec, {"input": text}, session_id)
        except grpc.aio.AioRpcError as error:
            return error.code()

    answers = await asyncio.gather(*(answer(text) for text in ("a", "b")))

    log = await platform.log(begun["executionId"])
    typed = [row["output"]["input"] for name in ("first", "second") for row in results_of(log, name)]
    if grpc.StatusCode.FAILED_PRECONDITION in answers:
        assert typed in (["a"], ["b"])
        assert log["waitingFor"]["nodeId"] == "second"
    else:
        assert typed in (["a", "b"], ["b", "a"])
        assert log["status"] == "completed"
    assert len(results_of(log, "keep")) == 1


async def test_an_ended_execution_cannot_be_answered_again(platform: Platform) -> None:
    spec = three_screens(new_code())
    begun = await platform.execute(spec, {"msisdn": new_phone()})
    for text in ("a", "b"):
        last = await platform.execute(spec, {"input": text}, begun["sessionId"])
    assert last["status"] == "completed"

    refusal = await refused(
        platform.engine.Execute(execute(spec, {"input": "c"}, begun["sessionId"]), timeout=CALL_SECONDS)
    )

    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION
