"""
How much a phone shows at once, and how a long list is cut into screens that it shows whole.

Limits: 160 characters of the GSM alphabet, 184 on Airtel (Africa's Talking, help articles 1284071 and 1284096). A text
that needs UCS-2 has room for half as many (3GPP TS 23.038: the same octets hold half as many 16-bit units).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from workflow import gsm

SCREEN_CHARACTERS, AIRTEL_CHARACTERS = 160, 184


@dataclass(frozen=True, slots=True)
class ScreenSize:
    """
    How much of a screen a text takes.

    Attributes:
        taken: Septets, or 16-bit units where a character is beyond the GSM alphabet.
        room: How many of them a phone shows.
        is_gsm: Whether all characters are in the GSM alphabet.
    """

    taken: int
    room: int
    is_gsm: bool

    @property
    def fits(self) -> bool:
        """Whether the phone shows all of it."""
        return self.taken <= self.room


def screen_size(text: str, characters: int = SCREEN_CHARACTERS) -> ScreenSize:
    """Measures a screen on a network that shows so many characters of the GSM alphabet."""
    septets = gsm.septets(text)
    if septets is not None:
        return ScreenSize(septets, characters, is_gsm=True)
    return ScreenSize(gsm.ucs2_units(text), characters // 2, is_gsm=False)


Keys = Callable[[bool, bool], Sequence[str]]
"""Returns the lines below a page, by whether one comes before it and whether one comes behind it."""


def cut(title: Sequence[str], lines: Sequence[str], most: int, keys: Keys) -> Sequence[str]:
    """
    Cuts a list, which is not empty, into pages of `most` lines, and of fewer where the phone has no room for so many.

    A line that is too long for a page of its own is shown all the same.

    Args:
        title: Lines that stand above each page.
        keys: The lines below a page.
    """
    pages: list[str] = []
    start = 0
    while start < len(lines):
        ends = range(min(start + most, len(lines)), start, -1)
        end = next((end for end in ends if screen_size(_page(title, lines, start, end, keys)).fits), start + 1)
        pages.append(_page(title, lines, start, end, keys))
        start = end
    return pages


def _page(title: Sequence[str], lines: Sequence[str], start: int, end: int, keys: Keys) -> str:
    return "\n".join([*title, *lines[start:end], *keys(start > 0, end < len(lines))])


def wrapped(text: str, below: Sequence[str]) -> Iterator[str]:
    """Yields the lines of a text; one that is too long for a screen with these lines below it is cut between words."""
    for line in text.split("\n"):
        start = 0
        while not _fits(line[start : start + SCREEN_CHARACTERS + 1], below):
            end = start + _longest_fitting(line[start : start + SCREEN_CHARACTERS], below)
            blank = line.rfind(" ", start + 1, end + 1)
            end = blank if blank > 0 else end
            yield line[start:end]
            start = end + 1 if end == blank else end
        yield line[start:]


def _longest_fitting(text: str, below: Sequence[str]) -> int:
    """Length of the longest beginning that fits, at least one character: longer ones take more room."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(text[:middle], below) else (low, middle - 1)
    return low


def _fits(line: str, below: Sequence[str]) -> bool:
    return screen_size("\n".join([line, *below])).fits
