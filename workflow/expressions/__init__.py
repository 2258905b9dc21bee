"""
Conditions: `{{amount}} > 100 && network == "Safaricom"`. Parsed once, evaluated without `eval`.

Operators, from those that bind last: `||` (`or`); `&&` (`and`); `not`; one of `== != < <= > >=`, `in`, `not in`,
`contains`, `startsWith`, `endsWith`, `matches`; `+ -`; `* / %`; `!` and the unary `-`. Operands: `{{path | filter}}`, a
bare path, numbers, texts in single or double quotes, `true false null`, lists `[1, 2]`. `&&`, `||` and `!` come to true
or false. What has no value is null.
"""

from workflow.expressions.errors import ExpressionError, ExpressionSyntaxError
from workflow.expressions.expression import Expression, parse_expression
from workflow.expressions.kinds import truth

__all__ = ["Expression", "ExpressionError", "ExpressionSyntaxError", "parse_expression", "truth"]
