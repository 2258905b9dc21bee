"""What can go wrong with an expression. Messages never hold a value, which may be a phone number or a PIN."""


class ExpressionSyntaxError(Exception):
    """
    A text that is no expression.

    Attributes:
        message: What is wrong and what to do.
        column: Character in the text, from 1.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column


class ExpressionError(Exception):
    """
    An expression that cannot be evaluated with the values at hand.

    Attributes:
        message: What is wrong and what to do.
        column: Character in the text where the operator stands, from 1.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column
