"""The engine's core alone: no Redis, no gRPC, and a clock that jumps."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import BaseModel, ConfigDict

from workflow.catalogue import CATALOGUE
from workflow.fields import NodeConfig
from workflow.node_type import Category, NodeContext, NodeType
from workflow.outcome import Done


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets a person accept new conversations."""
    parser.addoption("--update-golden", action="store_true", help="write the conversations of the golden files anew")


@pytest.fixture
def golden_folder() -> Path:
    """Where the golden conversations are."""
    return Path(__file__).parent / "golden"


class Anything(BaseModel):
    """Any output."""

    model_config = ConfigDict(extra="allow")


class Broken(NodeType[NodeConfig]):
    """Has a defect."""

    type = "BROKEN"
    title = description = "Broken"
    category = Category.LOGIC
    config = NodeConfig
    output = Anything

    async def run(self, config: NodeConfig, context: NodeContext) -> Done:
        raise ZeroDivisionError("a secret")


class Awaiting(NodeType[NodeConfig]):
    """Claims to have no effect and waits for something."""

    type = "AWAITING"
    title = description = "Awaiting"
    category = Category.LOGIC
    config = NodeConfig
    output = Anything

    async def run(self, config: NodeConfig, context: NodeContext) -> Done:
        await asyncio.sleep(1)
        return Done({})


@pytest.fixture
def more_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Node types that the catalogue lacks, each with a defect."""
    for node_type in (Broken(), Awaiting()):
        monkeypatch.setitem(cast("dict[str, NodeType[Any]]", CATALOGUE), node_type.type, node_type)
