"""Sessions and changes as the Lua scripts take and give them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.sessions.session import Data, DataChange, Session, SessionType

_DATA_PREFIX = b"."


def session_from_fields(session_id: str, fields: Mapping[bytes, bytes]) -> Session:
    """Reads the hash of a session; see lua/session.lua."""
    return Session(
        session_id=session_id,
        type=SessionType(fields[b"type"].decode()),
        msisdn=fields[b"msisdn"].decode() or None,
        data={field[1:].decode(): text.decode() for field, text in fields.items() if field.startswith(_DATA_PREFIX)},
        created_at_ms=int(fields[b"created"]),
        last_activity_at_ms=int(fields[b"activity"]),
        expires_at_ms=int(fields[b"expires"]),
        ttl_ms=int(fields[b"ttl"]),
        is_active=fields[b"active"] == b"1",
        version=int(fields[b"version"]),
    )


def pairs(flat: Sequence[bytes]) -> Mapping[bytes, bytes]:
    """Reads what a script answers as keys and values in turn."""
    answers = iter(flat)
    return dict(zip(answers, answers, strict=True))


def texts(flat: Sequence[bytes]) -> Data:
    """Returns a set of values that a script answers."""
    return {key.decode(): text.decode() for key, text in pairs(flat).items()}


def flattened(data: Data) -> Iterator[str]:
    """Writes a set of values for a script."""
    for key, text in data.items():
        yield key
        yield text


def change_arguments(changes: Iterable[DataChange]) -> Iterator[str]:
    """Writes changes of a session's data; see lua/write.lua."""
    for change in changes:
        if change.clear:
            yield "clear"
        yield from _set("absent", change.set_if_absent)
        yield from _set("set", change.set)


def scoped_change_arguments(changes: Iterable[DataChange]) -> Iterator[str]:
    """Writes changes of data that outlives sessions; see lua/scoped_write.lua."""
    for change in changes:
        yield "life"
        yield str(change.ttl_ms or 0)
        yield from change_arguments([change])


def _set(how: str, data: Data) -> Iterator[str]:
    for key, text in data.items():
        yield how
        yield key
        yield text
