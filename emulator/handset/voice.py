"""What a person does in a call: listens, presses keys, hangs up."""

import time

from emulator.handset.control_client import ControlClient, LiveCall
from emulator.handset.display import Display
from emulator.handset.inbox import QUIET_SECONDS, Inbox
from emulator.handset.keypad import Keypad
from emulator.handset.phone import HANG_UP, remedy

REFUSE = "/busy"
"""Typing this while the phone rings refuses the call."""

POLL_SECONDS = 0.1


class VoicePhone:
    """
    A phone that is called, or calls.

    Args:
        client: The network.
        display: What is heard, in words.
        keypad: The keys.
        msisdn: The number.
    """

    def __init__(self, client: ControlClient, display: Display, keypad: Keypad, msisdn: str) -> None:
        self._client = client
        self._display = display
        self._keypad = keypad
        self._msisdn = msisdn
        self._inbox = Inbox(client, msisdn)
        self._heard = 0

    def call(self, number: str, wait_seconds: float) -> bool:
        """Calls a number and stays until the call is over. Returns whether the platform took it."""
        self._display.say(f"Calling {number} from {self._msisdn}. {HANG_UP} or Ctrl-C hangs up, an empty line waits.")
        return self._talk(self._client.call(self._msisdn, number), wait_seconds)

    def wait_for_call(self, wait_seconds: float) -> bool:
        """Waits for a call, lets the person pick up, and stays until it is over. Returns whether one was answered."""
        self._display.say(f"Waiting for a call to {self._msisdn}, {wait_seconds:g} s at the longest.")
        deadline = time.monotonic() + wait_seconds
        while (ringing := self._ringing()) is None:
            if time.monotonic() > deadline:
                self._display.say("Nobody called.")
                return False
            time.sleep(POLL_SECONDS)
        self._display.say(f"{ringing.number} is calling. Enter picks up, {REFUSE} refuses.")
        typed = self._keys()
        if typed is None or typed == REFUSE:
            self._client.in_call(ringing.session_id, "refuse", {"cause": "USER_BUSY"})
            self._display.say("Refused.")
            return False
        return self._talk(self._client.in_call(ringing.session_id, "answer", {}), wait_seconds)

    def _ringing(self) -> LiveCall | None:
        return next((call for call in self._client.calls(self._msisdn) if call.rings), None)

    def _talk(self, call: LiveCall, wait_seconds: float) -> bool:
        try:
            while self._listen(call):
                call = self._next(call)
        except KeyboardInterrupt:
            self._client.in_call(call.session_id, "hangup", {})
            raise
        self._show_sms_until_quiet(wait_seconds)
        return call.error is None and call.hangup_cause == "NORMAL_CLEARING"

    def _listen(self, call: LiveCall) -> bool:
        """Shows what was heard since. Returns whether the call goes on."""
        for words in call.heard[self._heard :]:
            self._display.heard(words)
        self._heard = len(call.heard)
        if call.error is not None:
            self._display.say(f"The network ended the call: {call.error}.")
            if "gave no answer" in call.error:
                self._display.say(remedy(call.error))
        elif not call.active:
            self._display.say(f"The call is over ({call.hangup_cause}).")
            if call.hangup_cause == "CALL_REJECTED":
                self._display.say("`njia unclaimed` lists it where no flow is for this number.")
        return call.active

    def _next(self, call: LiveCall) -> LiveCall:
        typed = self._keys()
        if typed is None or typed == HANG_UP:
            return self._client.in_call(call.session_id, "hangup", {})
        # Meanwhile the time may have run out, or the call may be over.
        now = self._client.look_at_call(call.session_id)
        if now.waits_for not in ("keys", "recording"):
            return now
        if not typed:
            return self._client.in_call(call.session_id, "silence", {})
        return self._client.in_call(call.session_id, "keys", {"keys": typed})

    def _keys(self) -> str | None:
        self._display.prompt()
        typed = self._keypad.line(lambda: None)
        if not self._display.interactive or typed is None:
            self._display.typed(typed or "")
        return typed

    def _show_sms_until_quiet(self, longest_seconds: float) -> None:
        deadline = time.monotonic() + longest_seconds
        while (left := deadline - time.monotonic()) > 0:
            arrived = self._inbox.wait(min(QUIET_SECONDS, left))
            if not arrived:
                return
            for message in arrived:
                self._display.sms(message.sender, message.text)
