"""Sends the requests of flows: credentials, redirects and the time limit around single exchanges."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from yarl import URL

from services.engine.adapters.http import faults
from services.engine.adapters.http.exchange import Answered, Exchange, Message
from services.engine.adapters.http.retry_after import retry_after_ms
from services.engine.adapters.http.tokens import AccessTokens
from workflow.ports import ClientCredentials, Credentials, HttpAnswer, HttpRequest
from workflow.web.requests import url_problem

UNAUTHORIZED = 401
SEE_OTHER = 303
REDIRECTS = frozenset({301, 302, 303, 307, 308})
BECOME_GET = frozenset({301, 302})
"""Redirects behind which a POST becomes a GET, as all browsers do it (RFC 9110, 15.4.2)."""

SHOWN_TO_ANYBODY = frozenset({"accept", "accept-language", "content-type", "idempotency-key", "user-agent"})
"""Headers that go with a redirect to another origin; any other one may be a secret."""

OF_WHAT_IT_DID = frozenset({"content-type", "content-encoding", "content-language", "idempotency-key"})


class WebClient:
    """See workflow.ports.HttpClient."""

    def __init__(self, exchange: Exchange, tokens: AccessTokens) -> None:
        self._exchange = exchange
        self._tokens = tokens

    async def send(self, request: HttpRequest) -> HttpAnswer:
        host = URL(request.url).host or ""
        try:
            async with asyncio.timeout(request.timeout_ms / 1000):
                answer = await self._authenticated(request)
        except TimeoutError:
            raise faults.timed_out(request.method, host, request.timeout_ms) from None
        return HttpAnswer(answer.status, answer.headers, answer.body, answer.charset, retry_after_ms(answer.headers))

    async def _authenticated(self, request: HttpRequest) -> Answered:
        client = request.credentials
        if not isinstance(client, ClientCredentials):
            return await self._redirected(request, client)
        token = await self._tokens.of(client)
        answer = await self._redirected(request, _bearer(client, token))
        if answer.status != UNAUTHORIZED:
            return answer
        # The token may have been withdrawn; a request that was refused so was not carried out.
        token = await self._tokens.of(client, refused=token)
        return await self._redirected(request, _bearer(client, token))

    async def _redirected(self, request: HttpRequest, credentials: Credentials) -> Answered:
        """Follows redirects. Each address is checked like the first one."""
        message = Message(
            method=request.method,
            url=URL(request.url),
            headers={**_without_names(request.headers, credentials.headers), **credentials.headers},
            body=request.body,
            secrets=credentials.secrets,
            verifies_tls=request.verifies_tls,
            is_repeatable=request.is_repeatable,
        )
        followed = 0
        while True:
            answer = await self._exchange.send(message)
            location = answer.headers.get("location")
            if request.max_redirects is None or answer.status not in REDIRECTS or location is None:
                return answer
            if followed == request.max_redirects:
                raise faults.too_many_redirects(message.url.host or "", request.max_redirects)
            followed += 1
            message = _next(message, answer.status, location, credentials)


def _next(message: Message, status: int, location: str, credentials: Credentials) -> Message:
    """Returns the request that a redirect asks for."""
    host = message.url.host or ""
    try:
        url = message.url.join(URL(location))
    except ValueError:
        raise faults.invalid_redirect(host, "it cannot be read") from None
    problem = url_problem(str(url))
    if problem:
        raise faults.invalid_redirect(host, problem)
    headers = message.headers
    if url.origin() != message.url.origin():
        own = {name.lower() for name in credentials.headers}
        headers = {
            name: value
            for name, value in headers.items()
            if name.lower() in SHOWN_TO_ANYBODY and name.lower() not in own
        }
    becomes_get = (status == SEE_OTHER and message.method not in ("GET", "HEAD")) or (
        status in BECOME_GET and message.method == "POST"
    )
    if not becomes_get:
        return replace(message, url=url, headers=headers)
    # It only looks now; what it did before was done by the server that redirects.
    headers = {name: value for name, value in headers.items() if name.lower() not in OF_WHAT_IT_DID}
    return replace(message, method="GET", url=url, headers=headers, body=None)


def _bearer(client: ClientCredentials, token: str) -> Credentials:
    return Credentials({"Authorization": f"Bearer {token}"}, (token, client.client_secret))


def _without_names(headers: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Leaves out the headers that credentials set."""
    taken = {name.lower() for name in names}
    return {name: value for name, value in headers.items() if name.lower() not in taken}
