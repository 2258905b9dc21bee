"""`make run` reaches a gateway that serves TLS and asks for certificates."""

import asyncio
from pathlib import Path

from opentelemetry.trace import NoOpTracerProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from launcher import own_gateway, stack
from rpc.config import Environment
from rpc.http_server import serve_http
from rpc.tls import read_http_tls
from tests.rpc.certificates import Authority


async def test_it_is_found_where_its_variables_put_it_and_shown_its_own_certificate(tmp_path: Path) -> None:
    ours = Authority(tmp_path, "ours")
    shown = ours.signed("gateway", hosts=["api.example.org"])
    environ = {
        "NJIA_GATEWAY_TLS_CERT_FILE": str(shown.certificate),
        "NJIA_GATEWAY_TLS_KEY_FILE": str(shown.key),
        "NJIA_GATEWAY_TLS_CA_FILE": str(ours.file),
    }

    async def health(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    server = await serve_http(
        Starlette(routes=[Route("/health", health)]),
        listen="127.0.0.1:0",
        stop=asyncio.Event(),
        tracer_provider=NoOpTracerProvider(),
        grace_seconds=1,
        tls=read_http_tls(Environment(environ), "NJIA_GATEWAY_TLS"),
    )
    environ["NJIA_GATEWAY_LISTEN"] = f"127.0.0.1:{server.port}"
    url = own_gateway.url(environ)
    assert url == f"https://127.0.0.1:{server.port}"
    await stack.wait_until_ready([], gateway_url=url, also=[], verify=own_gateway.trusted(environ))
    await server.stop()
