"""What can go wrong with a template. Messages never hold a value, which may be a phone number or a PIN."""

from workflow.paths import Path


class TemplateError(Exception):
    """Any failure of a template."""


class TemplateSyntaxError(TemplateError):
    """
    A text that is no template.

    Attributes:
        message: What is wrong and what to do.
        column: Character in the text, from 1.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column


class RenderError(TemplateError):
    """
    A template that cannot be rendered with the values at hand.

    Attributes:
        message: What is wrong and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class MissingVariable(RenderError):
    """
    A path leads to nothing or to null, and no `default` filter stands there.

    Attributes:
        path: What was asked for.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f'{path.text} has no value; give it one, or write {{{{{path.text} | default("...")}}}}')
        self.path = path


class FilterError(RenderError):
    """
    A filter cannot work on its value.

    Attributes:
        filter_name: Which filter.
        message: Why.
    """

    def __init__(self, filter_name: str, message: str) -> None:
        super().__init__(f"{filter_name}: {message}")
        self.filter_name = filter_name
        self.message = message
