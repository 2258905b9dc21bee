"""A parsed expression."""

from collections.abc import Collection, Sequence

from workflow.expressions.comparands import compared_with_null, likely_texts
from workflow.expressions.errors import ExpressionError, ExpressionSyntaxError
from workflow.expressions.evaluation import Code, Run
from workflow.expressions.kinds import native, truth
from workflow.expressions.scanner import scan_expression
from workflow.paths import Scope
from workflow.templates.errors import FilterError, RenderError
from workflow.templates.formatting import Formatting
from workflow.templates.placeholder import Placeholder
from workflow.templates.scanner import Token

MAX_EXPRESSION_BYTES = 4 * 1024
"""Longest expression, in UTF-8."""


class Expression:
    """
    Immutable, made by `parse_expression`.

    Attributes:
        text: The expression as it was written.
        references: Paths that it reads, one for each variable, in their order.
        likely_texts: Those of them that are a bare name where a text in quotes is likely.
        compared_with_null: Those of them that may well have no value, as they are written.
    """

    __slots__ = ("_code", "compared_with_null", "likely_texts", "references", "text")

    def __init__(self, text: str, code: Code, tokens: Sequence[Token]) -> None:
        self.text = text
        self._code = code
        self.references = tuple(token.value.reference for token in tokens if isinstance(token.value, Placeholder))
        self.likely_texts = likely_texts(tokens)
        self.compared_with_null = compared_with_null(tokens)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def evaluate(self, scope: Scope, formatting: Formatting) -> object:
        """
        Returns the JSON value that it comes to. A path without a value is null.

        Raises:
            ExpressionError: An operator cannot work on its values, or there is too much data to compare.
            FilterError: A filter cannot work on its value.
        """
        try:
            return native(self._code(Run(scope, formatting)))
        except FilterError:
            raise
        except RenderError as problem:
            raise ExpressionError(problem.message, 1) from None

    def truth(self, scope: Scope, formatting: Formatting) -> bool:
        """
        Tells whether it comes to something true.

        Not true are false, null, 0, the empty text, the empty list and the empty object. Raises as `evaluate` does.
        """
        return truth(self.evaluate(scope, formatting))


def parse_expression(text: str, node_ids: Collection[str] = ()) -> Expression:
    """
    Reads an expression such as `{{amount}} > 100 && session.data.name != ""`.

    Args:
        text: At most 4 KiB, parentheses and lists at most 64 deep.
        node_ids: Ids of the flow's nodes: inside `node_<id>` of a known one `-` is no minus.

    Raises:
        ExpressionSyntaxError: With the column and what to write instead.
    """
    if len(text.encode(errors="surrogatepass")) > MAX_EXPRESSION_BYTES:
        raise ExpressionSyntaxError(f"the expression is longer than {MAX_EXPRESSION_BYTES // 1024} KiB", 1)
    from workflow.expressions import compiler  # Lark takes long to import.

    tokens = scan_expression(text, node_ids)
    if not tokens:
        raise ExpressionSyntaxError("the expression is empty; write a condition such as {{amount}} > 100", 1)
    return Expression(text, compiler.compile_tokens(tokens, len(text)), tokens)
