"""
API keys: what a line of the list says, and the list as it stands in its file.

    billing read,execute sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 rate=50

Only the hash of a key is kept. A key holds 32 random bytes, so that a plain hash cannot be guessed back.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from rpc.callers import GIVEN, RESERVED, Caller, Scope

PREFIX = "njia_"
"""What every key starts with, so that a scanner recognises one that leaked."""

KEY_BYTES = 32
LOOK_EVERY_SECONDS = 1.0
"""How long a changed file can go unnoticed."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_RATE = re.compile(r"rate=([0-9]+(?:\.[0-9]+)?)")

_log = structlog.get_logger()

Changed = Callable[[Sequence[str], Sequence[str]], None]
"""Told the names of keys that came and of those that went."""


class KeyListError(ValueError):
    """
    A list of keys cannot be used.

    Attributes:
        problems: One sentence a line.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key, to be shown once, and its line for the list."""

    key: str
    line: str


def new_key(name: str, scopes: Collection[Scope], rate_per_second: float | None = None) -> NewKey:
    """Makes a key. Raises KeyListError when the line would not be usable."""
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    ordered = ",".join(scope for scope in GIVEN if scope in scopes)
    rate = "" if rate_per_second is None else f" rate={rate_per_second:g}"
    line = f"{name} {ordered} sha256:{digest_of(key).hex()}{rate}"
    parse_keys(line)
    return NewKey(key, line)


def digest_of(key: str) -> bytes:
    """Returns what is kept of a key."""
    return sha256(key.encode(errors="replace")).digest()


def parse_keys(text: str) -> Mapping[bytes, Caller]:
    """
    Reads a list of keys, one a line or with semicolons between them; empty lines and those that begin with # are left
    out.

    Raises:
        KeyListError: A line is not `name scopes sha256:…`, or two have the same name or hash.
    """
    found: dict[bytes, Caller] = {}
    problems = []
    for number, line in enumerate(text.replace(";", "\n").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            digest, caller = _parsed(words)
        except ValueError as problem:
            problems.append(f"line {number}: {problem}")
            continue
        if digest in found or any(other.name == caller.name for other in found.values()):
            problems.append(f"line {number}: the name or the hash stands there twice")
        found[digest] = caller
    if problems:
        raise KeyListError(problems)
    return found


def _parsed(words: Sequence[str]) -> tuple[bytes, Caller]:
    if len(words) not in (3, 4):
        raise ValueError("must be `name scopes sha256:…`, as `njia keys new` prints it")
    if not _NAME.fullmatch(words[0]):
        raise ValueError("the name must be 1 to 64 of A-Z a-z 0-9 . _ -")
    if words[0] in RESERVED:
        raise ValueError(f"the name {words[0]} stands for others in the audit log")
    scopes = frozenset(words[1].split(","))
    if not scopes <= set(GIVEN):
        raise ValueError(f"the scopes must be some of {', '.join(GIVEN)}, with commas between them")
    hashed = _HASH.fullmatch(words[2])
    if hashed is None:
        raise ValueError("the third word must be sha256: and 64 hexadecimal digits; the key itself does not stand here")
    rate = None
    if len(words) == 4:
        given = _RATE.fullmatch(words[3])
        if given is None or float(given[1]) <= 0:
            raise ValueError("the fourth word must be rate= and the calls a second")
        rate = float(given[1])
    return bytes.fromhex(hashed[1]), Caller(words[0], frozenset(map(Scope, scopes)), rate)


class ApiKeys:
    """A list of keys. That of a file is read again when the file changes; one that cannot be used changes nothing."""

    def __init__(
        self, keys: Mapping[bytes, Caller], file: Path | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        """`now` tells seconds."""
        self._keys = keys
        self._file = file
        self._now = now
        self._seen = None if file is None else _stamp(file)
        self._looked_at = now()
        self._changed: list[Changed] = []

    def when_changed(self, changed: Changed) -> None:
        """Has somebody told when keys come or go."""
        self._changed.append(changed)

    def caller_of(self, digest: bytes) -> Caller | None:
        """Returns whose key has this hash. Looks at every key, so that the time it takes says nothing."""
        self._look()
        found = None
        for known, caller in self._keys.items():
            if hmac.compare_digest(known, digest):
                found = caller
        return found

    def _look(self) -> None:
        if self._file is None or self._now() - self._looked_at < LOOK_EVERY_SECONDS:
            return
        self._looked_at = self._now()
        stamp = _stamp(self._file)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            keys = parse_keys(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            _log.error("the changed list of API keys cannot be used; the one before stays", why=str(problem))
            return
        before, after = ({caller.name for caller in them.values()} for them in (self._keys, keys))
        self._keys = keys
        _log.info("the API keys have changed", came=sorted(after - before), went=sorted(before - after))
        for changed in self._changed:
            changed(sorted(after - before), sorted(before - after))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
