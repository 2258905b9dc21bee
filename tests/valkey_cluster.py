"""A small cluster of real Valkey processes: masters without replicas that share the slots evenly."""

import asyncio
import subprocess
from contextlib import suppress
from pathlib import Path

from redis.exceptions import RedisError

from launcher import valkey
from launcher.process import ending_with_parent
from storage.connection import Client, StoreUnavailable, connect, look

MASTERS = 3
SLOTS = 16384
READY_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 10.0


class ValkeyCluster:
    """
    A cluster.

    Attributes:
        ports: Ports of its nodes on 127.0.0.1.
        bus_ports: Ports by which the nodes know each other.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.ports = [valkey.free_port() for _ in range(MASTERS)]
        self.bus_ports = [valkey.free_port() for _ in range(MASTERS)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """Where it answers, as an operator writes it."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def node(self, index: int) -> Client:
        """Returns a client of one node alone."""
        return connect(f"redis://127.0.0.1:{self.ports[index]}/0")

    async def empty(self) -> None:
        """Forgets all data and all scripts."""
        for index in range(len(self.ports)):
            async with self.node(index) as node:
                await node.flushall()
                await node.script_flush()

    def start(self, index: int) -> None:
        """Starts a node that does not run; it knows its place in the cluster, and has no data."""
        directory = self._directory / str(index)
        directory.mkdir(parents=True, exist_ok=True)
        self._processes[index] = subprocess.Popen(
            [
                valkey.server_program(),
                *("--port", str(self.ports[index]), "--bind", "127.0.0.1", "--dir", str(directory), "--save", ""),
                *("--cluster-enabled", "yes", "--cluster-port", str(self.bus_ports[index])),
                *("--cluster-announce-ip", "127.0.0.1", "--cluster-node-timeout", "10000"),
                *("--logfile", str(directory / "valkey.log"), "--maxmemory-policy", "noeviction"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=ending_with_parent(),  # noqa: PLW1509 (calls one C function that takes no lock)
        )

    def kill(self, index: int) -> None:
        """Ends a node without a chance to clean up."""
        process = self._processes.pop(index)
        process.kill()
        process.wait()

    async def whole(self) -> None:
        """Waits until every node answers and says that the cluster takes commands."""
        await asyncio.gather(*(self._is_whole(index) for index in range(MASTERS)))

    async def _is_whole(self, index: int) -> None:
        async with self.node(index) as node:
            while True:
                with suppress(RedisError):
                    info = await node.execute_command("CLUSTER INFO")
                    if info["cluster_state"] == "ok" and info["cluster_known_nodes"] == str(MASTERS):
                        return
                await asyncio.sleep(0.02)

    def stop(self) -> None:
        """Ends all nodes."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def start(directory: Path) -> ValkeyCluster:
    """Starts a cluster that keeps its files in `directory` and returns once it takes commands. Raises TimeoutError."""
    cluster = ValkeyCluster(directory)
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            for index in range(MASTERS):
                cluster.start(index)
            await asyncio.gather(*(_answers(cluster, index) for index in range(MASTERS)))
            await _join(cluster)
            await cluster.whole()
    except BaseException:
        cluster.stop()
        raise
    return cluster


async def _answers(cluster: ValkeyCluster, index: int) -> None:
    async with cluster.node(index) as node:
        while True:
            try:
                await look(node)
                return
            except StoreUnavailable:
                await asyncio.sleep(0.02)


async def _join(cluster: ValkeyCluster) -> None:
    bounds = [SLOTS * index // MASTERS for index in range(MASTERS + 1)]
    for index in range(MASTERS):
        async with cluster.node(index) as node:
            await node.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
            await node.execute_command("CLUSTER ADDSLOTSRANGE", bounds[index], bounds[index + 1] - 1)
    async with cluster.node(0) as first:
        for index in range(1, MASTERS):
            await first.execute_command("CLUSTER MEET", "127.0.0.1", cluster.ports[index], cluster.bus_ports[index])
