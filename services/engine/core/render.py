"""From a config with templates to the config that a node runs with."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from services.engine.core.program import Place, Program, RunnableNode
from workflow.errors import NodeFailure, invalid
from workflow.expressions import Expression, ExpressionError
from workflow.faults import faults_of
from workflow.fields import NodeConfig, Role
from workflow.node_type import Evaluation
from workflow.paths import Scope
from workflow.places import written
from workflow.templates import Formatting, MissingVariable, TemplateError


def rendered(node: RunnableNode, scope: Scope, formatting: Formatting) -> NodeConfig:
    """
    Returns the config of a node with its templates rendered and its types checked.

    Raises:
        NodeFailure: MISSING_VARIABLE, TEMPLATE_FAILED or INVALID_NODE_CONFIG, naming the field.
    """
    if node.fixed is not None:
        return node.fixed
    values: dict[Place, Any] = {}
    for place, (role, template) in node.texts.items():
        try:
            values[place] = (
                template.evaluate(scope, formatting) if role is Role.VALUE else template.render(scope, formatting)
            )
        except TemplateError as problem:
            raise _template_failure(problem, written(place)) from None
    document = _with_values(node.config, values, ())
    try:
        return node.type.config.model_validate(document)
    except ValidationError as problem:
        fault = next(faults_of(problem, document))
        raise invalid(
            "INVALID_NODE_CONFIG",
            f"config.{written(fault.steps)}: {fault.message}, once its templates were rendered",
        ) from None


class RunEvaluation(Evaluation):
    """An expression of a config against the scope of a run."""

    def __init__(self, expression: Expression, scope: Scope, formatting: Formatting) -> None:
        self._expression = expression
        self._scope = scope
        self._formatting = formatting

    def truth(self) -> bool:
        return decided(lambda: self._expression.truth(self._scope, self._formatting))


def decided(evaluate: Callable[[], bool]) -> bool:
    """Evaluates; turns what an expression refuses into a failure of the node."""
    try:
        return evaluate()
    except ExpressionError as problem:
        raise invalid("EXPRESSION_FAILED", str(problem)) from None
    except TemplateError as problem:
        raise _template_failure(problem, "expression") from None


def evaluations(node: RunnableNode, scope: Scope, program: Program) -> Mapping[str, Evaluation]:
    """The expressions of a node's config by place."""
    return {
        place: RunEvaluation(expression, scope, program.formatting) for place, expression in node.expressions.items()
    }


def _template_failure(problem: TemplateError, field: str) -> NodeFailure:
    if isinstance(problem, MissingVariable):
        return invalid(
            "MISSING_VARIABLE",
            f"config.{field} names {{{{{problem.path.text}}}}}, which has no value here: neither the trigger nor a "
            f'node before has set it; where that may be, write {{{{{problem.path.text} | default("...")}}}}',
            path=problem.path.text,
        )
    return invalid("TEMPLATE_FAILED", f"config.{field}: {problem}")


def _with_values(value: Any, values: Mapping[Place, Any], place: Place) -> Any:
    """Copies a document with the values at their places put in."""
    if place in values:
        return values[place]
    if isinstance(value, Mapping):
        return {key: _with_values(item, values, (*place, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_values(item, values, (*place, index)) for index, item in enumerate(value)]
    return value
