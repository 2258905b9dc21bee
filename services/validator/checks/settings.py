"""SCHEMA_VALIDATION_ERROR for settings that name nothing real."""

from collections.abc import Iterator
from functools import cache
from zoneinfo import available_timezones

import phonenumbers

from services.validator.flow import Flow
from workflow.issues import Issue
from workflow.suggestions import did_you_mean
from workflow.web.requests import url_problem


def check(flow: Flow) -> Iterator[Issue]:
    """Yields unknown time zones and countries, blank sentences, and addresses that cannot be called."""
    zone = flow.draft.settings.timezone
    if zone not in _time_zones():
        message = f'"{zone[:60]}" is no IANA time zone, such as Africa/Nairobi{did_you_mean(zone, _time_zones())}'
        yield Issue("SCHEMA_VALIDATION_ERROR", message, path="settings.timezone")
    country = flow.draft.settings.default_country
    if country is not None and country not in phonenumbers.SUPPORTED_REGIONS:
        message = f'"{country}" is no ISO 3166 country, such as KE'
        yield Issue("SCHEMA_VALIDATION_ERROR", message, path="settings.defaultCountry")
    texts = flow.draft.settings.ussd
    for name, text in (("apology", texts.apology), ("noText", texts.no_text), ("resumePrompt", texts.resume_prompt)):
        if not text.strip():
            message = "the sentence is blank: a person would see an empty screen; leave it out for the usual one"
            yield Issue("SCHEMA_VALIDATION_ERROR", message, path=f"settings.ussd.{name}")
    webhook = flow.draft.error_handling.error_webhook
    problem = url_problem(webhook) if webhook else None
    if problem:
        yield Issue("SCHEMA_VALIDATION_ERROR", problem, path="errorHandling.errorWebhook")


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
