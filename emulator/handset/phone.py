"""What a person does with the phone: a USSD session, an SMS."""

import time

from emulator.handset.control_client import ControlClient, ShownScreen
from emulator.handset.display import Display
from emulator.handset.inbox import QUIET_SECONDS, Inbox
from emulator.handset.keypad import Keypad
from emulator.money import shown

HANG_UP = "/hangup"
"""Typing this hangs up; everything else, an empty line too, is sent."""

PAY = "1"
"""Typing this confirms a payment that the phone is asked for; everything else, and the end of the input, cancels it."""

_NOT_RUNNING = "Is the platform running? Start it with `make run`, or alone with `python -m services all`."
_LOOK_AT_THE_LOG = "`njia executions` says what a flow did about it, `njia unclaimed` what no flow is for."
_NOT_TRUSTED = "Start the emulator with SSL_CERT_FILE, which names the file of the authority that signed it."


def remedy(error: str) -> str:
    """Says what to do where the platform gave the network no answer."""
    return _NOT_TRUSTED if "certificate is not trusted" in error else _NOT_RUNNING


class Phone:
    """
    A phone with a number.

    Args:
        client: The network.
        display: The screen.
        keypad: The keys.
        msisdn: The number.
    """

    def __init__(self, client: ControlClient, display: Display, keypad: Keypad, msisdn: str) -> None:
        self._client = client
        self._display = display
        self._keypad = keypad
        self._msisdn = msisdn
        self._inbox = Inbox(client, msisdn)

    def call(self, code: str, service_code: str | None, network_code: str | None, wait_seconds: float) -> bool:
        """Dials and goes on until the session ends. Returns whether the application, or the caller, ended it."""
        self._display.say(f"Dialling {code} from {self._msisdn}. {HANG_UP} or Ctrl-C hangs up.")
        screen = self._client.dial(code, service_code, self._msisdn, network_code)
        try:
            while self._show(code, screen):
                typed = self._type()
                if typed is None or typed == HANG_UP:
                    return self._hang_up(screen.session_id, wait_seconds, by_caller=typed is not None)
                screen = self._client.enter(screen.session_id, typed)
        except KeyboardInterrupt:
            self._client.hang_up(screen.session_id)
            raise
        if screen.error is not None:
            return False
        self._answer_payments(wait_seconds)
        self._show_until_quiet(wait_seconds)
        return True

    def text(self, to: str, words: str, wait_seconds: float) -> bool:
        """Sends an SMS and waits for an answer. Returns whether one came."""
        self._display.say(f"SMS from {self._msisdn} to {to}: {words}")
        sent = self._client.send_sms(self._msisdn, to, words)
        if sent.error is not None:
            self._display.say(f"The network could not deliver it: {sent.error}.")
            self._display.say(remedy(sent.error))
            return False
        if not sent.delivered:
            self._display.say(
                f"The platform answered HTTP {sent.status}; the network delivers it again until it is 200."
            )
        answers = self._inbox.wait(wait_seconds)
        for message in answers:
            self._display.sms(message.sender, message.text)
        if not answers:
            self._display.say(f"No answer within {wait_seconds:g} s. {_LOOK_AT_THE_LOG}")
            return False
        self._show_until_quiet(wait_seconds)
        return True

    def opt_out(self, sender: str) -> bool:
        """Refuses the messages of a sender, of all where it is empty. Returns whether the platform has noted it."""
        self._display.say(f"{self._msisdn} opts out of the messages of {sender or 'every sender'}.")
        told = self._client.opt_out(self._msisdn, sender)
        if told.error is not None:
            self._display.say(f"The network could not tell the platform: {told.error}.")
            self._display.say(remedy(told.error))
        elif not told.delivered:
            self._display.say(f"The platform answered HTTP {told.status}: it has not noted it.")
        else:
            self._display.say("The platform has noted it.")
        return told.delivered

    def _show(self, code: str, screen: ShownScreen) -> bool:
        """Shows a screen. Returns whether the phone asks for an input."""
        if screen.error is not None:
            self._display.say(f"The network ended the session: {screen.error}.")
            if screen.error_code == "callback_unreachable":
                self._display.say(remedy(screen.error))
            return False
        self._display.screen(code, screen.text, ended=not screen.active)
        for warning in screen.warnings:
            self._display.warn(warning)
        return screen.active

    def _type(self) -> str | None:
        self._show_arrived()
        self._display.prompt()
        typed = self._keypad.line(self._show_arrived_at_prompt)
        if not self._display.interactive or typed is None:
            self._display.typed(typed or "")
        return typed

    def _hang_up(self, session_id: str, wait_seconds: float, *, by_caller: bool) -> bool:
        self._client.hang_up(session_id)
        if not by_caller:
            self._display.say("The input ended before the session did; hung up.")
            return False
        self._display.say("Hung up.")
        self._show_until_quiet(wait_seconds)
        return True

    def _answer_payments(self, wait_seconds: float) -> None:
        """Asks the person for every payment that the phone is asked for, and waits for what comes of it."""
        answered = False
        for asked in self._client.asked_payments(self._msisdn):
            self._display.payment(shown(asked.amount), asked.product_name)
            typed = self._type()
            self._client.answer_payment(asked.transaction_id, confirms=typed == PAY)
            answered = True
        if answered:
            for message in self._inbox.wait(wait_seconds):
                self._display.sms(message.sender, message.text)

    def _show_arrived(self) -> bool:
        arrived = self._inbox.new()
        for message in arrived:
            self._display.sms(message.sender, message.text)
        return bool(arrived)

    def _show_arrived_at_prompt(self) -> None:
        arrived = self._inbox.new()
        if arrived:
            self._display.end_line()
            for message in arrived:
                self._display.sms(message.sender, message.text)
            self._display.prompt()

    def _show_until_quiet(self, longest_seconds: float) -> None:
        """Shows what still arrives until nothing did for QUIET_SECONDS, at the longest for this time."""
        deadline = time.monotonic() + longest_seconds
        while (left := deadline - time.monotonic()) > 0:
            arrived = self._inbox.wait(min(QUIET_SECONDS, left))
            if not arrived:
                return
            for message in arrived:
                self._display.sms(message.sender, message.text)
