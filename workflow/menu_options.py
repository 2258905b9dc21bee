"""What a screen offers to type, and which of it a person means."""

import re
from collections.abc import Collection, Sequence

_OPTION_LINE = re.compile(r"^\s*([0-9]{1,4})\s*[.):-]\s*\S", re.MULTILINE)
"""A line of a menu that is written as text, such as `1. Balance`."""

_BEFORE, _BEHIND = "*", " .,:;)#*"
"""What people type around an option: marks that screens put behind it, and keys that begin and end codes."""


def options_in(text: str) -> Sequence[str]:
    """Returns the options of a menu that is written as text, in their order."""
    return _OPTION_LINE.findall(text)


def chosen(typed: str, offered: Collection[str]) -> str:
    """
    Returns the offered entry that a person means who typed this: `1.`, `1)` and `1#` are 1, and `yes` is Yes, where the
    screen offers that and not what was typed. What stands for no entry is returned as it is.
    """
    if typed in offered:
        return typed
    bare = typed.lstrip(_BEFORE).rstrip(_BEHIND).casefold()
    return next((entry for entry in offered if bare and entry.casefold() == bare), typed)
