"""A client of Redis or Valkey (7.0 or later), of one server or of a cluster."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ClusterError,
    ConnectionError as RedisConnectionError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError as RedisTimeoutError,
    TryAgainError,
)

from storage.cluster import BoundedCluster
from storage.lines import Line

Client = Redis | RedisCluster
"""Both answer the same commands, as long as the keys of one command share a hash tag."""

MAX_CONNECTIONS = 64
"""
Connections of one process to one server; a call beyond them waits for one, at most POOL_WAIT_SECONDS. On a cluster:
commands under way at once over all nodes, and as many pipelines.
"""

POOL_WAIT_SECONDS = 2.0
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
"""Longest wait for the answer of one command."""

LOOK_SECONDS = 0.8
"""Longest look at whether the store does its work; shorter than the second that a readiness check has."""

TAKES_WRITES = "#!lua\nreturn 1"
"""
Writes nothing, and yet a server that takes no writes now refuses to begin it: its memory or its disk is full, or it is
a replica. A ping would be answered all the same.
"""

_DATABASE = re.compile(r"(/[0-9]{0,4})?")
_SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster")
DEFAULT_PORT = 6379
_REFUSED_WRITES = (
    *("MISCONF", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN"),
    # A script in a slot that is being moved key by key, in the words of Redis and of Valkey.
    *("Script attempted to access a non local key", "Attempted to access a non local key"),
)
"""Beginnings of errors by which a server that is up says that it cannot do its work for now."""


_START_IT = "start it or set NJIA_REDIS_URL"
_MAKE_ROOM = "give it memory or disk, or name its primary in NJIA_REDIS_URL; nothing that it has may be dropped"
_LET_IN = "set the user and the password that it has in NJIA_REDIS_URL, and restart"


class StoreUnavailable(Exception):
    """
    The store does not answer, or cannot take writes for now. A repeat makes sense.

    A write that failed so may have been done: only the answer may be lost.

    Attributes:
        why: What happened, for the log; it holds no credentials.
        what_to_do: What helps, for an operator.
    """

    def __init__(self, why: str, what_to_do: str = _START_IT) -> None:
        super().__init__(f"the store does not do its work: {why}")
        self.why = why
        self.what_to_do = what_to_do


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns every error that says "not now" into StoreUnavailable; others, such as a wrong type, stay as they are."""
    try:
        yield
    except (AuthenticationError, NoPermissionError) as error:
        raise StoreUnavailable(_text(error), _LET_IN) from error
    except (ReadOnlyError, OutOfMemoryError) as error:
        raise StoreUnavailable(_text(error), _MAKE_ROOM) from error
    except (RedisConnectionError, RedisTimeoutError, RedisClusterException, ClusterError, TryAgainError) as error:
        raise StoreUnavailable(_text(error)) from error
    except ResponseError as error:
        if str(error).startswith(_REFUSED_WRITES):
            raise StoreUnavailable(_text(error), _MAKE_ROOM) from error
        raise


def connect(url: str) -> Client:
    """
    Returns a client that connects with its first command, and by itself after every loss.

    A command is never sent twice: a lost answer does not tell whether it was done, and the caller knows what a repeat
    means. A connection that went stale while idle is noticed before the command is sent, and is opened anew. A node of
    a cluster that says that a slot lies elsewhere has done nothing, so the command goes on to the other node.

    Args:
        url: redis://[[user]:password@]host:port/db, rediss:// with TLS, or unix://path. A cluster is
            redis+cluster://[[user]:password@]host:port[,host:port…] or rediss+cluster:// with TLS; the hosts are any of
            its nodes, of which one has to answer, and the others are found by it.

    Raises:
        ValueError: The URL is not one of these. The text does not repeat the URL, which may hold a password.
    """
    address = _read(url)
    return _one_server(url) if address is None else _cluster(address)


def check_url(url: str) -> None:
    """Raises the ValueError that `connect` would raise."""
    _read(url)


@dataclass(frozen=True, slots=True)
class _ClusterAddress:
    nodes: list[tuple[str, int]]
    username: str | None
    password: str | None
    tls: bool


def _read(url: str) -> _ClusterAddress | None:
    """Returns the address of a cluster, None for one server. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"must begin with {', '.join(f'{scheme}://' for scheme in _SCHEMES)}")
    if parts.query or parts.fragment:
        raise ValueError("may have no options")
    if parts.scheme.endswith("+cluster"):
        if parts.path.strip("/0"):
            raise ValueError("must not name a database: a cluster has only 0")
        _, _, hosts = parts.netloc.rpartition("@")
        return _ClusterAddress(
            [_node(host) for host in hosts.split(",")],
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            parts.scheme.startswith("rediss"),
        )
    if "," in parts.netloc.rpartition("@")[2]:
        raise ValueError("may name one host; several are a cluster, redis+cluster://")
    if parts.scheme == "unix":
        if not parts.path:
            raise ValueError("must name a socket")
        return None
    _node(parts.netloc.rpartition("@")[2])
    if not _DATABASE.fullmatch(parts.path):
        raise ValueError("must end with the number of a database, such as /0")
    return None


def _node(host_and_port: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host_and_port}")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("must have a port from 0 to 65535") from None
    if not parts.hostname:
        raise ValueError("must name a host")
    return parts.hostname, DEFAULT_PORT if port is None else port


async def disconnect(client: Client) -> None:
    """Closes a client. A connection that does not close in time is left to the end of the process."""
    with suppress(RedisConnectionError, RedisTimeoutError):
        await client.aclose()


async def look(client: Client) -> None:
    """
    Returns within LOOK_SECONDS if the store answers and takes writes, all of it where it is a cluster.

    Raises:
        StoreUnavailable: It does not.
    """
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            with store_errors():
                if isinstance(client, BoundedCluster):
                    await client.look(TAKES_WRITES)
                else:
                    await client.eval(TAKES_WRITES, 0)
    except TimeoutError:
        raise StoreUnavailable(f"no answer within {LOOK_SECONDS:g} s") from None
    except RedisError as error:
        raise StoreUnavailable(_text(error)) from error


def _one_server(url: str) -> Redis:
    # TLS and Unix sockets keep the connections of the library, whatever is said here.
    # protocol 2: the answers are the same, and the connection is set up with fewer commands.
    pool = BlockingConnectionPool.from_url(
        url,
        connection_class=Line,
        max_connections=MAX_CONNECTIONS,
        timeout=POOL_WAIT_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
    )
    return Redis.from_pool(pool)


def _cluster(address: _ClusterAddress) -> RedisCluster:
    return BoundedCluster(
        address.nodes,
        username=address.username,
        password=address.password,
        ssl=address.tls,
        max_connections=MAX_CONNECTIONS,
        wait_seconds=POOL_WAIT_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        protocol=2,
        driver_info=None,
    )


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
