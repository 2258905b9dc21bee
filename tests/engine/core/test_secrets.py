"""What a person types into a sensitive screen: the flow can use it, the journal does not show it."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.engine.core.secrets import WatchfulCipher
from services.engine.core.state import Reply
from tests.engine.core.flow_dicts import NUMBER, ask, bye, condition, document, sms, switch, write
from tests.engine.core.outside import Answer, PlainCipher, failing
from tests.engine.core.virtual_time import in_virtual_time
from tests.engine.core.world import Phone, World
from workflow.sealing import MASK, SEALED, masked

PIN = "90817263"
WRONG = "11112222"


def mark(text: str) -> str:
    """Stands for the keyed hash of a text."""
    return text.replace(PIN, "mark").replace(WRONG, "other")


class Recording(World):
    """A world whose turns are recorded as an engine with a key records them."""

    def comes_in(self, key: str | None, payload: Mapping[str, Any], **more: Any) -> None:
        text = payload.get("text")
        typed = {"text": {SEALED: PlainCipher().seal(text)}} if text else {}
        super().comes_in(None if key is None else mark(key), {**payload, **typed})

    @property
    def journal(self) -> str:
        """All that was ever written, except for replies: what a screen shows is for the author to say."""
        disk = self.disk
        return b"\n".join([*disk.states, *disk.results, *disk.turns]).decode()


class PinPhone(Phone):
    """Waits for the answer by the mark of what was typed."""

    async def _calls_back(self) -> "Phone":
        payload = {"msisdn": NUMBER, "serviceCode": "*384*1#", "text": self._text, "input": ""}
        self._world.comes_in(self._text, payload)
        self.screen = await self._world.answer(mark(self._text))
        return self


def chosen_twice(**nodes: Any) -> dict[str, Any]:
    return document(
        "ussd",
        {
            "pin": ask("PIN?", sensitive=True),
            "again": ask("Again?", sensitive=True),
            "same": condition("{{node_pin.output.input}} == {{input}}"),
            "set": bye("Set."),
            "differs": bye("They differ."),
            **nodes,
        },
        ["start > pin", "pin > again", "again > same", "same:true > set", "same:false > differs"],
    )


LONG = "sk-live-4711-" + "x" * 500


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"{LONG[:20]!r} is no phone number", f"'{MASK}' is no phone number"),
        (f'not "{LONG[:40]}…", and not "{LONG}"', f'not "{MASK}…", and not "{MASK}"'),
        (f"the server said: token {LONG[:6]}", f"the server said: token {MASK}"),
        (
            "'sk-lamp' is another word, and sk-live alone is none",
            "'sk-lamp' is another word, and sk-live alone is none",
        ),
    ],
)
def test_a_quote_that_was_cut_shows_no_beginning_of_a_secret(message: str, shown: str) -> None:
    cipher = WatchfulCipher(PlainCipher())
    cipher.remember([LONG])
    assert cipher.masked(message) == shown
    assert cipher.masked_document({"body": message}) == {"body": shown}


@in_virtual_time
async def test_a_secret_can_be_compared_and_is_nowhere_in_the_journal() -> None:
    world = Recording(chosen_twice())
    phone = PinPhone(world)
    (await phone.dials()).sees("PIN?")
    (await phone.types(PIN)).sees("Again?")
    (await phone.types(PIN)).reads_last("Set.")
    await world.rest()
    assert PIN not in world.journal
    assert masked(world.output("pin")) == {"sessionId": "ATUid_1", "message": "PIN?", "input": MASK}


@in_virtual_time
async def test_secrets_of_a_dialled_shortcut_are_hidden_as_well() -> None:
    world = Recording(chosen_twice())
    (await PinPhone(world).dials(f"{PIN}*{WRONG}")).reads_last("They differ.")
    await world.rest()
    assert PIN not in world.journal
    assert WRONG not in world.journal
    assert masked(world.output("start") or {})["text"] == MASK


@in_virtual_time
async def test_a_secret_that_a_node_carries_on_is_encrypted_again() -> None:
    flow = document(
        "ussd",
        {
            "pin": ask("PIN?", sensitive=True),
            "which": switch("1", "2"),
            "send": sms(message="Your PIN is {{node_pin.output.input}}"),
            "end": bye("Sent."),
        },
        ["start > pin", "pin > which", "which > send", "send > end"],
    )
    world = Recording(flow)
    world.sms.script[NUMBER] = [failing(), Answer()]
    phone = PinPhone(world)
    await phone.dials()
    (await phone.types(PIN)).reads_last("Sent.")
    await world.rest()
    assert world.sms.texts() == [f"Your PIN is {PIN}"]
    assert PIN not in world.journal
    assert masked(world.output("which")) == {"value": MASK, "matched": None}


@in_virtual_time
async def test_a_secret_that_a_node_leaves_by_is_masked_in_the_log() -> None:
    flow = document(
        "ussd",
        {"pin": ask("PIN?", sensitive=True), "which": switch(PIN, "2"), "right": bye("Yes."), "wrong": bye("No.")},
        ["start > pin", "pin > which", (f"which:{PIN} > right", {"id": "known"}), "which > wrong"],
    )
    world = Recording(flow)
    phone = PinPhone(world)
    await phone.dials()
    (await phone.types(PIN)).reads_last("Yes.")
    await world.rest()
    assert [result.handle for result in world.results("which")] == [MASK]
    assert PIN not in world.journal


@in_virtual_time
async def test_a_secret_that_is_kept_in_the_session_is_encrypted_there_and_can_be_used() -> None:
    flow = document(
        "ussd",
        {
            "pin": ask("PIN?", sensitive=True),
            "keep": write(pin="{{input}}", note="typed {{input}}", nested={"same": ["{{input}}"]}, name="Asha"),
            "send": sms(message="{{session.data.note}} {{session.data.nested.same}} {{session.data.name}}"),
            "end": bye("Bye."),
        },
        ["start > pin", "pin > keep", "keep > send", "send > end"],
    )
    world = Recording(flow)
    phone = PinPhone(world)
    await phone.dials()
    (await phone.types(PIN)).reads_last("Bye.")
    await world.rest()
    assert world.sms.texts() == [f'typed {PIN} ["{PIN}"] Asha']
    assert PIN not in world.journal
    kept = {"pin": MASK, "note": MASK, "nested": {"same": [MASK]}, "name": "Asha"}
    assert masked(world.output("keep")) == {"sessionData": kept}


@in_virtual_time
async def test_a_failure_that_quotes_a_secret_is_masked() -> None:
    flow = document(
        "ussd",
        {"pin": ask("PIN?", sensitive=True), "send": sms(to="{{input}}"), "end": bye("Sorry.")},
        ["start > pin", "pin > send", "send:error > end"],
    )
    world = Recording(flow)
    phone = PinPhone(world)
    await phone.dials()
    (await phone.types(PIN)).reads_last("Sorry.")
    await world.rest()
    error = world.results("send")[-1].error
    assert error is not None
    assert error.code == "INVALID_PHONE_NUMBER"
    assert PIN not in world.journal


@in_virtual_time
async def test_only_the_answer_of_the_sensitive_screen_is_hidden() -> None:
    flow = document(
        "ussd",
        {"name": ask("Name?"), "keep": write(name="{{input}}"), "pin": ask("PIN?", sensitive=True), "end": bye("Bye.")},
        ["start > name", "name > keep", "keep > pin", "pin > end"],
    )
    world = Recording(flow)
    phone = PinPhone(world)
    await phone.dials()
    await phone.types("Wanjiru")
    (await phone.types(PIN)).reads_last("Bye.")
    await world.rest()
    assert (world.output("name") or {})["input"] == "Wanjiru"
    assert world.output("keep") == {"sessionData": {"name": "Wanjiru"}}
    assert PIN not in world.journal


@in_virtual_time
async def test_an_empty_answer_of_a_sensitive_prompt_asks_again() -> None:
    flow = document(
        "ussd", {"pin": ask("PIN?", sensitive=True, menuType="input"), "end": bye("Bye.")}, ["start > pin", "pin > end"]
    )
    world = Recording(flow)
    phone = PinPhone(world)
    await phone.dials()
    (await phone.types("")).sees("PIN?")
    (await phone.types(PIN)).reads_last("Bye.")


@in_virtual_time
@pytest.mark.parametrize("stop_after", range(1, 8))
async def test_a_secret_survives_a_crash_behind_any_step_and_stays_hidden(stop_after: int) -> None:
    world = Recording(chosen_twice())
    world.steps.stop_after = stop_after
    phone = PinPhone(world)
    await phone.dials()
    await phone.types(PIN)
    await phone.types(PIN)
    await world.rest()
    assert world.deaths == 1
    assert phone.screen == Reply("end", "Set.")
    assert PIN not in world.journal
