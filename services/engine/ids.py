"""
Ids of executions and sessions, and the partition that each belongs to.

Everything that one execution keeps in Redis lies in one partition, so that one script can change it at once, on a
single server as well as on a cluster. An execution on a session lies in the partition of its session, which is known
from the session id alone; the execution id carries the partition, so that it is found without an index.
"""

import re
import secrets
from hashlib import blake2b

PARTITIONS = 16
"""Number of partitions; part of the stored format, so it never changes."""

_OWN_SESSION = re.compile(r"^(?:dry_)?ses_([0-9a-f])[0-9a-f]{24}$")
_LINE = re.compile(r"^call_([0-9a-f]):")
_EXECUTION = re.compile(r"^exe_([0-9a-f])[0-9a-f]{24}$")


def partition_of_session(session_id: str) -> int:
    """Returns the partition of a session; sessions that the engine opened, and calls that it placed, carry it."""
    own = _OWN_SESSION.match(session_id) or _LINE.match(session_id)
    return int(own[1], 16) if own else _spread(session_id)


def partition_of_execution(execution_id: str) -> int | None:
    """Returns the partition of an execution, None when this is no execution id."""
    found = _EXECUTION.match(execution_id)
    return int(found[1], 16) if found else None


def new_session_id(partition: int) -> str:
    """Returns a new session id in a partition."""
    return f"ses_{partition:x}{secrets.token_hex(12)}"


def line_of(execution_id: str, call_session_id: str) -> str:
    """Returns the name of the session of a call that an execution placed: it lies where the execution does."""
    partition = partition_of_execution(execution_id)
    assert partition is not None, "an execution id carries its partition"
    return f"call_{partition:x}:{call_session_id}"


def new_execution_id(partition: int) -> str:
    """Returns a new execution id in a partition."""
    return f"exe_{partition:x}{secrets.token_hex(12)}"


def execution_id_for(cause: str, partition: int) -> str:
    """Returns the execution id that belongs to a cause, such as the id of an incoming message: always the same one."""
    return f"exe_{partition:x}{blake2b(cause.encode(), digest_size=12).hexdigest()}"


def session_id_for(cause: str, partition: int) -> str:
    """Returns the id of the session that belongs to a cause, always the same one."""
    return f"ses_{partition:x}{blake2b(cause.encode(), digest_size=12).hexdigest()}"


def any_partition() -> int:
    """Returns a random partition."""
    return secrets.randbelow(PARTITIONS)


def partition_of(cause: str) -> int:
    """Returns the partition of anything else that has a name."""
    return _spread(cause)


def _spread(text: str) -> int:
    return blake2b(text.encode(), digest_size=1).digest()[0] % PARTITIONS
