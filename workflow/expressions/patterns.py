"""Regular expressions that take linear time, whatever pattern and text are. Syntax: RE2."""

from functools import lru_cache
from typing import Any

MAX_PATTERN_BYTES = 1000
_MAX_PROGRAM_BYTES = 1024 * 1024


class PatternError(Exception):
    """
    A pattern that is refused.

    Attributes:
        message: Why.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("_regexp",)

    def __init__(self, regexp: Any) -> None:
        self._regexp = regexp

    def fits(self, text: str) -> bool:
        """Tells whether it matches anywhere in `text`."""
        return self._regexp.search(text.encode(errors="replace")) is not None


@lru_cache(maxsize=64)
def compiled(pattern: str) -> Pattern:
    """
    Compiles a pattern of at most MAX_PATTERN_BYTES.

    Raises:
        PatternError: It is too long, or RE2 does not take it.
    """
    import re2  # Loads a native library, and few flows need it.

    encoded = pattern.encode(errors="replace")
    if len(encoded) > MAX_PATTERN_BYTES:
        raise PatternError(f"the pattern is longer than {MAX_PATTERN_BYTES} bytes")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_PROGRAM_BYTES
    try:
        return Pattern(re2.compile(encoded, options))
    except re2.error as problem:
        reason = problem.args[0] if problem.args else ""
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise PatternError(f"RE2 does not take the pattern: {reason.partition(':')[0]}") from None
