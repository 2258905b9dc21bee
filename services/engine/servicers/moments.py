"""Times of messages."""

from google.protobuf.timestamp_pb2 import Timestamp

from services.engine.errors import InvalidRequest


def timestamp_of(ms: int) -> Timestamp:
    """Writes Unix ms."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


def unix_ms(moment: Timestamp, field: str, reason: str = "INVALID_REQUEST") -> int:
    """Returns a time as Unix ms. Raises InvalidRequest for one outside of the years 1 to 9999, or with odd nanos."""
    try:
        return moment.ToMilliseconds()
    except ValueError:
        raise InvalidRequest(
            field, "is no time: seconds must lie in the years 1 to 9999, nanos from 0 to 999999999", reason
        ) from None
