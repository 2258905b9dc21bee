"""A parsed template: literal texts and placeholders, in order."""

from workflow.paths import Scope
from workflow.templates.errors import RenderError
from workflow.templates.formatting import Formatting
from workflow.templates.placeholder import Placeholder, Reference
from workflow.templates.values import as_text

MAX_RENDERED_BYTES = 256 * 1024
"""Longest text that a template renders to, in UTF-8."""


class Template:
    """
    Immutable, made by `parse_template`. Values are put in as they are: what looks like a template in them stays text.

    Attributes:
        text: The template as it was written.
        references: Paths that it reads, one for each placeholder, in their order.
    """

    __slots__ = ("_parts", "references", "text")

    def __init__(self, text: str, parts: tuple[str | Placeholder, ...]) -> None:
        self.text = text
        self._parts = parts
        self.references: tuple[Reference, ...] = tuple(
            part.reference for part in parts if isinstance(part, Placeholder)
        )

    @property
    def literals(self) -> tuple[str, ...]:
        """The texts between the placeholders."""
        return tuple(part for part in self._parts if isinstance(part, str))

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def render(self, scope: Scope, formatting: Formatting) -> str:
        """
        Returns the text with every placeholder replaced.

        Raises:
            MissingVariable: A path has no value, no default, and the formatting wants an error.
            FilterError: A filter cannot work on its value.
            RenderError: The text is longer than 256 KiB, or a value has no text form.
        """
        pieces = []
        size = 0
        for part in self._parts:
            if type(part) is str:
                piece = part
            else:
                value = part.value(scope, formatting)  # type: ignore[union-attr]  # mypy does not narrow by type().
                piece = value if type(value) is str else as_text(value)
            pieces.append(piece)
            size += len(piece)
            if size > MAX_RENDERED_BYTES:
                raise _too_long()
        text = "".join(pieces)
        if size * 4 > MAX_RENDERED_BYTES and len(text.encode(errors="surrogatepass")) > MAX_RENDERED_BYTES:
            raise _too_long()
        return text

    def evaluate(self, scope: Scope, formatting: Formatting) -> object:
        """
        Returns the native value where the template is one placeholder and nothing else, else the rendered text.

        A missing value is null where the formatting allows it. Raises as `render` does.
        """
        if len(self._parts) == 1 and isinstance(self._parts[0], Placeholder):
            return self._parts[0].value(scope, formatting)
        return self.render(scope, formatting)


def _too_long() -> RenderError:
    return RenderError(f"the rendered text is longer than {MAX_RENDERED_BYTES // 1024} KiB; use the truncate filter")
