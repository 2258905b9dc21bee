"""SEND_USSD_RESPONSE and SESSION_END: what the person sees."""

from typing import Any

import pytest

from tests.workflow.stage import Findings, Stage, done, waiting
from workflow.errors import NodeFailure
from workflow.nodes.send_ussd_response import SESSION_GRACE_SECONDS, Config, SendUssdResponse
from workflow.nodes.session_end import SessionEnd
from workflow.outcome import Done, Wait, WaitKind
from workflow.session import Scope

SCREEN, END = SendUssdResponse(), SessionEnd()

LIST: dict[str, Any] = {
    "message": "Soko",
    "menuType": "menu",
    "expectInput": True,
    "menuItems": [{"option": str(number), "text": f"Crop {number}"} for number in range(1, 6)],
    "pagination": {"enabled": True, "itemsPerPage": 2},
}


NAME = {"page": 0, "pages": ["Name?"]}
"""What the question for a name keeps while it waits."""


async def test_a_screen_without_a_question_is_done_at_once(stage: Stage) -> None:
    outcome = await stage.run(SCREEN, {"message": "Your balance is KES 100"})
    assert outcome == Done(
        output={"sessionId": "ATUid_1", "message": "Your balance is KES 100"}, text="Your balance is KES 100"
    )
    assert not stage.session.ended


async def test_a_question_waits_and_keeps_the_session_alive(stage: Stage) -> None:
    outcome = await stage.run(SCREEN, {"message": "Name?", "expectInput": True, "sessionTimeout": 90})
    assert outcome == Wait(WaitKind.INPUT, 90_000, NAME, "Name?")
    assert stage.session.ttl_seconds == 90 + SESSION_GRACE_SECONDS


async def test_the_answer_stands_in_the_output(stage: Stage) -> None:
    outcome = await stage.resume(SCREEN, {"message": "Name?", "expectInput": True}, NAME, "Asha")
    assert outcome == Done(output={"sessionId": "ATUid_1", "message": "Name?", "input": "Asha"})


async def test_any_answer_goes_on_a_text_screen(stage: Stage) -> None:
    outcome = await stage.resume(SCREEN, {"message": "Name?", "expectInput": True}, NAME, "")
    assert isinstance(outcome, Done)
    assert outcome.output["input"] == ""


async def test_an_empty_answer_to_an_input_screen_asks_again(stage: Stage) -> None:
    document = {"message": "Name?", "expectInput": True, "menuType": "input"}
    assert isinstance(await stage.resume(SCREEN, document, NAME, "  "), Wait)
    assert isinstance(await stage.resume(SCREEN, document, NAME, "A"), Done)


async def test_a_screen_may_end_the_session(stage: Stage) -> None:
    outcome = await stage.run(SCREEN, {"message": "Bye", "autoEndSession": True})
    assert outcome.text == "Bye"
    assert stage.session.ended


async def test_a_menu_shows_its_items_below_the_message(stage: Stage) -> None:
    items = [{"option": "1", "text": "Prices"}, {"option": 2, "text": "Order"}]
    outcome = await stage.run(SCREEN, {"message": "Soko", "menuType": "menu", "expectInput": True, "menuItems": items})
    assert outcome.text == "Soko\n1. Prices\n2. Order"


async def test_a_long_menu_is_turned_page_by_page(stage: Stage) -> None:
    first = waiting(await stage.run(SCREEN, LIST))
    assert first.text == "Soko\n1. Crop 1\n2. Crop 2\n99. Next"
    second = waiting(await stage.resume(SCREEN, LIST, first.memory, "99"))
    assert second.text == "Soko\n3. Crop 3\n4. Crop 4\n99. Next\n98. Back"
    third = waiting(await stage.resume(SCREEN, LIST, second.memory, "99"))
    assert third.text == "Soko\n5. Crop 5\n98. Back"
    back = waiting(await stage.resume(SCREEN, LIST, third.memory, "98"))
    assert back.text == second.text
    chosen = done(await stage.resume(SCREEN, LIST, back.memory, "4"))
    assert chosen == Done(output={"sessionId": "ATUid_1", "message": second.text, "input": "4"})


async def test_page_keys_that_lead_nowhere_are_answers(stage: Stage) -> None:
    first = waiting(await stage.run(SCREEN, LIST))
    last = {**first.memory, "page": 2}
    assert done(await stage.resume(SCREEN, LIST, first.memory, "98")).output["input"] == "98"
    assert done(await stage.resume(SCREEN, LIST, last, "99")).output["input"] == "99"


async def test_the_lines_of_a_long_message_are_turned_too(stage: Stage) -> None:
    document = {"message": "one\ntwo\nthree", "pagination": {"enabled": True, "itemsPerPage": 2, "nextKey": "#"}}
    first = waiting(await stage.run(SCREEN, document))
    assert first == Wait(
        WaitKind.INPUT, 60_000, {"page": 0, "pages": ["one\ntwo\n#. Next", "three"]}, "one\ntwo\n#. Next"
    )
    last = await stage.resume(SCREEN, document, first.memory, "#")
    assert last == Done(output={"sessionId": "ATUid_1", "message": "three"}, text="three")


async def test_a_page_has_no_more_than_a_phone_shows_once_its_values_are_known(stage: Stage) -> None:
    wordy = {"message": "Hello " + "\u00ea" * 30, "expectInput": True, "pagination": {"enabled": True}}
    items = [{"option": str(number), "text": "Maize, first grade"} for number in range(1, 4)]
    first = waiting(await stage.run(SCREEN, {**wordy, "menuType": "menu", "menuItems": items}))
    assert first.text == "Hello " + "\u00ea" * 30 + "\n1. Maize, first grade\n99. Next"
    assert [page.count("Maize") for page in first.memory["pages"]] == [1, 1, 1]


