"""Calls, from a phone to the flow and back: the examples, and what may go wrong between two callbacks."""

import json

from tests.e2e.calling import calls, rings
from tests.e2e.conftest import Observed
from tests.e2e.driving import EXAMPLES, Document, Platform, eventually, new_id, new_phone

_numbers = iter(range(100))

WELCOME = "Welcome to Uzima clinic."
MENU = "For our opening hours, press 1. For the way to us by text message, press 2."
REMINDER = [
    "Hello Asha. This is Uzima clinic. You have an appointment tomorrow at 10.",
    "If you will come, press 1. If you need another day, press 2.",
]


def new_number() -> str:
    """A number of the account that no other test calls."""
    return f"+254711082{100 + next(_numbers)}"


def example(name: str, **trigger: object) -> Document:
    """An example with an id, and a trigger, of its own."""
    flow = json.loads((EXAMPLES / f"{name}.json").read_text())
    flow["metadata"]["workflowId"] = new_id(name)
    flow["trigger"]["config"] |= trigger
    for node in flow["nodes"]:
        if node["type"] == "COLLECT_DTMF":
            # On a machine that is busy with other tests, the time of the example may pass before a test presses a key.
            node["config"]["timeout"] = 60
    return dict(flow)


async def clinic_line(platform: Platform) -> tuple[str, str]:
    """Publishes the clinic's line on a number of its own."""
    number = new_number()
    return number, await platform.publish(example("clinic-line", calledNumber=number))


async def remind(platform: Platform, phone: str) -> str:
    """Runs the reminder for a patient, with a short pause before the second call; returns the execution."""
    flow = example("appointment-call", path=f"/{new_id('appointments')}")
    pause = next(node for node in flow["nodes"] if node["id"] == "pause")
    pause["config"]["duration"] = 20
    patient = {"phone": phone, "name": "Asha", "when": "tomorrow at 10"}
    return str((await platform.execute(flow, patient, wait_ms=0))["executionId"])


async def ended(platform: Platform, execution_id: str) -> Document:
    """The log of an execution once it has ended."""

    async def log() -> Document | None:
        found = await platform.log(execution_id)
        return None if found["status"] == "running" else found

    return dict(await eventually(log))


async def test_a_caller_walks_the_menu_of_the_clinic_and_gets_the_way_by_sms(platform: Platform) -> None:
    number, workflow_id = await clinic_line(platform)
    phone = new_phone()
    call = await calls(platform, phone, number)
    assert call.hears() == [WELCOME, MENU]

    await call.presses("7")
    assert call.hears() == ["Sorry, that is not one of them.", MENU]
    await call.presses("2")

    assert call.hears() == ["The way is on your phone.", "Goodbye."]
    assert call.now["hangupCause"] == "NORMAL_CLEARING"
    assert await platform.sent_to(phone) == ["Uzima clinic: Moi Avenue 12, opposite the post office."]
    log = await platform.ended(workflow_id)
    assert log["status"] == "completed"
    assert log["sessionId"] == call.session_id


async def test_whoever_presses_nothing_takes_the_timeout_edge_without_a_callback_of_the_keys(
    platform: Platform,
) -> None:
    number, workflow_id = await clinic_line(platform)
    call = await calls(platform, new_phone(), number)
    call.hears()

    await call.presses_nothing()

    assert call.hears() == ["We did not hear from you. Goodbye."]
    log = await platform.ended(workflow_id)
    menu = next(result for result in log["nodeResults"] if result["nodeId"] == "menu")
    assert (log["status"], menu["status"], menu["error"]["code"]) == ("completed", "timeout", "TIMEOUT")


async def test_a_caller_who_hangs_up_ends_the_wait_for_keys(platform: Platform) -> None:
    number, workflow_id = await clinic_line(platform)
    call = await calls(platform, new_phone(), number)

    await call.hangs_up()

    log = await platform.ended(workflow_id)
    assert next(result for result in log["nodeResults"] if result["nodeId"] == "menu")["status"] == "timeout"


async def test_a_repeated_callback_gets_the_same_document_and_runs_nothing_twice(platform: Platform) -> None:
    number, workflow_id = await clinic_line(platform)
    phone = new_phone()
    call = await calls(platform, phone, number)
    assert await call.repeats()
    await call.presses("9")
    assert await call.repeats()
    # The same key once more is another answer, not a repetition.
    await call.presses("9")
    assert await call.repeats()
    await call.presses("2")

    assert await call.repeats()

    await platform.ended(workflow_id)
    assert len(await platform.sent_to(phone)) == 1


