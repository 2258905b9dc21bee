"""What can go wrong with an expression. Messages never hold a value, which may be a phone number or a PIN."""


class _AtColumn(Exception):
    """
    Something is wrong at a place of an expression.

    Attributes:
        message: What is wrong and what to do.
        column: Character in the text, from 1.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column


class ExpressionSyntaxError(_AtColumn):
    """A text that is no expression."""


class ExpressionError(_AtColumn):
    """An expression that cannot be evaluated with the values at hand; the column is that of the operator."""
