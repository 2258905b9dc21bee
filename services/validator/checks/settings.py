"""SCHEMA_VALIDATION_ERROR for settings that name nothing, UNSUPPORTED_SETTING for those without an effect yet."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import phonenumbers

from services.validator.flow import Flow
from workflow.issues import Issue
from workflow.suggestions import did_you_mean
from workflow.web.requests import url_problem

WITHOUT_EFFECT: Mapping[str, str] = {
    "settings.rateLimit": "starts are not limited",
}
"""Settings that this release reads and does not act on, with what that means. Zero means that they are not wanted."""


def check(flow: Flow) -> Iterator[Issue]:
    """Yields unknown time zones and countries, and settings that do nothing."""
    zone = flow.draft.settings.timezone
    if zone not in _time_zones():
        message = f'"{zone[:60]}" is no IANA time zone, such as Africa/Nairobi{did_you_mean(zone, _time_zones())}'
        yield Issue("SCHEMA_VALIDATION_ERROR", message, path="settings.timezone")
    country = flow.draft.settings.default_country
    if country is not None and country not in phonenumbers.SUPPORTED_REGIONS:
        message = f'"{country}" is no ISO 3166 country, such as KE'
        yield Issue("SCHEMA_VALIDATION_ERROR", message, path="settings.defaultCountry")
    webhook = flow.draft.error_handling.error_webhook
    problem = url_problem(webhook) if webhook else None
    if problem:
        yield Issue("SCHEMA_VALIDATION_ERROR", problem, path="errorHandling.errorWebhook")
    for path, meaning in WITHOUT_EFFECT.items():
        if _value(flow.draft.document, path) not in (None, 0):
            yield _without_effect(path, meaning)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _value(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _without_effect(path: str, meaning: str) -> Issue:
    name = path.rpartition(".")[2]
    return Issue("UNSUPPORTED_SETTING", f"{name} has no effect in this release: {meaning}", path=path, is_warning=True)
