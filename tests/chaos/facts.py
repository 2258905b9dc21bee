"""What the callers were told, and what happened to the processes: all that the findings are checked against."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Talk:
    """
    A person's way through the survey.

    Attributes:
        session_id: Empty until it is known.
        typed: What was typed and answered, or at least taken.
        screens: Each answer that was given, by the cumulative text; only of talks by callback.
        closed: Whether the platform ended it with its apology.
        ended: Whether the last thing typed was the 9 that ends it.
    """

    session_id: str
    typed: str = ""
    screens: dict[str, str] = field(default_factory=dict)
    closed: bool = False
    ended: bool = False


@dataclass
class Facts:
    """
    Filled by the callers and the killer.

    Attributes:
        orders: Id of each acknowledged execution of the orders, by its idempotency key.
        talks: Talks by USSD callback.
        conversations: Talks by REST.
        texts: Ids of the incoming SMS that were acknowledged.
        counts: How often things happened, by name.
        kills: How often each service was killed.
        problems: What must not be, with all that helps to find its cause.
    """

    orders: dict[str, str] = field(default_factory=dict)
    talks: list[Talk] = field(default_factory=list)
    conversations: list[Talk] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Returns the counts, a line each."""
        services: Counter[str] = Counter()
        for name, times in self.kills.items():
            services[name.partition("-")[0]] += times
        by_service = ", ".join(f"{name} {services[name]}" for name in sorted(services))
        lines = [f"  kills: {services.total()} ({by_service})"]
        lines += [f"  {name}: {self.counts[name]}" for name in sorted(self.counts)]
        return "\n".join(lines)
