"""Behaviour that can be switched while the emulator runs."""

from typing import Annotated, Any, Literal

from pydantic import Field

from emulator.document import Document


class Settings(Document):
    """
    Attributes:
        delivery_reports: Whether every accepted SMS is reported as Sent and then as Success without being asked.
        delivery_report_delay_ms: Time before each automatic report. Default 20.
        delivery_report_copies: How often each automatic report is delivered. Default 1.
        delivery_report_order: in_order reports Sent, then Success; reversed the other way round.
        incoming_retry_interval_ms: Time between two deliveries of an incoming SMS that was not answered with 200.
            Default 1,000; Africa's Talking waits a minute.
        incoming_retry_attempts: Deliveries of one incoming SMS in all. Default 720, which is 12 hours of minutes.
        ussd_answer_timeout_ms: How long the application may take for a screen. Default 10,000.
        ussd_session_limit_ms: How long a session may last; then it ends as Incomplete. Default 180,000, as in Kenya.
        ussd_end_events: Whether the end of a session is reported.
        airtime_status: What becomes of accepted airtime without being asked; None: nothing is reported.
        airtime_status_delay_ms: Time before that. Default 20.
        airtime_validation: Whether the platform is asked first whether the airtime is its own. Default false.
        payment_answer: What people do about a checkout: ask waits for somebody, the others answer at once.
        payment_answer_delay_ms: Time before a payment that waits for nobody is settled. Default 20.
        payment_retry_interval_ms: Time between two notifications of a payment that were answered with 400 or more.
            Default 1,000; Africa's Talking waits a minute.
        payment_retry_attempts: Notifications of one payment in all. Default 360, which is 6 hours of minutes.
        payment_validation: Whether the platform is asked first whether a payment to a user is its own. Default false.
        voice_answer_timeout_ms: How long the application may take to say what is done in a call. Default 10,000.
        voice_ring_ms: How long a phone rings that the application calls. Default 30,000.
        voice_events: Whether the states of calls are reported to the events address too.
    """

    delivery_reports: bool = True
    delivery_report_delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 20
    delivery_report_copies: Annotated[int, Field(ge=1, le=5)] = 1
    delivery_report_order: Literal["in_order", "reversed"] = "in_order"
    incoming_retry_interval_ms: Annotated[int, Field(ge=1, le=60_000)] = 1_000
    incoming_retry_attempts: Annotated[int, Field(ge=1, le=720)] = 720
    ussd_answer_timeout_ms: Annotated[int, Field(ge=1, le=60_000)] = 10_000
    ussd_session_limit_ms: Annotated[int, Field(ge=1, le=86_400_000)] = 180_000
    ussd_end_events: bool = True
    airtime_status: Literal["Success", "Failed"] | None = "Success"
    airtime_status_delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 20
    airtime_validation: bool = False
    payment_answer: Literal["ask", "confirm", "reject"] = "ask"
    payment_answer_delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 20
    payment_retry_interval_ms: Annotated[int, Field(ge=1, le=60_000)] = 1_000
    payment_retry_attempts: Annotated[int, Field(ge=1, le=360)] = 360
    payment_validation: bool = False
    voice_answer_timeout_ms: Annotated[int, Field(ge=1, le=60_000)] = 10_000
    voice_ring_ms: Annotated[int, Field(ge=1, le=600_000)] = 30_000
    voice_events: bool = True


class LiveSettings:
    """The settings in force."""

    def __init__(self, initial: Settings) -> None:
        self._initial = initial
        self.current = initial

    def change(self, changes: dict[str, Any]) -> Settings:
        """
        Replaces the settings that `changes` names, by their camelCase names.

        Raises:
            pydantic.ValidationError: An unknown name or a value that does not fit; nothing is changed.
        """
        self.current = Settings.model_validate({**self.current.model_dump(by_alias=True), **changes})
        return self.current

    def reset(self) -> None:
        """Goes back to the settings of the start."""
        self.current = self._initial
