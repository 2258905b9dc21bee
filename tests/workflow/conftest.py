"""What the tests of node types share."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.workflow.stage import Findings, Stage
from workflow.node_type import NodeType


@pytest.fixture
def stage() -> Stage:
    """A node's surroundings."""
    return Stage()


@pytest.fixture
def findings() -> Findings:
    """Code and field of what a type finds in its own config."""

    def found(node_type: NodeType[Any], document: Mapping[str, Any]) -> list[tuple[str, str]]:
        config = node_type.config.model_validate(document)
        return [(finding.code, finding.field) for finding in node_type.findings(config)]

    return found
