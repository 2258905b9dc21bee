"""Reads configuration from the environment and reports every problem at once."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rpc.listening import parse_listen

N = TypeVar("N", int, float)

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


class ConfigError(Exception):
    """
    The environment does not make a usable configuration.

    Attributes:
        problems: One sentence a problem, each beginning with the variable's name.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Environment:
    """
    Reads typed values and collects what is wrong with them.

    Every reader returns its default (or a harmless value where there is none) after a problem, so that the reading
    goes on; `check()` at the end raises. A variable that is set to nothing counts as not set.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._problems: list[str] = []

    def check(self) -> None:
        """Raises ConfigError when any value read so far was not usable."""
        if self._problems:
            raise ConfigError(self._problems)

    def problem(self, name: str, sentence: str) -> None:
        """Adds a problem that a reader cannot see, such as two values that do not go together."""
        self._problems.append(f"{name}: {sentence}")

    def text(self, name: str, default: str) -> str:
        """Returns a text."""
        return self._variables.get(name, "").strip() or default

    def optional_text(self, name: str) -> str | None:
        """Returns a text, or None when it is not set."""
        return self._variables.get(name, "").strip() or None

    def required_text(self, name: str) -> str:
        """Returns a text that must be set."""
        value = self.optional_text(name)
        if value is None:
            self.problem(name, "is not set")
            return ""
        return value

    def choice(self, name: str, default: str, options: Sequence[str]) -> str:
        """Returns one of the options."""
        value = self.text(name, default)
        if value in options:
            return value
        self.problem(name, f"must be one of {', '.join(options)}, not {value!r}")
        return default

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """Returns a whole number, bounds included. Units are the caller's and stand in the name, such as _MS."""
        return self._number(name, default, minimum, maximum, int, "a whole number")

    def decimal(self, name: str, default: float, minimum: float, maximum: float) -> float:
        """Returns a number, bounds included; also for durations in _SECONDS."""
        return self._number(name, default, minimum, maximum, float, "a number")

    def switch(self, name: str, default: bool) -> bool:
        """Returns a truth value: 1 true yes on, 0 false no off."""
        value = self._variables.get(name, "").strip().lower()
        if not value:
            return default
        if value in _TRUE or value in _FALSE:
            return value in _TRUE
        self.problem(name, f"must be true or false, not {value!r}")
        return default

    def listen(self, name: str, default: str) -> str:
        """Returns an address to listen on, host:port; port 0 means any free one."""
        value = self.text(name, default)
        try:
            parse_listen(value)
        except ValueError as problem:
            self.problem(name, f"{problem}, not {value!r}")
            return default
        return value

    def optional_listen(self, name: str) -> str | None:
        """Returns an address to listen on, or None when it is not set."""
        return None if self.optional_text(name) is None else self.listen(name, "")

    def target(self, name: str, default: str) -> str:
        """Returns the address of another service, as gRPC names it: host:port, or a name with a scheme like dns:///."""
        value = self.text(name, default)
        return value if self._is_target(name, value) else default

    def optional_target(self, name: str) -> str | None:
        """Returns the address of another service, or None when it is not set."""
        value = self.optional_text(name)
        return value if value is not None and self._is_target(name, value) else None

    def secret(self, name: str) -> str | None:
        """
        Returns a secret from the variable itself or from the file that <name>_FILE names; None when neither is set.

        The value never stands in a problem.
        """
        value = self.optional_text(name)
        file = self.optional_text(f"{name}_FILE")
        if file is None:
            return value
        if value is not None:
            self.problem(name, f"is set twice, by itself and by {name}_FILE")
            return None
        try:
            content = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
            self.problem(f"{name}_FILE", f"cannot read {file}: {reason}")
            return None
        if not content:
            self.problem(f"{name}_FILE", f"{file} is empty")
            return None
        return content

    def required_secret(self, name: str) -> str:
        """Returns a secret that must be given; see `secret`."""
        known = len(self._problems)
        value = self.secret(name)
        if value is None and len(self._problems) == known:
            self.problem(name, f"is not set (nor {name}_FILE)")
        return value or ""

    def _is_target(self, name: str, value: str) -> bool:
        scheme, mark, _ = value.partition(":///")
        if mark and scheme:
            return True
        try:
            parse_listen(value.removeprefix("dns:"))
        except ValueError as problem:
            self.problem(name, f"{problem}, not {value!r}")
            return False
        return True

    def _number(self, name: str, default: N, minimum: N, maximum: N, parse: Callable[[str], N], what: str) -> N:
        text = self._variables.get(name, "").strip()
        if not text:
            return default
        try:
            value = parse(text)
        except ValueError:
            self.problem(name, f"must be {what} from {minimum} to {maximum}, not {text!r}")
            return default
        # A comparison with NaN is false, so NaN is refused too.
        if minimum <= value <= maximum:
            return value
        self.problem(name, f"must be from {minimum} to {maximum}, not {text}")
        return default
