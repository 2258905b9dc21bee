"""Names of the engine's keys in Redis. A hash tag keeps all keys of one partition in one cluster slot."""


def prefix(partition: int) -> str:
    """What every key of a partition starts with."""
    return f"njia:{{p{partition:x}}}:"


def execution(partition: int, execution_id: str) -> str:
    """Hash: state, lease and fence of an execution."""
    return f"{prefix(partition)}x:{execution_id}"


def results(partition: int, execution_id: str) -> str:
    """List: what the nodes of an execution answered, oldest first."""
    return f"{prefix(partition)}r:{execution_id}"


def turns(partition: int, execution_id: str) -> str:
    """List: what came in for an execution, oldest first."""
    return f"{prefix(partition)}t:{execution_id}"


def correlations(partition: int, execution_id: str) -> str:
    """List: ids by which the outside reports back on an execution, such as sms:ATXid_…."""
    return f"{prefix(partition)}c:{execution_id}"


def resumed(partition: int, execution_id: str) -> str:
    """String: execution that took the turn of a call which would otherwise have begun the execution of this id."""
    return f"{prefix(partition)}k:{execution_id}"


def ledger(partition: int, session_id: str) -> str:
    """Hash: the live execution of a session and the answers to its USSD callbacks."""
    return f"{prefix(partition)}s:{session_id}"


def due(partition: int) -> str:
    """Sorted set: executions by the time at which somebody must look at them."""
    return f"{prefix(partition)}due"


def executions(partition: int, workflow_id: str | None) -> str:
    """Sorted set: executions by start, of one flow or of all."""
    return f"{prefix(partition)}executions" + ("" if workflow_id is None else f":{workflow_id}")


def ended(partition: int) -> str:
    """Sorted set: "<execution id> <workflow id>" of executions that have ended, by when their retention is over."""
    return f"{prefix(partition)}ended"


def correlation(name: str) -> str:
    """String: execution that an id of the outside belongs to, such as sms:ATXid_…."""
    return f"njia:correlation:{name}"


def reports(name: str) -> str:
    """List: what the outside reported of one id, oldest first. It may report before we have noted the id."""
    return f"njia:reports:{name}"


def unsettled(name: str) -> str:
    """Sorted set: effects with an unknown outcome by the end of their wait, such as for sms:+254711000001."""
    return f"njia:unsettled:{name}"


def unmatched(name: str) -> str:
    """Sorted set: messages that nobody knows and that were reported to this, by when, such as to sms:+254711000001."""
    return f"njia:unmatched:{name}"


def reported(name: str) -> str:
    """Sorted set: what nobody knows and was reported of a phone number, by when, such as of sms:+254711000001."""
    return f"njia:reported:{name}"


def idempotency(key: str) -> str:
    """String: execution that an idempotency key of Execute is bound to."""
    return f"njia:execute:{key}"


def graph(digest: str) -> str:
    """String: a compiled flow."""
    return f"njia:graph:{digest}"


def places(workflow_id: str) -> str:
    """Sorted set: sessions, or executions without one, that hold a place of a flow, by when that was seen."""
    return f"njia:{{w:{workflow_id}}}:places"


def turns_of_rate(name: str) -> str:
    """Sorted set: permits of a rate by their turn, Unix ms."""
    return f"njia:rate:{name}"


PROLONGED = "njia:prolonged"
"""String: an engine prolongs, or has lately prolonged, the lives of what executions need that wait."""

FOLLOW_UPS = "njia:{follow-ups}:due"
"""Sorted set: executions that something must follow since they failed, by when."""

FOLLOW_UP_TRIES = "njia:{follow-ups}:tries"
"""Hash: how often that was tried, by execution."""

UNCLAIMED_TIMES = "njia:{unclaimed}:times"
"""Sorted set: what came in and nobody claimed, by when it did."""

UNCLAIMED_ENTRIES = "njia:{unclaimed}:entries"
"""Hash: the same, by name."""

REGISTRY_VERSION = "njia:{registry}:version"
"""String: grows with every change of what is published."""

REGISTRY_PUBLISHED = "njia:{registry}:published"
"""Hash: published flow by workflow id."""

SCHEDULES = "njia:{registry}:schedules"
"""Sorted set: published flows that a clock starts, by the next time, Unix ms."""

REGISTRY_IDS = "njia:{registry}:ids"
"""Sorted set, all scores 0: ids of the saved flows."""


def registered(workflow_id: str) -> str:
    """Hash: the saved versions of a flow."""
    return f"njia:{{registry}}:w:{workflow_id}"