async def test_a_call_that_no_flow_claims_is_rejected_and_listed(platform: Platform) -> None:
    number = new_number()
    call = await calls(platform, new_phone(), number)

    assert (call.now["hangupCause"], call.now["heard"]) == ("CALL_REJECTED", [])
    listed = (await platform.rest.get("/api/unclaimed", params={"channel": "voice"})).json()["unclaimed"]
    assert number in [entry["payload"]["calledNumber"] for entry in listed]


async def test_a_patient_who_answers_the_second_call_confirms_the_appointment(platform: Platform) -> None:
    phone = new_phone()
    execution_id = await remind(platform, phone)
    await (await rings(platform, phone)).is_busy()
    call = await rings(platform, phone)

    await call.answers()
    assert call.hears() == REMINDER
    await call.presses("1")

    assert call.hears() == ["Thank you. See you tomorrow at 10."]
    log = await ended(platform, execution_id)
    outputs = {result["nodeId"]: result.get("output") for result in log["nodeResults"]}
    assert log["status"] == "completed"
    assert outputs["call"]["status"] == "USER_BUSY"
    assert outputs["call-again"] == {"callSessionId": call.session_id, "status": "Answered"}
    assert await platform.sent_to(phone) == []


async def test_a_patient_whom_no_call_reaches_gets_an_sms(platform: Platform) -> None:
    phone = new_phone()
    execution_id = await remind(platform, phone)
    for _ in range(2):
        await (await rings(platform, phone)).is_busy()

    log = await ended(platform, execution_id)

    assert log["status"] == "completed"
    assert [text[:19] for text in await platform.sent_to(phone)] == ["Uzima clinic: Asha,"]


async def test_a_call_whose_answer_was_lost_is_known_by_its_first_callback_and_not_placed_again(
    platform: Platform,
) -> None:
    await platform.fault(product="voice", kind="lost_answer")
    phone = new_phone()
    execution_id = await remind(platform, phone)
    call = await rings(platform, phone)

    async def is_unknown() -> bool:
        waiting: Document = (await platform.log(execution_id)).get("waitingFor", {})
        return bool(waiting.get("kind") == "settlement")

    await eventually(is_unknown)
    await call.answers()
    await call.presses("1")

    log = await ended(platform, execution_id)
    placed = next(result for result in log["nodeResults"] if result["nodeId"] == "call" and result.get("output"))
    assert (log["status"], placed["settledBy"]) == ("completed", "delivery_report")
    made = (await platform.control.get("/control/calls", params={"msisdn": phone})).json()["calls"]
    assert [each["sessionId"] for each in made] == [call.session_id]


async def test_a_caller_is_asked_to_hold_while_the_flow_works_and_then_hears_how_it_went(observed: Observed) -> None:
    platform = observed.platform
    flow, number, phone = example("clinic-line"), new_number(), new_phone()
    flow["trigger"]["config"]["calledNumber"] = number
    workflow_id = await platform.publish(flow)
    call = await calls(platform, phone, number)
    call.hears()
    # Longer than the time budget of this set.
    await platform.fault(kind="slow", delayMs=4000)

    await call.presses("2")

    *waited, sent, goodbye = call.hears()
    assert (set(waited), sent, goodbye) == ({"One moment, please."}, "The way is on your phone.", "Goodbye.")
    assert len(await platform.sent_to(phone)) == 1
    assert (await platform.ended(workflow_id))["status"] == "completed"


async def test_an_engine_that_dies_between_two_callbacks_is_not_noticed_in_the_call(separate: Platform) -> None:
    number, workflow_id = await clinic_line(separate)
    call = await calls(separate, new_phone(), number)
    call.hears()
    separate.stack.kill("engine")
    await separate.stack.restart("engine")
    await separate.ready()

    async def is_found_by_the_adapter() -> bool:
        # Until then a caller hears that the service is away: an adapter may take longer than a caller is kept waiting.
        return bool((await calls(separate, new_phone(), new_number())).now["hangupCause"] == "CALL_REJECTED")

    await eventually(is_found_by_the_adapter)

    await call.presses("1")

    assert call.hears()[-1] == "Goodbye."
    assert (await separate.ended(workflow_id))["status"] == "completed"
