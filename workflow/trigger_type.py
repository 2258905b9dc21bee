"""What a node type is that starts flows."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from workflow.fields import NodeConfig
from workflow.node_type import Category, NodeContext, NodeType
from workflow.outcome import Done, Outcome
from workflow.schedules import Schedule
from workflow.web.incoming import IncomingRequest

C = TypeVar("C", bound=NodeConfig)


@dataclass(frozen=True, slots=True)
class Restarts:
    """
    How often a flow that failed is started again.

    Attributes:
        attempts: At the most.
        backoff_ms: Pause before each, ms.
    """

    attempts: int = 0
    backoff_ms: int = 0


class TriggerType(NodeType[C]):
    """
    A type that starts flows.

    Attributes:
        channel: What it listens to: sms, ussd, …
        session_type: Type of the session that its executions get when they need one.
    """

    category = Category.TRIGGER
    inputs = ()
    channel: ClassVar[str]
    session_type: ClassVar[str] = "other"

    @abstractmethod
    def specificity(self, config: C, payload: Mapping[str, Any]) -> int | None:
        """Returns how narrowly the filters fit this payload (0 is a catch-all), None when they do not."""

    @abstractmethod
    def claim(self, config: C) -> tuple[str, ...]:
        """
        Returns what the filters claim; two published flows may not have equal claims. Empty where no other flow could
        claim it.
        """

    def admit(self, config: C, request: IncomingRequest, timestamp: str) -> Mapping[str, Any]:
        """
        Returns the payload of an HTTP request. Only types that are called over HTTP have it.

        Raises workflow.web.incoming.IncomingRefused; nothing has run then.
        """
        raise TypeError(f"{self.type} is not called over HTTP")

    def answers_within_ms(self, config: C) -> int:
        """How long a caller who wants to know the outcome waits, ms."""
        return 0

    def restarts(self, config: C) -> Restarts:
        """How often an execution that failed is started again."""
        return Restarts()

    async def run(self, config: C, context: NodeContext) -> Outcome:
        """Hands the payload on."""
        payload = context.scope.lookup("triggerPayload")
        return Done(output=dict(payload) if isinstance(payload, Mapping) else {})

    def names_flow(self, config: C) -> bool:
        """Whether what its filters let through asks for this flow by name, and answers no question of another."""
        return True

    def schedule(self, config: C) -> Schedule | None:
        """Returns when it starts its flow by itself; None where something has to come in."""
        return None

    def needs_protected_callbacks(self, config: C) -> bool:
        """Whether it may listen only where nobody but the provider can post what starts it."""
        return False

    def session_ttl_seconds(self, config: C) -> int:
        """Life of a session that this trigger opens, seconds; 0 means the sessions service's default."""
        return 0
