"""Access tokens of OAuth 2.0 clients, kept until they run out."""

import asyncio
import base64
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import orjson
from yarl import URL

from services.engine.adapters.http import faults
from services.engine.adapters.http.exchange import Answered, Exchange, Message
from services.engine.adapters.http.retry_after import retry_after_ms
from workflow.errors import ErrorType
from workflow.ports import ClientCredentials

MOST_TOKENS = 1000
"""Tokens that are kept in memory; the one used longest ago goes first."""

DEFAULT_LIFE_SECONDS = 300
"""Of a token whose server does not say how long it is good for."""

MARGIN_SECONDS = 30
"""A token that runs out so soon is not used any more: it would run out on its way."""

LONGEST_TOKEN = 16 * 1024


@dataclass(slots=True)
class _Kept:
    """`expires_at` is of the monotonic clock."""

    token: str = field(default="", repr=False)
    expires_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class AccessTokens:
    """Gets tokens by the client credentials grant (RFC 6749, 4.4) and keeps them; one request a client at a time."""

    def __init__(self, exchange: Exchange, now: Callable[[], float] = time.monotonic) -> None:
        self._exchange = exchange
        self._now = now
        self._kept: OrderedDict[ClientCredentials, _Kept] = OrderedDict()

    async def of(self, client: ClientCredentials, *, refused: str | None = None) -> str:
        """
        Returns an access token.

        Args:
            client: Whose token.
            refused: A token that was just refused: it is not returned again.

        Raises:
            NodeFailure: AUTHENTICATION_FAILED, or what else a request meets.
        """
        kept = self._entry(client)
        async with kept.lock:
            if kept.token == refused or self._now() >= kept.expires_at:
                kept.token, life = await self._fetched(client)
                kept.expires_at = self._now() + life
            return kept.token

    def _entry(self, client: ClientCredentials) -> _Kept:
        kept = self._kept.setdefault(client, _Kept())
        self._kept.move_to_end(client)
        while len(self._kept) > MOST_TOKENS:
            self._kept.popitem(last=False)
        return kept

    async def _fetched(self, client: ClientCredentials) -> tuple[str, float]:
        """Returns a new token and its life in seconds."""
        url = URL(client.token_url)
        host = url.host or ""
        # RFC 6749, 2.3.1: both are form-encoded before they are put together.
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        basic = base64.b64encode(pair.encode()).decode()
        answer = await self._exchange.send(
            Message(
                method="POST",
                url=url,
                headers={
                    "Authorization": f"Basic {basic}",
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
                body=b"grant_type=client_credentials",
                secrets=(client.client_secret, basic),
                verifies_tls=True,
                is_repeatable=True,
            )
        )
        if answer.status != 200:
            is_passing = answer.status == 429 or answer.status >= 500
            kind = ErrorType.TRANSIENT if is_passing else ErrorType.PERMANENT
            raise faults.not_authenticated(host, f"it answered {answer.status}", kind, retry_after_ms(answer.headers))
        return _token_in(answer, host)


def _token_in(answer: Answered, host: str) -> tuple[str, float]:
    try:
        document = orjson.loads(answer.body)
        token, life = document["access_token"], float(document.get("expires_in", DEFAULT_LIFE_SECONDS))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
        token, life = "", 0.0
    if not isinstance(token, str) or not token.isprintable() or not 0 < len(token) <= LONGEST_TOKEN:
        raise faults.not_authenticated(host, "its answer holds no access_token", ErrorType.PERMANENT)
    return token, max(0.0, life - MARGIN_SECONDS)
