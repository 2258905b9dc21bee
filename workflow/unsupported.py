"""Fields that a flow may set and that Africa's Talking has nothing for."""

from collections.abc import Iterable, Mapping
from typing import Final

from workflow.fields import NodeConfig
from workflow.node_type import Finding

UNSUPPORTED: Final = "UNSUPPORTED_BY_PROVIDER"


def without_effect(config: NodeConfig, why: Mapping[str, str]) -> Iterable[Finding]:
    """Yields a warning for each field that the flow sets itself, by name, with what Africa's Talking does instead."""
    for name, instead in why.items():
        if name in config.model_fields_set:
            field = type(config).model_fields[name].alias or name
            yield Finding(UNSUPPORTED, f"{instead}; this has no effect", field, is_warning=True)
