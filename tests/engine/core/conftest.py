"""The engine's core alone: no Redis, no gRPC, and a clock that jumps."""

from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import BaseModel, ConfigDict

from workflow.catalogue import CATALOGUE
from workflow.fields import NodeConfig
from workflow.node_type import Category, NodeContext, NodeType, Resumption
from workflow.outcome import Done, Wait, WaitKind


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets a person accept new conversations."""
    parser.addoption("--update-golden", action="store_true", help="write the conversations of the golden files anew")


@pytest.fixture
def golden_folder() -> Path:
    """Where the golden conversations are."""
    return Path(__file__).parent / "golden"


class Nap(NodeConfig):
    """How long it lasts."""

    seconds: int


class Anything(BaseModel):
    """Any output."""

    model_config = ConfigDict(extra="allow")


class Napping(NodeType[Nap]):
    """Waits for a timer."""

    type = "NAP"
    title = description = "Nap"
    category = Category.LOGIC
    config = Nap
    output = Anything

    def waits(self, config: Nap) -> bool:
        return True

    async def run(self, config: Nap, context: NodeContext) -> Wait:
        return Wait(WaitKind.TIMER, config.seconds * 1000)

    async def resume(self, config: Nap, context: NodeContext, resumption: Resumption) -> Done:
        return Done({"rested": True})


class Broken(NodeType[NodeConfig]):
    """Has a defect."""

    type = "BROKEN"
    title = description = "Broken"
    category = Category.LOGIC
    config = NodeConfig
    output = Anything

    async def run(self, config: NodeConfig, context: NodeContext) -> Done:
        raise ZeroDivisionError("a secret")


@pytest.fixture
def more_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Node types that the catalogue lacks: one that waits for a timer, one with a defect."""
    for node_type in (Napping(), Broken()):
        monkeypatch.setitem(cast("dict[str, NodeType[Any]]", CATALOGUE), node_type.type, node_type)