async def test_a_long_text_is_read_page_by_page(stage: Stage) -> None:
    document = {"message": "mahindi " * 40, "pagination": {"enabled": True}}
    first = waiting(await stage.run(SCREEN, document))
    assert first.text is not None
    assert first.text.endswith("mahindi\n99. Next")
    assert len(first.text) <= 160


async def test_a_list_that_fits_has_no_page_keys(stage: Stage) -> None:
    outcome = await stage.run(SCREEN, {**LIST, "pagination": {"enabled": True, "itemsPerPage": 5}})
    assert outcome.text == "Soko\n" + "\n".join(f"{number}. Crop {number}" for number in range(1, 6))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1", "1"),
        ("1.", "1"),
        ("1)", "1"),
        ("1#", "1"),
        ("*1#", "1"),
        ("99.", "99"),
        ("yes", "Yes"),
        ("YES.", "Yes"),
        ("01", "01"),
        ("-1", "-1"),
        ("1*2", "1*2"),
        ("#", "#"),
        ("", ""),
        ("one", "one"),
    ],
)
def test_an_option_is_understood_with_what_people_type_around_it(typed: str, meant: str) -> None:
    items = [{"option": "1", "text": "Prices"}, {"option": "Yes", "text": "Order"}, {"option": "0", "text": "Back"}]
    assert SCREEN.meant(Config.model_validate({**LIST, "menuItems": items}), typed) == meant


def test_what_is_offered_counts_before_what_looks_like_it() -> None:
    items = [{"option": "1", "text": "a"}, {"option": "1#", "text": "b"}, {"option": "A", "text": "c"}]
    config = Config.model_validate({"message": "", "menuType": "menu", "expectInput": True, "menuItems": items})
    assert [SCREEN.meant(config, typed) for typed in ("1#", "1", "a")] == ["1#", "1", "A"]


def test_options_that_stand_in_the_text_are_understood_too_and_free_text_is_left_alone() -> None:
    asked = Config.model_validate({"message": "How many kilos?\n0. Back", "expectInput": True})
    assert [SCREEN.meant(asked, typed) for typed in ("0.", "70.", "Asha.")] == ["0", "70.", "Asha."]


@pytest.mark.parametrize("message", ["", " ", "\n \n"])
async def test_a_blank_screen_fails_instead_of_being_shown(stage: Stage, message: str) -> None:
    with pytest.raises(NodeFailure, match="INVALID_MESSAGE"):
        await stage.run(SCREEN, {"message": message, "expectInput": True})


async def test_blank_closing_words_are_none(stage: Stage) -> None:
    assert await stage.run(END, {"message": " \n"}) == Done(output={"ended": True})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"message": "x", "autoEndSession": True, "expectInput": True}, ("INVALID_NODE_CONFIG", "autoEndSession")),
        ({"message": " ", "expectInput": True}, ("INVALID_NODE_CONFIG", "message")),
        ({"message": "x", "menuType": "menu", "expectInput": True}, ("INVALID_NODE_CONFIG", "menuItems")),
        ({"message": "x", "menuItems": [{"option": "1", "text": "a"}]}, ("INVALID_NODE_CONFIG", "menuItems")),
        ({"message": "x", "menuType": "input"}, ("SCREEN_WITHOUT_INPUT", "expectInput")),
        (
            {**LIST, "pagination": {"enabled": True, "nextKey": "1"}},
            ("INVALID_NODE_CONFIG", "menuItems[0].option"),
        ),
        (
            {"message": "x", "pagination": {"enabled": True, "nextKey": "0", "prevKey": "0"}},
            ("INVALID_NODE_CONFIG", "pagination.prevKey"),
        ),
    ],
)
def test_a_screen_that_makes_no_sense_is_found(
    findings: Findings, document: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert expected in findings(SCREEN, document)


def test_a_plain_list_is_found_sound(findings: Findings) -> None:
    assert findings(SCREEN, LIST) == []


async def test_the_end_says_goodbye_and_ends_the_session(stage: Stage) -> None:
    assert await stage.run(END, {"message": "Thank you!"}) == Done(output={"ended": True}, text="Thank you!")
    assert stage.session.ended


async def test_the_end_may_be_silent_and_give_a_reason(stage: Stage) -> None:
    assert await stage.run(END, {"reason": "done"}) == Done(output={"ended": True, "reason": "done"})


async def test_the_end_may_clear_the_values_of_the_session(stage: Stage) -> None:
    stage.session.data[Scope.SESSION] = {"pin": "1"}
    await stage.run(END, {"clearData": True})
    assert stage.session.data[Scope.SESSION] == {}


async def test_the_end_may_keep_the_values_beyond_the_session(stage: Stage) -> None:
    stage.session.data[Scope.SESSION] = {"name": "Asha"}
    await stage.run(END, {"saveData": True, "clearData": True})
    assert stage.session.data[Scope.WORKFLOW] == {"name": "Asha"}
    assert stage.session.data[Scope.SESSION] == {}


async def test_values_cannot_be_kept_without_a_phone_number(stage: Stage) -> None:
    stage.session.msisdn = None
    with pytest.raises(NodeFailure, match="NO_PHONE_NUMBER"):
        await stage.run(END, {"saveData": True})


async def test_the_output_holds_the_screen_as_it_was_shown(stage: Stage) -> None:
    shown = waiting(await stage.run(SCREEN, {"message": "Hello Asha", "expectInput": True}))
    answered = done(await stage.resume(SCREEN, {"message": "Hello 1", "expectInput": True}, shown.memory, "1"))
    assert answered.output["message"] == "Hello Asha"
