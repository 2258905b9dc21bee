"""Runs the emulator's web server inside an event loop that somebody else owns."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from emulator.app import build
from emulator.config import EmulatorConfig
from rpc.listening import ListenFailed, parse_listen

KEEP_ALIVE_SECONDS = 60
"""Theirs is that of akka-http. A shorter one would close connections that their clients are about to use."""

DRAIN_SECONDS = 3
"""How long requests under way may take after the stop."""

BACKLOG = 512


class DroppableHttp(HttpToolsProtocol):
    """HTTP whose requests can close their connection without an answer, by `scope["state"]["drop_connection"]`."""

    def on_message_begin(self) -> None:
        """Begins a request."""
        super().on_message_begin()
        self.scope["state"]["drop_connection"] = self.transport.close


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves signals to the process that this server is a part of."""
        yield


@contextlib.asynccontextmanager
async def running(config: EmulatorConfig) -> AsyncIterator[str]:
    """
    Serves while the block runs; the value is the base URL, with the real port where the configuration said 0.

    Raises:
        ListenFailed: The address is taken or not this machine's.
    """
    listener = _listen(config.listen)
    server = _Server(
        uvicorn.Config(
            build(config),
            http=DroppableHttp,
            ws="none",
            loop="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        host, port = listener.getsockname()[:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


def _listen(listen: str) -> socket.socket:
    """Returns a socket that takes connections already, so that nobody has to wait for the server's start."""
    host, port = parse_listen(listen)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ListenFailed(listen, error.strerror or str(error)) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenFailed(listen, error.strerror or str(error)) from error
    return listener
