"""The emulator's environment."""

import pytest

from emulator.config import from_env
from rpc.config import ConfigError


def test_the_defaults_suit_a_laptop() -> None:
    config = from_env({})
    assert (config.listen, config.callbacks_url) == ("127.0.0.1:8070", "http://127.0.0.1:8090")
    assert (config.api_key, config.callback_token, config.delivery_reports) == ("emulator", None, True)


@pytest.mark.parametrize("listen", ["0.0.0.0:8070", "192.168.1.5:8070", "[::]:8070", "example.org:8070"])
def test_an_address_beyond_this_machine_needs_to_be_meant(listen: str) -> None:
    with pytest.raises(ConfigError, match="NJIA_EMULATOR_EXPOSE"):
        from_env({"NJIA_EMULATOR_LISTEN": listen})
    exposed = from_env({"NJIA_EMULATOR_LISTEN": listen, "NJIA_EMULATOR_EXPOSE": "true"})
    assert exposed.listen == listen


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "localhost:8070", "[::1]:8070", "127.9.9.9:0"])
def test_loopback_is_always_allowed(listen: str) -> None:
    assert from_env({"NJIA_EMULATOR_LISTEN": listen}).listen == listen


@pytest.mark.parametrize("callbacks", ["example", "ftp://x", "http://", "http://x:port"])
def test_every_problem_is_reported_at_once(callbacks: str) -> None:
    environ = {"NJIA_EMULATOR_LISTEN": "x", "NJIA_EMULATOR_CALLBACKS": callbacks, "NJIA_EMULATOR_DELIVERY_REPORTS": "9"}
    with pytest.raises(ConfigError) as raised:
        from_env(environ)
    assert [problem.partition(":")[0] for problem in raised.value.problems] == [
        "NJIA_EMULATOR_LISTEN",
        "NJIA_EMULATOR_CALLBACKS",
        "NJIA_EMULATOR_DELIVERY_REPORTS",
    ]


def test_secrets_are_not_shown() -> None:
    config = from_env({"NJIA_AT_CALLBACK_TOKEN": "hush", "NJIA_EMULATOR_API_KEY": "quiet"})
    assert (config.callback_token, config.api_key) == ("hush", "quiet")
    assert "hush" not in repr(config)
    assert "quiet" not in repr(config)
