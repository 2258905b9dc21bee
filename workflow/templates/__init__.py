"""Texts with placeholders: `Hello {{name | default("friend")}}`. Parsed once, rendered often."""

from workflow.templates.errors import FilterError, MissingVariable, RenderError, TemplateError, TemplateSyntaxError
from workflow.templates.formatting import Formatting
from workflow.templates.parser import contains_template, parse_message_template, parse_template
from workflow.templates.placeholder import Reference
from workflow.templates.template import Template
from workflow.templates.values import as_text

__all__ = [
    "FilterError",
    "Formatting",
    "MissingVariable",
    "Reference",
    "RenderError",
    "Template",
    "TemplateError",
    "TemplateSyntaxError",
    "as_text",
    "contains_template",
    "parse_message_template",
    "parse_template",
]
