"""What the environment may say, and what it may not."""

import asyncio
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracerProvider

from rpc.config import ConfigError
from services.at_adapter.config import AtAdapterConfig
from services.at_adapter.outgoing.sdk import SmsRequests
from services.at_adapter.outgoing.sms import Premium, SmsOrder
from services.at_adapter.server import serve

PRODUCTION = {"AT_ENVIRONMENT": "production", "AT_USERNAME": "acme", "AT_API_KEY": "k"}
ORDER = SmsOrder(("+254711000001",), "Hello", "21512", enqueue=False, premium=None)
PREMIUM = SmsOrder(("+254711000001",), "Hello", "21512", enqueue=False, premium=Premium("", ""))


def problems(**variables: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        AtAdapterConfig.from_env(variables)
    return [problem.split(":")[0] for problem in caught.value.problems]


def test_nothing_set_means_the_emulator_on_this_machine() -> None:
    config = AtAdapterConfig.from_env({})

    assert (config.listen, config.callbacks_listen, config.engine_target) == (
        "127.0.0.1:50054",
        "127.0.0.1:8090",
        None,
    )
    assert SmsRequests(config.account).request_for(ORDER).url == "http://127.0.0.1:8070/api/version1/messaging"
    assert config.sms_rate_per_second is None


@pytest.mark.parametrize(
    ("variables", "host", "premium_host"),
    [
        (PRODUCTION, "https://api.africastalking.com", "https://content.africastalking.com"),
        (
            {"AT_ENVIRONMENT": "sandbox", "AT_API_KEY": "k"},
            "https://api.sandbox.africastalking.com",
            "https://api.sandbox.africastalking.com",
        ),
    ],
)
def test_each_environment_has_its_hosts(variables: dict[str, str], host: str, premium_host: str) -> None:
    requests = SmsRequests(AtAdapterConfig.from_env(variables).account)

    assert requests.request_for(ORDER).url == f"{host}/version1/messaging"
    assert requests.request_for(PREMIUM).url == f"{premium_host}/version1/messaging"


def test_every_problem_is_reported_at_once() -> None:
    assert problems(
        AT_ENVIRONMENT="production", NJIA_AT_SMS_RATE_PER_SECOND="many", NJIA_AT_CALLBACK_TOKEN="short"
    ) == ["AT_USERNAME", "AT_API_KEY", "NJIA_AT_SMS_RATE_PER_SECOND", "NJIA_AT_CALLBACK_TOKEN"]


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"AT_ENVIRONMENT": "sandbox"}, "AT_API_KEY"),
        ({**PRODUCTION, "AT_USERNAME": "sandbox"}, "AT_USERNAME"),
        ({"AT_ENVIRONMENT": "sandbox", "AT_API_KEY": "k", "AT_USERNAME": "acme"}, "AT_USERNAME"),
        ({**PRODUCTION, "AT_BASE_URL": "http://elsewhere"}, "AT_BASE_URL"),
        ({**PRODUCTION, "AT_API_KEY": "a\nb"}, "AT_API_KEY"),
        ({"AT_BASE_URL": "127.0.0.1:8070"}, "AT_BASE_URL"),
        ({"AT_ENVIRONMENT": "moon"}, "AT_ENVIRONMENT"),
        ({"NJIA_USSD_BUDGET_MS": "9500"}, "NJIA_USSD_BUDGET_MS"),
    ],
)
def test_what_does_not_go_together_is_refused(variables: dict[str, str], problem: str) -> None:
    assert problems(**variables) == [problem]


def test_the_configuration_shows_no_secret() -> None:
    config = AtAdapterConfig.from_env(
        {**PRODUCTION, "AT_API_KEY": "the-api-key", "NJIA_AT_CALLBACK_TOKEN": "the-callback-token-1"}
    )

    assert "the-api-key" not in repr(config)
    assert "the-callback-token-1" not in repr(config)
    assert "the-api-key" not in repr(SmsRequests(config.account).request_for(ORDER))


async def test_production_without_credentials_does_not_start() -> None:
    with pytest.raises(ConfigError, match=r"AT_USERNAME.*AT_API_KEY"):
        await serve({"AT_ENVIRONMENT": "production"}, NoOpTracerProvider(), asyncio.Event())


async def test_a_port_that_is_taken_ends_the_start_and_leaves_nothing_behind(adapter: Any, redis_url: str) -> None:
    from rpc.listening import ListenFailed

    with pytest.raises(ListenFailed):
        await serve(
            {"NJIA_REDIS_URL": redis_url, "NJIA_AT_ADAPTER_LISTEN": adapter.target},
            NoOpTracerProvider(),
            asyncio.Event(),
        )
