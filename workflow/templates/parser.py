"""Text to template."""

from workflow.templates.errors import TemplateSyntaxError
from workflow.templates.placeholder import Placeholder
from workflow.templates.scanner import OPEN, scan_placeholder
from workflow.templates.template import Template

MAX_TEMPLATE_BYTES = 64 * 1024
"""Longest template, in UTF-8."""


def contains_template(text: str) -> bool:
    """Tells whether a text holds a placeholder, or the start of one."""
    return OPEN in text


def parse_template(text: str) -> Template:
    """
    Reads a template: text with placeholders `{{path}}` or `{{path | filter | filter("argument", 2)}}`.

    Everything outside of placeholders is kept as it is. `{{` always opens one.

    Raises:
        TemplateSyntaxError: With the column and what to write instead.
    """
    return Template(text, _parts(text))


def parse_message_template(text: str) -> Template:
    r"""
    Reads a template of a text for a person: SMS, USSD screen, speech.

    The two characters `\n` outside of placeholders become a new line, `\t` a tab, since that is what people type into
    a form field. Values are left alone. Raises as `parse_template` does.
    """
    return Template(text, tuple(_with_breaks(part) if isinstance(part, str) else part for part in _parts(text)))


def _with_breaks(literal: str) -> str:
    return literal.replace("\\n", "\n").replace("\\t", "\t")


def _parts(text: str) -> tuple[str | Placeholder, ...]:
    if len(text) * 4 > MAX_TEMPLATE_BYTES and len(text.encode(errors="surrogatepass")) > MAX_TEMPLATE_BYTES:
        raise TemplateSyntaxError(f"the template is longer than {MAX_TEMPLATE_BYTES // 1024} KiB", 1)
    parts: list[str | Placeholder] = []
    position = 0
    while (start := text.find(OPEN, position)) >= 0:
        if start > position:
            parts.append(text[position:start])
        placeholder, position = parse_placeholder(text, start)
        parts.append(placeholder)
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts)


def parse_placeholder(text: str, start: int) -> tuple[Placeholder, int]:
    """Returns the placeholder whose `{{` stands at `start`, and the position after it. Raises TemplateSyntaxError."""
    from workflow.templates import grammar  # Lark takes long to import and static texts need none.

    tokens, end = scan_placeholder(text, start)
    return grammar.placeholder(tokens, start, end), end
