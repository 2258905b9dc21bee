"""Pages of a Redis hash."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rpc.status import FieldViolation
from services.at_adapter.outgoing.faults import Fault, SendRefused
from storage.batches import run_in_stages
from storage.connection import Client, store_errors

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some entries, and the token of the next page; empty on the last."""

    items: Sequence[Item]
    next_token: str


async def page_of(client: Client, key: str, size: int, token: str, item: Callable[[str, str], Item]) -> Page[Item]:
    """
    Reads about so many entries of a hash. An entry that is changed meanwhile may come twice or not at all.

    Args:
        size: 1 to LARGEST_PAGE; 0 means DEFAULT_PAGE. Redis gives a small hash as a whole.
        token: next_token of the page before; empty: the first.
        item: Makes an entry of field and value.

    Raises SendRefused (INVALID_REQUEST), StoreUnavailable.
    """
    if not 0 <= size <= LARGEST_PAGE:
        raise _invalid("page_size", f"0 to {LARGEST_PAGE}, not {size}")
    if token and not (token.isascii() and token.isdigit() and len(token) <= 20):
        raise _invalid("page_token", "not a token of this list")
    with store_errors():
        [[(cursor, found)]] = await run_in_stages(client, [("HSCAN", key, token or "0", "COUNT", size or DEFAULT_PAGE)])
    items = [item(field.decode(), value.decode()) for field, value in found.items()]
    return Page(items, str(cursor) if cursor else "")


def _invalid(field: str, why: str) -> SendRefused:
    return SendRefused(Fault.INVALID_REQUEST, why, violations=(FieldViolation(field, why),))
