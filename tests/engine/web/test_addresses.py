"""Which addresses flows may reach."""

import pytest

from services.engine.adapters.http.addresses import AllowList
from services.engine.adapters.http.client import WebClient
from tests.engine.web.conftest import Server, request
from workflow.errors import ErrorType, NodeFailure
from workflow.ports import ClientCredentials

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "nonsense", "127.1", "0x7f000001", "2130706433",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_what_only_this_machine_can_reach_may_not_be_reached(address: str) -> None:
    assert not AllowList().permits("example.com", address)


@pytest.mark.parametrize("address", ["8.8.8.8", "196.201.214.200", "2a00:1450:4001:800::200e"])
def test_public_addresses_may_be_reached(address: str) -> None:
    assert AllowList().permits("example.com", address)


def test_the_operator_may_allow_hosts_addresses_and_networks() -> None:
    allowed = AllowList.parse(" Billing.internal, 10.8.0.0/16,::1 ,192.168.1.1,")
    assert allowed.permits("billing.INTERNAL.", "10.1.1.1")
    assert allowed.permits("any.example", "10.8.3.4")
    assert allowed.permits("any.example", "::ffff:10.8.3.4")
    assert allowed.permits("any.example", "::1")
    assert allowed.permits("any.example", "192.168.1.1")
    assert not allowed.permits("other.internal", "10.1.1.1")
    assert not allowed.permits("any.example", "192.168.1.2")


@pytest.mark.parametrize("entry", ["10.8.0.0/33", "10.8.0.1/16", "http://a", "a b", "127.1", "*", "-a"])
def test_an_entry_that_names_nothing_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="is no host, address or network"):
        AllowList.parse(f"10.0.0.0/8,{entry}")


async def refused(client: WebClient, url: str) -> NodeFailure:
    with pytest.raises(NodeFailure) as caught:
        await client.send(request(url))
    return caught.value


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
        "127.0.0.1.", "localhost", "LOCALHOST", "0", "[::]", "[fe80::1%25lo]",
    ],
)  # fmt: skip
async def test_this_machine_is_not_reached_however_it_is_written(
    guarded_client: WebClient, server: Server, host: str
) -> None:
    problem = await refused(guarded_client, server.url("/", host))
    assert problem.error.code in ("ADDRESS_NOT_ALLOWED", "INVALID_URL")
    assert problem.error.type is ErrorType.VALIDATION
    assert server.seen == []


async def test_a_name_that_resolves_to_this_machine_is_refused_by_what_it_resolves_to(
    guarded_client: WebClient, server: Server
) -> None:
    problem = await refused(guarded_client, server.url("/", "localhost"))
    assert problem.error.code == "ADDRESS_NOT_ALLOWED"
    assert "NJIA_HTTP_ALLOW" in problem.error.message


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://0.0.0.0/"])
async def test_a_redirect_leads_nowhere_that_the_first_request_could_not(
    client: WebClient, server: Server, target: str
) -> None:
    server.redirects("/go", target)
    problem = await refused(client, server.url("/go"))
    assert problem.error.code == "ADDRESS_NOT_ALLOWED"
    assert len(server.seen) == 1


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.com/", "http://a:b@example.com/"])
async def test_a_redirect_to_what_cannot_be_asked_fails(client: WebClient, server: Server, target: str) -> None:
    server.redirects("/go", target)
    assert (await refused(client, server.url("/go"))).error.code == "INVALID_REDIRECT"


async def test_the_token_endpoint_is_guarded_like_everything_else(guarded_client: WebClient, server: Server) -> None:
    credentials = ClientCredentials(server.url("/token"), "id", "secret")
    with pytest.raises(NodeFailure) as caught:
        await guarded_client.send(request("https://example.com/", credentials=credentials))
    assert caught.value.error.code == "ADDRESS_NOT_ALLOWED"
