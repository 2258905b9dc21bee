"""The running services of a test, and how tests name flows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from njia.workflow.v1 import workflow_pb2

if TYPE_CHECKING:
    from njia.engine.v1.admin_service_pb2_grpc import AdminServiceAsyncStub
    from njia.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub
    from njia.engine.v1.workflow_service_pb2_grpc import WorkflowServiceAsyncStub
    from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceAsyncStub

Flow = dict[str, Any]
Flows = Callable[[str], workflow_pb2.WorkflowSource]
MakeFlow = Callable[..., workflow_pb2.WorkflowSource]


@dataclass
class Platform:
    """
    The running services and stubs to call them.

    Attributes:
        other_engine: A second engine over the same Redis.
        other_workflows: Its registry.
    """

    engine: "EngineServiceAsyncStub"
    other_engine: "EngineServiceAsyncStub"
    workflows: "WorkflowServiceAsyncStub"
    sessions: "SessionServiceAsyncStub"
    emulator_url: str
    stop_validator: asyncio.Event
    stop_engine: asyncio.Event
    admin: "AdminServiceAsyncStub"
    other_workflows: "WorkflowServiceAsyncStub"


StartPlatform = Callable[..., Awaitable[Platform]]
