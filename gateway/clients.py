"""The services behind the gateway, as their stubs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request

if TYPE_CHECKING:
    from grpc_health.v1.health_pb2_grpc import HealthStub

    from njia.engine.v1.admin_service_pb2_grpc import AdminServiceAsyncStub
    from njia.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub
    from njia.engine.v1.workflow_service_pb2_grpc import WorkflowServiceAsyncStub
    from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceAsyncStub
    from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceAsyncStub


@dataclass(frozen=True, slots=True)
class Clients:
    """
    Attributes:
        health: Health service of each process, by the service's name.
    """

    validator: "ValidatorServiceAsyncStub"
    engine: "EngineServiceAsyncStub"
    workflows: "WorkflowServiceAsyncStub"
    admin: "AdminServiceAsyncStub"
    sessions: "SessionServiceAsyncStub"
    health: "Mapping[str, HealthStub]"


def clients_of(request: Request) -> Clients:
    """Returns the services that a request is answered with."""
    clients: Clients = request.app.state.clients
    return clients
