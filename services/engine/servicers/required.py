"""Fields that a message cannot do without."""

from collections.abc import Sequence

from google.protobuf.message import Message

from services.engine.errors import InvalidRequest


def check_required(message: Message, fields: Sequence[str], what: str) -> None:
    """Raises InvalidRequest for the first of these fields that is empty; `what` is what the message is called."""
    for field in fields:
        if not getattr(message, field):
            raise InvalidRequest(field, f"{what} needs {field}")
