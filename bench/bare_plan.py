"""
What the bare processes are told: where everything is, and the steps of each kind of request.

A service's own trips stay its own; the trips of a service that is called belong to the call.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.costs import Costs, Step


@dataclass(frozen=True, slots=True)
class Work:
    """
    What one service does for one kind of request.

    Attributes:
        before: Steps before it answers.
        after: Steps behind the answer.
    """

    before: Sequence[Step]
    after: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Attributes:
        ports: TCP port of each service's gRPC on 127.0.0.1.
        front_ports: TCP port of the HTTP side of at_adapter and gateway.
        redis_url: The store.
        provider_url: The local Africa's Talking.
        steps: Every step of each kind of request, in order.
    """

    ports: Mapping[str, int]
    front_ports: Mapping[str, int]
    redis_url: str
    provider_url: str
    steps: Costs

    def works(self, service: str) -> Mapping[str, Work]:
        """Returns what a service does for each kind of request."""
        return {kind: self._work(service, steps) for kind, steps in self.steps.items()}

    def _work(self, service: str, steps: Sequence[Step]) -> Work:
        own = [step for step in steps if step.does == "trip" and step.service == service]
        if service == "engine":
            # The first call is the one that it gets itself.
            own = [step for step in steps[1:] if step.does == "call" or step.service == service]
            return Work([step for step in own if not step.is_tail], [step for step in own if step.is_tail])
        # Whoever is called answers when it has done its own.
        return Work(own, ())


def to_json(plan: Plan) -> str:
    """Writes a plan."""
    return json.dumps(asdict(plan))


def from_json(text: str) -> Plan:
    """Reads a plan."""
    document = json.loads(text)
    steps = {kind: [Step(**step) for step in found] for kind, found in document.pop("steps").items()}
    return Plan(**document, steps=steps)
