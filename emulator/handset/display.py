"""What the phone shows: frames in a terminal, the same without colour in a pipe."""

import sys
from typing import TextIO

from rich.box import ROUNDED
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

FRAME_COLUMNS = 44


class Display:
    """Draws on a stream. Texts are shown as they are: markup in them means nothing, control characters are replaced."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._console = Console(file=stream, markup=False, highlight=False, emoji=False)
        self.interactive = self._console.is_terminal

    def screen(self, title: str, text: str, *, ended: bool) -> None:
        """Draws a USSD screen."""
        self._frame(title, text, "session ended" if ended else None, "green" if ended else "cyan")

    def sms(self, sender: str, text: str) -> None:
        """Draws a message that arrived."""
        self._frame(f"SMS from {_plain(sender)}", text, None, "magenta")

    def heard(self, words: str) -> None:
        """Shows what is heard in a call."""
        self._console.print(Text(f"♪ {_plain(words)}", "cyan"), soft_wrap=True)

    def payment(self, amount: str, product_name: str) -> None:
        """Draws what a phone shows when it is asked for a payment."""
        self._frame("Mobile money", f"Pay {amount} to {product_name}?\n1. Pay\n2. Cancel", None, "yellow")

    def warn(self, sentence: str) -> None:
        """Says what would look wrong on a real phone."""
        self._console.print(Text(f"! {_plain(sentence)}", "yellow"), soft_wrap=True)

    def say(self, sentence: str) -> None:
        """Says something that is not on the phone's screen."""
        self._console.print(Text(_plain(sentence)), soft_wrap=True)

    def prompt(self) -> None:
        """Asks for an input; the cursor stays on the line."""
        self._console.print(Text("> "), end="")
        self._console.file.flush()

    def typed(self, text: str) -> None:
        """Shows an input that came from a pipe, since no terminal shows it."""
        self._console.print(Text(_plain(text)), soft_wrap=True)

    def end_line(self) -> None:
        """Goes to the next line."""
        self._console.print()

    def _frame(self, title: str, text: str, foot: str | None, style: str) -> None:
        width = min(FRAME_COLUMNS, self._console.width)
        words = Text(_plain(text))
        self._console.print(
            Panel(words, title=Text(_plain(title)), subtitle=foot, width=width, box=ROUNDED, border_style=style)
        )


def _plain(text: str) -> str:
    """Replaces what a terminal would obey instead of show."""
    return "".join(character if character.isprintable() or character == "\n" else "\ufffd" for character in text)
