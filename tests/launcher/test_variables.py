"""What `make run` makes of the environment that it is given."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from launcher import __main__ as launcher
from launcher.valkey import free_port


@pytest.mark.parametrize("given", [{"NJIA_ENCRYPTION_KEY": "own"}, {"NJIA_ENCRYPTION_KEY_FILE": "/keys/own"}])
def test_a_key_that_is_given_is_left_as_it_is(given: Mapping[str, str]) -> None:
    assert launcher._with_keys(given) == given


def test_a_key_is_made_where_none_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "DATA", tmp_path)
    assert Path(launcher._with_keys({})["NJIA_ENCRYPTION_KEY_FILE"]).read_text()


def test_the_address_of_redis_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://127.0.0.1:1/0\n")
    assert launcher._redis_url({"NJIA_REDIS_URL_FILE": str(tmp_path / "url")}) == "redis://127.0.0.1:1/0"


async def test_a_redis_that_was_asked_for_and_does_not_answer_is_named_without_its_password() -> None:
    port = free_port()
    with pytest.raises(launcher.CannotStartError) as refusal:
        async with asyncio.timeout(60):
            await launcher._redis({"NJIA_REDIS_URL": f"redis://:secret@127.0.0.1:{port}/0"})
    assert f"127.0.0.1:{port}" in str(refusal.value)
    assert "start it" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_key_for_the_services_is_made_where_api_keys_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "DATA", tmp_path)
    assert len(launcher._with_keys({"NJIA_API_KEYS_FILE": "/keys"})["NJIA_SERVICE_KEY"]) >= 32
    assert "NJIA_SERVICE_KEY" not in launcher._with_keys({})


@pytest.mark.parametrize("place", ["data", "data/logs", "data/valkey"])
def test_data_that_cannot_be_written_are_told_of_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("in the way")
    monkeypatch.setattr(launcher, "DATA", tmp_path / "data")
    assert launcher.main({}) == 1
    assert f"cannot write to {tmp_path / place}," in capsys.readouterr().err


def test_an_address_that_is_given_twice_is_told_of_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launcher, "DATA", tmp_path)
    assert launcher.main({"NJIA_GATEWAY_LISTEN": "127.0.0.1:8070"}) == 1
    assert "NJIA_GATEWAY_LISTEN and NJIA_EMULATOR_LISTEN: 127.0.0.1:8070" in capsys.readouterr().err
