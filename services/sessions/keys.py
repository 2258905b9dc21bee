"""
Names of the keys in Redis.

Everything of one session has the hash tag of the session, everything of one phone number that of the number, so that
each lies in one slot of a cluster.
"""


def session(session_id: str) -> str:
    """Hash: one session and its data."""
    return f"njia:{{s:{session_id}}}:session"


def commits(session_id: str) -> str:
    """List: ids of the session's newest commits."""
    return f"njia:{{s:{session_id}}}:commits"


def in_workflow(msisdn: str, workflow_id: str) -> str:
    """Hash: values of a phone number in one flow."""
    return f"njia:{{m:{msisdn}}}:w:{workflow_id}"


def in_all(msisdn: str) -> str:
    """Hash: values of a phone number in all flows."""
    return f"njia:{{m:{msisdn}}}:g"


def scoped_commits(values: str) -> str:
    """List: ids of the newest commits to the set of values of this key."""
    return f"{values}:commits"


def index(msisdn: str | None) -> tuple[str, str]:
    """Two sorted sets of entries, of one phone number or of all: by creation, and by when they must be looked at."""
    tag = "sessions" if msisdn is None else f"m:{msisdn}"
    return f"njia:{{{tag}}}:index:created", f"njia:{{{tag}}}:index:due"
