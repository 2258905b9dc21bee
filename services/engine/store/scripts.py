"""The engine's Lua scripts, which lie in `lua/`."""

from storage.scripts import Script


def script(*names: str) -> Script:
    """Returns the script that these files make up, one after the other. Most begin with `prelude`, which they share."""
    return Script.load(__package__, *names)
