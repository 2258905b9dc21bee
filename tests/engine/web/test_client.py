"""Requests over real connections: redirects, credentials, answers that are too much or never end."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from launcher.valkey import free_port
from services.engine.adapters.http.client import WebClient
from tests.engine.web.conftest import MAX_BYTES, Server, request
from workflow.errors import ErrorType, NodeFailure
from workflow.ports import ClientCredentials, Credentials, HttpRequest

SECRET = "s3cr3t-token"
BEARER = Credentials({"Authorization": f"Bearer {SECRET}"}, (SECRET,))


async def refused(client: WebClient, what: HttpRequest) -> NodeFailure:
    with pytest.raises(NodeFailure) as caught:
        await client.send(what)
    return caught.value


async def test_a_request_goes_out_and_its_answer_comes_back(client: WebClient, server: Server) -> None:
    answer = await client.send(request(server.url("/a?b=c"), "POST", headers={"X-A": "1"}, body=b"hello"))
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.headers["x-a"], seen.body) == ("POST", "/a", "1", b"hello")
    assert (answer.status, answer.charset) == (200, "utf-8")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_what_is_echoed_of_the_credentials_is_masked(client: WebClient, server: Server) -> None:
    async def echoes(asked: web.Request) -> web.Response:
        return web.Response(text=asked.headers["Authorization"], headers={"X-Echo": asked.headers["Authorization"]})

    server.handlers["/echo"] = echoes
    answer = await client.send(request(server.url("/echo"), credentials=BEARER))
    assert server.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    assert (answer.body, answer.headers["x-echo"]) == (b"Bearer ***", "Bearer ***")


@pytest.mark.parametrize(
    ("status", "method", "becomes", "keeps_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (307, "POST", "POST", True),
        (308, "POST", "POST", True),
        (302, "PUT", "PUT", True),
        (303, "HEAD", "HEAD", False),
        (302, "GET", "GET", False),
    ],
)
async def test_a_redirect_keeps_or_changes_the_method_as_browsers_do(
    client: WebClient, server: Server, status: int, method: str, becomes: str, keeps_body: bool
) -> None:
    server.redirects("/go", "/there?x=1", status)
    body = b'{"a":1}' if method in ("POST", "PUT") else None
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"} if body else {}
    await client.send(request(server.url("/go"), method, headers=headers, body=body, credentials=BEARER))
    first, second = server.seen
    assert (first.method, second.method, second.path) == (method, becomes, "/there")
    assert second.body == (body if keeps_body else b"")
    assert ("idempotency-key" in second.headers) is keeps_body
    assert second.headers["authorization"] == f"Bearer {SECRET}", "it is the same origin"


async def test_another_origin_gets_no_secret_of_the_request(
    client: WebClient, server: Server, other_server: Server
) -> None:
    server.redirects("/go", other_server.url("/there"), 307)
    headers = {"X-My-Key": SECRET, "Cookie": "a=b", "Accept": "text/csv"}
    await client.send(request(server.url("/go"), headers=headers, credentials=BEARER))
    (seen,) = other_server.seen
    assert seen.headers["accept"] == "text/csv"
    assert not {"authorization", "x-my-key", "cookie"} & seen.headers.keys()


async def test_only_so_many_redirects_are_followed(client: WebClient, server: Server) -> None:
    server.redirects("/go", "/go")
    problem = await refused(client, request(server.url("/go"), max_redirects=3))
    assert (problem.error.code, len(server.seen)) == ("TOO_MANY_REDIRECTS", 4)


async def test_a_redirect_is_an_answer_where_none_is_to_be_followed(client: WebClient, server: Server) -> None:
    server.redirects("/go", "/there")
    answer = await client.send(request(server.url("/go"), max_redirects=None))
    assert (answer.status, answer.headers["location"], len(server.seen)) == (302, "/there", 1)


async def test_cookies_of_an_answer_are_not_sent_with_the_next_request(client: WebClient, server: Server) -> None:
    async def sets(_: web.Request) -> web.Response:
        return web.Response(headers={"Set-Cookie": "session=1; Path=/"})

    server.handlers["/set"] = sets
    await client.send(request(server.url("/set")))
    await client.send(request(server.url("/next")))
    assert "cookie" not in server.seen[-1].headers


@pytest.mark.parametrize("says_length", [True, False])
async def test_ten_megabytes_are_not_read(client: WebClient, server: Server, says_length: bool) -> None:
    sent = 0

    async def floods(asked: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": str(10_000_000)} if says_length else {})
        await response.prepare(asked)
        for _ in range(100):
            await response.write(b"x" * 100_000)
            sent += 100_000
        return response

    server.handlers["/flood"] = floods
    problem = await refused(client, request(server.url("/flood")))
    assert (problem.error.code, problem.error.details) == ("RESPONSE_TOO_LARGE", {"maxBytes": MAX_BYTES})
    assert sent < 10_000_000


async def test_a_small_answer_that_unpacks_to_a_large_one_is_not_read(client: WebClient, server: Server) -> None:
    async def packs(_: web.Request) -> web.Response:
        response = web.Response(body=b"\0" * 5_000_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    server.handlers["/bomb"] = packs
    assert (await refused(client, request(server.url("/bomb")))).error.code == "RESPONSE_TOO_LARGE"


async def test_an_answer_that_never_ends_is_given_up(client: WebClient, server: Server) -> None:
    async def drips(asked: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(asked)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.05)

    server.handlers["/drip"] = drips
    problem = await refused(client, request(server.url("/drip"), timeout_ms=300))
    assert (problem.error.code, problem.error.type) == ("TIMEOUT", ErrorType.TRANSIENT)


@pytest.mark.parametrize(
    ("method", "is_repeatable", "code"),
    [("GET", True, "NETWORK_ERROR"), ("POST", False, "SEND_OUTCOME_UNKNOWN"), ("POST", True, "NETWORK_ERROR")],
)
async def test_a_lost_answer_means_what_the_method_makes_of_it(
    client: WebClient, server: Server, method: str, is_repeatable: bool, code: str
) -> None:
    async def hangs_up(asked: web.Request) -> web.Response:
        assert asked.transport is not None
        asked.transport.abort()
        return web.Response()

    server.handlers["/lost"] = hangs_up
    problem = await refused(client, request(server.url("/lost"), method, is_repeatable=is_repeatable))
    assert problem.error.code == code


async def test_a_server_that_is_not_there_got_nothing(client: WebClient, server: Server) -> None:
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    problem = await refused(client, request(f"http://127.0.0.1:{port}/{SECRET}", "POST"))
    assert (problem.error.code, problem.error.type) == ("NETWORK_ERROR", ErrorType.TRANSIENT)
    assert SECRET not in problem.error.message


async def test_a_name_that_nobody_knows_got_nothing(client: WebClient) -> None:
    problem = await refused(client, request("http://nobody.invalid/"))
    assert problem.error.code == "NETWORK_ERROR"
    assert "cannot be resolved" in problem.error.message


async def test_a_server_that_takes_no_connection_is_told_of_in_the_words_of_the_system(client: WebClient) -> None:
    problem = await refused(client, request(f"http://127.0.0.1:{free_port()}/"))
    assert (problem.error.code, problem.error.message) == (
        "NETWORK_ERROR",
        "cannot reach 127.0.0.1: Connection refused",
    )


async def test_a_server_that_speaks_no_tls_is_told_of_as_that(client: WebClient, server: Server) -> None:
    problem = await refused(client, request(server.url("/").replace("http://", "https://")))
    assert problem.error.code == "NETWORK_ERROR"
    assert "TLS failed: " in problem.error.message


async def test_a_server_that_speaks_no_http_is_a_lost_answer(client: WebClient) -> None:
    async def babbles(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp.example.com ready\r\n\r\n")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(babbles, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        assert (await refused(client, request(f"http://127.0.0.1:{port}/"))).error.code == "NETWORK_ERROR"


@pytest.mark.parametrize(
    ("written", "expected_ms"), [("7", 7000), ("999999", 3_600_000), ("soon", None), ("-1", None), (None, None)]
)
async def test_retry_after_is_read(
    client: WebClient, server: Server, written: str | None, expected_ms: int | None
) -> None:
    async def busy(_: web.Request) -> web.Response:
        return web.Response(status=503, headers={} if written is None else {"Retry-After": written})

    server.handlers["/busy"] = busy
    assert (await client.send(request(server.url("/busy")))).retry_after_ms == expected_ms


async def test_retry_after_may_be_a_date(client: WebClient, server: Server) -> None:
    async def busy(_: web.Request) -> web.Response:
        at = datetime.now(UTC) + timedelta(seconds=100)
        return web.Response(status=503, headers={"Retry-After": format_datetime(at, usegmt=True)})

    server.handlers["/busy"] = busy
    delay_ms = (await client.send(request(server.url("/busy")))).retry_after_ms
    assert delay_ms is not None
    assert 60_000 < delay_ms <= 100_000


@pytest.fixture
def identity(server: Server) -> list[str]:
    """A token endpoint: each request gets the next of these tokens."""
    tokens = [f"token-{number}" for number in range(1, 9)]

    async def grants(asked: web.Request) -> web.Response:
        form = await asked.post()
        assert form["grant_type"] == "client_credentials"
        return web.json_response({"access_token": tokens.pop(0), "token_type": "Bearer", "expires_in": 3600})

    server.handlers["/token"] = grants
    return tokens


async def test_an_oauth2_client_gets_one_token_for_many_requests(
    client: WebClient, server: Server, identity: list[str]
) -> None:
    credentials = ClientCredentials(server.url("/token"), "njia", "p@ss:word")
    await asyncio.gather(*(client.send(request(server.url("/api"), credentials=credentials)) for _ in range(5)))
    asked = [seen for seen in server.seen if seen.path == "/token"]
    assert len(asked) == 1
    # Both parts are form-encoded, then put together (RFC 6749, 2.3.1).
    assert asked[0].headers["authorization"] == "Basic bmppYTpwJTQwc3MlM0F3b3Jk"
    used = {seen.headers["authorization"] for seen in server.seen if seen.path == "/api"}
    assert used == {"Bearer token-1"}


async def test_a_token_that_is_refused_is_got_anew_once(client: WebClient, server: Server, identity: list[str]) -> None:
    async def wants_second(asked: web.Request) -> web.Response:
        return web.Response(status=200 if asked.headers["Authorization"] == "Bearer token-2" else 401)

    async def wants_none(_: web.Request) -> web.Response:
        return web.Response(status=401)

    server.handlers |= {"/api": wants_second, "/closed": wants_none}
    credentials = ClientCredentials(server.url("/token"), "njia", "hush")
    assert (await client.send(request(server.url("/api"), credentials=credentials))).status == 200
    assert (await client.send(request(server.url("/closed"), credentials=credentials))).status == 401
    paths = [seen.path for seen in server.seen]
    assert paths == ["/token", "/api", "/token", "/api", "/closed", "/token", "/closed"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, '{"error": "invalid_client"}', ErrorType.PERMANENT),
        (503, "", ErrorType.TRANSIENT),
        (200, "nonsense", ErrorType.PERMANENT),
        (200, "[]", ErrorType.PERMANENT),
        (200, '{"access_token": "a\\r\\nb"}', ErrorType.PERMANENT),
    ],
)
async def test_without_a_token_nothing_is_asked(
    client: WebClient, server: Server, status: int, body: str, kind: ErrorType
) -> None:
    async def refuses(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    server.handlers["/token"] = refuses
    credentials = ClientCredentials(server.url("/token"), "njia", "hush-hush")
    problem = await refused(client, request(server.url("/api"), credentials=credentials))
    assert (problem.error.code, problem.error.type) == ("AUTHENTICATION_FAILED", kind)
    assert "hush" not in problem.error.message
    assert [seen.path for seen in server.seen] == ["/token"]
