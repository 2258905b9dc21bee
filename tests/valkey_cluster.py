"""A small cluster of real Valkey processes: masters without replicas that share the slots evenly."""

import asyncio
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from redis.exceptions import RedisError

from launcher import valkey
from launcher.process import ending_with_parent
from storage.connection import Client, connect

MASTERS = 3
SLOTS = 16384
READY_WITHIN_SECONDS = 20.0
STOP_WITHIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ValkeyCluster:
    """
    A running cluster.

    Attributes:
        ports: Ports of its nodes on 127.0.0.1.
        processes: The server processes, in the same order.
    """

    ports: list[int]
    processes: list["subprocess.Popen[bytes]"]

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

    def stop(self) -> None:
        """Ends all nodes."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(STOP_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def start(directory: Path) -> ValkeyCluster:
    """Starts a cluster that keeps its data in `directory` and returns once it takes commands. Raises TimeoutError."""
    ports = [valkey.free_port() for _ in range(MASTERS)]
    cluster = ValkeyCluster(ports, [_start_node(directory / str(port), port) for port in ports])
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            await asyncio.gather(*(_answers(cluster, index) for index in range(MASTERS)))
            await _join(cluster)
            await asyncio.gather(*(_is_whole(cluster, index) for index in range(MASTERS)))
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _start_node(directory: Path, port: int) -> "subprocess.Popen[bytes]":
    directory.mkdir(parents=True)
    return subprocess.Popen(
        [
            valkey.server_program(),
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", ""),
            *("--cluster-enabled", "yes", "--cluster-port", str(valkey.free_port())),
            *("--cluster-announce-ip", "127.0.0.1", "--cluster-node-timeout", "2000"),
            *("--logfile", str(directory / "valkey.log"), "--maxmemory-policy", "noeviction"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=ending_with_parent(),  # noqa: PLW1509 (calls one C function that takes no lock)
    )


async def _answers(cluster: ValkeyCluster, index: int) -> None:
    async with cluster.node(index) as node:
        while True:
            with suppress(RedisError):
                await node.ping()
                return
            await asyncio.sleep(0.02)


async def _join(cluster: ValkeyCluster) -> None:
    bounds = [SLOTS * index // MASTERS for index in range(MASTERS + 1)]
    for index in range(MASTERS):
        async with cluster.node(index) as node:
            await node.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
            await node.execute_command("CLUSTER ADDSLOTSRANGE", bounds[index], bounds[index + 1] - 1)
    async with cluster.node(0) as first:
        for index in range(1, MASTERS):
            bus = await _bus_port(cluster, index)
            await first.execute_command("CLUSTER MEET", "127.0.0.1", cluster.ports[index], bus)


async def _bus_port(cluster: ValkeyCluster, index: int) -> int:
    async with cluster.node(index) as node:
        return int((await node.config_get("cluster-port"))["cluster-port"] or 0)


async def _is_whole(cluster: ValkeyCluster, index: int) -> None:
    async with cluster.node(index) as node:
        while True:
            info = await node.execute_command("CLUSTER INFO")
            if info["cluster_state"] == "ok" and info["cluster_known_nodes"] == str(MASTERS):
                return
            await asyncio.sleep(0.02)
