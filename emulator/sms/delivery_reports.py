"""Tells the platform what became of its messages."""

import asyncio

import structlog

from emulator.background import Background
from emulator.callbacks import CallbackAnswer, CallbackFailed, CallbackSender, form_callback
from emulator.networks import SANDBOX_NETWORK
from emulator.settings import LiveSettings
from emulator.sms.messages import SentMessage, SentMessages

TIMEOUT_SECONDS = 10.0
AUTOMATIC_STATUSES = ("Sent", "Success")

log = structlog.get_logger(__name__)


class DeliveryReports:
    """Posts reports, by themselves after a message was accepted or when a test asks for one."""

    def __init__(
        self, sender: CallbackSender, messages: SentMessages, settings: LiveSettings, background: Background
    ) -> None:
        self._sender = sender
        self._messages = messages
        self._settings = settings
        self._background = background

    def report_accepted(self, message: SentMessage) -> None:
        """Reports an accepted message as the settings have it, after the request was answered."""
        settings = self._settings.current
        if not settings.delivery_reports:
            return
        statuses = AUTOMATIC_STATUSES if settings.delivery_report_order == "in_order" else AUTOMATIC_STATUSES[::-1]
        plan = [status for status in statuses for _ in range(settings.delivery_report_copies)]
        work = self._report_all(message, plan, settings.delivery_report_delay_ms / 1000)
        self._background.start("delivery reports", work)

    async def report(
        self,
        message_id: str,
        phone_number: str,
        status: str,
        *,
        failure_reason: str | None = None,
        network_code: str = SANDBOX_NETWORK,
        retry_count: int | None = None,
    ) -> CallbackAnswer:
        """
        Posts one report and notes the status.

        Raises:
            CallbackFailed: The platform gave no answer.
        """
        form = [("id", message_id), ("status", status), ("phoneNumber", phone_number), ("networkCode", network_code)]
        if failure_reason is not None:
            form.append(("failureReason", failure_reason))
        if retry_count is not None:
            form.append(("retryCount", str(retry_count)))
        self._messages.report(message_id, status)
        return await self._sender.post(form_callback("/sms/delivery", form), TIMEOUT_SECONDS)

    async def _report_all(self, message: SentMessage, plan: list[str], delay_seconds: float) -> None:
        for status in plan:
            await asyncio.sleep(delay_seconds)
            # How the original repeats a report that was not taken is not documented, so it is not repeated.
            try:
                answer = await self.report(
                    message.message_id, message.to, status, retry_count=0 if message.premium else None
                )
            except CallbackFailed as failure:
                log.warning("delivery report lost", message_id=message.message_id, status=status, error=str(failure))
                continue
            if answer.status != 200:
                log.warning(
                    "delivery report refused", message_id=message.message_id, status=status, http_status=answer.status
                )
