"""The parts of one emulator, put together."""

from collections.abc import Mapping
from typing import Any

from emulator.airtime.sent import SentAirtimes
from emulator.api.account import Account
from emulator.api.airtime import AirtimeApi
from emulator.api.calls import Calls
from emulator.api.messaging import Messaging
from emulator.api.payments import PaymentsApi
from emulator.background import Background
from emulator.callbacks import CallbackSender
from emulator.config import EmulatorConfig
from emulator.control.airtime import AirtimeControl
from emulator.control.behaviour import BehaviourControl
from emulator.control.consent import ConsentControl
from emulator.control.payments import PaymentsControl
from emulator.control.sms import SmsControl
from emulator.control.ussd import UssdControl
from emulator.control.voice import VoiceControl
from emulator.faults import Faults
from emulator.payments.payments import Payments
from emulator.settings import LiveSettings, Settings
from emulator.sms.acceptance import Acceptance
from emulator.sms.delivery_reports import DeliveryReports
from emulator.sms.incoming import IncomingMessages
from emulator.sms.messages import SentMessages
from emulator.submissions import Submissions
from emulator.ussd.driver import UssdDriver
from emulator.ussd.end_events import EndEvents
from emulator.voice.driver import VoiceDriver

SCREEN_CONNECTIONS = 256
"""USSD callbacks under way at a time."""

OTHER_CONNECTIONS = 16
"""Other callbacks under way at a time, apart so that no caller waits behind a delivery report."""

MAX_BACKGROUND_TASKS = 10_000


class Emulator:
    """All state is in memory and bounded; `reset` empties it, the end of the process loses it."""

    def __init__(self, config: EmulatorConfig) -> None:
        self._callbacks_url = config.callbacks_url
        self._settings = LiveSettings(Settings.model_validate({"deliveryReports": config.delivery_reports}))
        self._background = Background(MAX_BACKGROUND_TASKS)
        self._screens = CallbackSender(config.callbacks_url, config.callback_token, SCREEN_CONNECTIONS)
        self._others = CallbackSender(config.callbacks_url, config.callback_token, OTHER_CONNECTIONS)
        self._faults = Faults()
        self._messages = SentMessages()
        self._reports = DeliveryReports(self._others, self._messages, self._settings, self._background)
        self._acceptance = Acceptance(self._messages, self._reports)
        self._incoming = IncomingMessages(self._others, self._settings, self._background)
        self._submissions = Submissions()
        self._airtime = SentAirtimes(self._others, self._settings, self._background)
        self._payments = Payments(self._others, self._settings, self._background)
        self._driver = UssdDriver(
            self._screens, self._settings, EndEvents(self._others, self._settings, self._background)
        )
        self._calls = VoiceDriver(self._screens, self._settings, self._background)
        self.ussd = UssdControl(self._driver)
        self.voice = VoiceControl(self._calls)
        self.calls = Calls(self._calls, self._faults, config.api_key)
        self.sms = SmsControl(self._messages, self._incoming, self._reports, self._acceptance)
        self.consent = ConsentControl(self._others)
        self.behaviour = BehaviourControl(self._faults, self._settings, self.reset, self.counts)
        self.messaging = Messaging(self._acceptance, self._incoming, self._faults, config.api_key)
        self.airtime = AirtimeControl(self._airtime)
        self.airtime_api = AirtimeApi(self._airtime, self._submissions, self._faults, config.api_key)
        self.payments = PaymentsControl(self._payments)
        self.payments_api = PaymentsApi(self._payments, self._submissions, self._faults, config.api_key)
        self.account = Account(self._acceptance, self._faults, config.api_key)

    async def open(self) -> None:
        """Makes the emulator ready to call the platform."""
        await self._screens.open()
        await self._others.open()

    async def close(self) -> None:
        """Stops what runs in the background and closes the connections to the platform."""
        self._driver.clear()
        self._calls.clear()
        await self._background.stop()
        await self._screens.close()
        await self._others.close()

    async def reset(self) -> None:
        """Goes back to the start: no messages, sessions, faults or blacklist, the first settings."""
        await self._background.stop()
        self._driver.clear()
        self._calls.clear()
        self._messages.clear()
        self._incoming.clear()
        self._airtime.clear()
        self._payments.clear()
        self._submissions.clear()
        self._faults.reset()
        self._acceptance.reset()
        self._settings.reset()

    def counts(self) -> Mapping[str, Any]:
        """Returns what is there, for a person and for tests."""
        return {
            "callbacks": self._callbacks_url,
            "sms": {
                "requests": self._messages.counts["requests"],
                "accepted": self._messages.counts["accepted"],
                "incoming": len(self._incoming),
            },
            "airtime": len(self._airtime.to(None)),
            "payments": len(self._payments.of(None)),
            "faultsTaken": self._faults.taken,
            "ussdSessions": len(self._driver),
            "calls": len(self._calls),
            "backgroundTasks": len(self._background),
        }
