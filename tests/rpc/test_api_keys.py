"""Lists of API keys, and who is let in with them."""

from pathlib import Path

import grpc
import pytest

from rpc.api_keys import ApiKeys, KeyListError, digest_of, new_key, parse_keys
from rpc.callers import Scope
from rpc.config import ConfigError, Environment
from rpc.guard import SERVICE, Guard
from rpc.protection import read_protection
from rpc.status import CallRefused
from rpc.token_buckets import TokenBuckets

SERVICE_KEY = "s" * 32


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_new_key_is_found_by_its_hash_and_stands_nowhere_in_its_line() -> None:
    made = new_key("billing", {Scope.EXECUTE, Scope.READ}, rate_per_second=50)
    caller = ApiKeys(parse_keys(made.line)).caller_of(digest_of(made.key))

    assert made.key not in made.line
    assert made.line.startswith("billing read,execute sha256:")
    assert caller is not None
    assert (caller.name, caller.rate_per_second) == ("billing", 50.0)
    assert [scope for scope in Scope if caller.may(scope)] == [Scope.READ, Scope.EXECUTE]


def test_admin_may_all_but_what_is_between_services() -> None:
    caller = next(iter(parse_keys(new_key("boss", {Scope.ADMIN}).line).values()))
    assert [scope for scope in Scope if not caller.may(scope)] == [Scope.SERVICE]


def test_every_faulty_line_is_told_and_no_key_with_it() -> None:
    good = new_key("a", {Scope.READ})
    text = "\n".join(
        (
            "# a comment",
            good.line,
            f"b read {good.key}",
            "c fly sha256:" + "0" * 64,
            "d read",
            good.line,
            "e read sha256:" + "1" * 64 + " rate=0",
            "service read sha256:" + "2" * 64,
        )
    )
    with pytest.raises(KeyListError) as refused:
        parse_keys(text)
    assert [problem.split(":")[0] for problem in refused.value.problems] == [f"line {n}" for n in (3, 4, 5, 6, 7, 8)]
    assert good.key not in str(refused.value)


def test_a_changed_file_counts_within_a_second_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    file, clock = tmp_path / "keys", Clock()
    old, new = new_key("old", {Scope.READ}), new_key("new", {Scope.READ})
    file.write_text(old.line)
    keys = ApiKeys(parse_keys(old.line), file, clock)
    told: list[tuple[list[str], list[str]]] = []
    keys.when_changed(lambda came, went: told.append((list(came), list(went))))

    write(file, new.line)
    assert keys.caller_of(digest_of(new.key)) is None
    clock.now += 1
    assert keys.caller_of(digest_of(new.key)) is not None
    assert keys.caller_of(digest_of(old.key)) is None
    assert told == [(["new"], ["old"])]

    write(file, "nonsense")
    clock.now += 1
    assert keys.caller_of(digest_of(new.key)) is not None


def write(file: Path, text: str) -> None:
    """Replaces a file as an editor does."""
    other = file.with_suffix(".new")
    other.write_text(text)
    other.replace(file)


def guard_of(*lines: str) -> Guard:
    return Guard(ApiKeys(parse_keys("\n".join(lines))), (SERVICE_KEY,), 2.0)


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer njia_wrong", "Basic {key}", "{key}", "Bearer é"])
def test_no_key_and_a_wrong_key_are_refused_alike(authorization: str | None) -> None:
    made = new_key("a", {Scope.READ})
    with pytest.raises(CallRefused) as refused:
        guard_of(made.line).admit(authorization and authorization.format(key=made.key), Scope.READ)
    assert refused.value.refusal.code is grpc.StatusCode.UNAUTHENTICATED
    assert refused.value.refusal.message == "this needs a valid API key: Authorization: Bearer <key>"


def test_a_key_makes_its_burst_and_is_then_told_when_to_come_back() -> None:
    made = new_key("a", {Scope.READ})
    guard = guard_of(made.line)
    for _ in range(4):
        assert guard.admit(f"bearer {made.key}", Scope.READ).name == "a"
    with pytest.raises(CallRefused) as refused:
        guard.admit(f"bearer {made.key}", Scope.READ)
    assert refused.value.refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert 0 < (refused.value.refusal.retry_after_ms or 0) <= 500
    for _ in range(10):
        assert guard.admit(f"Bearer {SERVICE_KEY}", Scope.SERVICE) is SERVICE


def test_a_bucket_fills_up_again() -> None:
    clock = Clock()
    buckets = TokenBuckets(clock)
    assert [buckets.wait_seconds("a", 0.5) for _ in range(2)] == [0, 2.0]
    assert buckets.wait_seconds("b", 0.5) == 0
    clock.now += 2
    assert buckets.wait_seconds("a", 0.5) == 0


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, ["NJIA_X_LISTEN"]),
        ({"NJIA_INSECURE": "true"}, []),
        ({"NJIA_SERVICE_KEY": SERVICE_KEY}, []),
        ({"NJIA_SERVICE_KEY": "short"}, ["NJIA_SERVICE_KEY"]),
        ({"NJIA_API_KEYS": new_key("a", {Scope.READ}).line}, ["NJIA_SERVICE_KEY"]),
        ({"NJIA_API_KEYS": "nonsense", "NJIA_SERVICE_KEY": SERVICE_KEY}, ["NJIA_API_KEYS"]),
        ({"NJIA_API_KEYS_FILE": "/nowhere", "NJIA_SERVICE_KEY": SERVICE_KEY}, ["NJIA_API_KEYS_FILE"]),
    ],
)
def test_nothing_listens_beyond_this_machine_without_keys(environ: dict[str, str], names: list[str]) -> None:
    variables = Environment(environ)
    read_protection(variables, grpc={"NJIA_X_LISTEN": "0.0.0.0:1"}, http={})
    assert problems_of(variables) == names


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"])
def test_this_machine_alone_needs_no_keys(listen: str) -> None:
    variables = Environment({})
    assert not read_protection(variables, grpc={}, http={"NJIA_X_LISTEN": listen}).asks_for_keys
    variables.check()


def problems_of(variables: Environment) -> list[str]:
    try:
        variables.check()
    except ConfigError as problem:
        return [sentence.split(":")[0] for sentence in problem.problems]
    return []
