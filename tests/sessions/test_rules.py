"""What the pure parts promise: JSON values, entries, tokens, configuration."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from rpc.config import ConfigError
from rpc.protection import UNPROTECTED
from services.sessions import json_values, rules
from services.sessions.config import SessionsConfig
from services.sessions.errors import InvalidSession
from services.sessions.listing import Entry, Position
from services.sessions.session import SessionType

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**100), 2**100)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
IDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=256)
ENTRIES = st.builds(Entry, IDS, st.sampled_from(SessionType), st.none() | st.from_regex(r"\A\+[0-9]{1,15}\Z"))


@given(document=st.dictionaries(TEXT, JSON, max_size=5))
def test_an_object_comes_back_as_it_went_in(document: dict[str, Any]) -> None:
    data = json_values.from_json("data_json", json.dumps(document))

    assert json.loads(json_values.to_json(data)) == document


def test_equal_data_is_equal_text() -> None:
    assert json_values.to_json({"b": "1", "a": "2"}) == json_values.to_json({"a": "2", "b": "1"}) == '{"a":2,"b":1}'


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "1", "{", '{"a":Infinity}', '{"a":1,"a":2}', '{"a":"\\ud800"}', '{"\\ud800":1}', "{}x"]
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidSession) as refused:
        json_values.from_json("changes[2].set_json", text)

    assert refused.value.field == "changes[2].set_json"


@given(entry=ENTRIES, created_at_ms=st.integers(0, 10**15))
def test_a_position_survives_its_token(entry: Entry, created_at_ms: int) -> None:
    position = Position(created_at_ms, str(entry))

    assert Position.from_token(position.token()) == position
    assert Entry.parse(position.entry) == entry


@given(session_id=IDS)
def test_an_id_of_printable_characters_is_taken(session_id: str) -> None:
    assert rules.check_id("session_id", session_id) == session_id


def test_new_ids_are_usable_and_differ() -> None:
    made = {rules.new_session_id() for _ in range(100)}

    assert len(made) == 100
    assert all(rules.check_id("session_id", session_id) for session_id in made)


def test_defaults_of_the_configuration() -> None:
    config = SessionsConfig.from_env({})

    assert config == SessionsConfig("127.0.0.1:50053", "redis://127.0.0.1:6379/0", 300, 3600, UNPROTECTED)


def test_all_problems_of_the_configuration_are_told_and_no_password() -> None:
    environ = {
        "NJIA_SESSIONS_LISTEN": "nowhere",
        "NJIA_REDIS_URL": "mysql://:secret@host",
        "NJIA_SESSIONS_TTL_SECONDS": "0",
        "NJIA_SESSIONS_RETENTION_SECONDS": "-1",
    }

    with pytest.raises(ConfigError) as refused:
        SessionsConfig.from_env(environ)

    assert [problem.split(":")[0] for problem in refused.value.problems] == list(environ)
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(SessionsConfig.from_env({"NJIA_REDIS_URL": "redis://:secret@host"}))
