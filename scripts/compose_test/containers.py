"""docker-compose and docker, on a project of the test's own."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import grpc
import httpx

from launcher.valkey import free_port

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "njia-compose-test"
READY_SECONDS, CALL_SECONDS, COMPOSE_SECONDS = 120.0, 30.0, 900.0
OURS = ("validator", "engine", "sessions", "at_adapter", "gateway", "emulator")

_COMPOSE = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]

PORTS = {
    "GATEWAY_PORT": str(free_port()),
    "EMULATOR_PORT": str(free_port()),
    "AT_ADAPTER_CALLBACKS_PORT": "18090-18092",
    "AT_ADAPTER_PORT": "15054-15056",
}
"""Ports on this machine; the ranges give each adapter ports of its own."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Containers:
    """
    The containers of one configuration.

    Attributes:
        files: Compose files, the later ones over the earlier ones.
        environ: What the files ask the environment for.
    """

    files: Sequence[str] = ("docker-compose.yml",)
    environ: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str) -> str:
        """Runs docker-compose, with the emulator, and returns what it printed."""
        return self.tried(*arguments, check=True).stdout

    def tried(self, *arguments: str, check: bool = False) -> "subprocess.CompletedProcess[str]":
        """Runs docker-compose, whatever comes of it."""
        files = [part for file in self.files for part in ("--file", file)]
        return subprocess.run(
            [*_COMPOSE, *files, "--project-name", PROJECT, "--profile", "emulator", *arguments],
            cwd=ROOT,
            env={**os.environ, **PORTS, **self.environ},
            stdout=subprocess.PIPE,
            stderr=None if check else subprocess.PIPE,
            text=True,
            check=check,
            timeout=COMPOSE_SECONDS,
        )

    def of(self, service: str) -> list[str]:
        """Returns the ids of a service's containers."""
        return self.compose("ps", "-q", service).split()

    def all(self) -> list[str]:
        """Returns the ids of all containers, those that stopped too."""
        return self.compose("ps", "-q").split()

    def port_of_adapter(self) -> int:
        """Returns where this machine reaches the gRPC of the first adapter."""
        return int(docker("port", self.of("at_adapter")[0], "50054/tcp").rpartition(":")[2])

    async def are_healthy(self) -> bool:
        """Whether every container says so; one that is still starting does not listen to signals yet."""
        states = docker("inspect", "-f", "{{.State.Health.Status}}", *self.all())
        return set(states.split()) == {"healthy"}

    def check_what_processes_may(self) -> None:
        """No process of ours is root, gains rights or writes outside of /tmp."""
        for service in OURS:
            container = self.of(service)[0]
            assert docker("exec", container, "id", "-u") == "10001", service
            asked = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}"
            may = docker("inspect", "-f", asked, container)
            assert may == "true [ALL] [no-new-privileges:true]", f"{service}: {may}"
            written = subprocess.run(
                ["docker", "exec", container, "touch", "/written"], capture_output=True, check=False
            )
            assert written.returncode != 0, service

    def stop(self) -> None:
        """Stops them in order; each must end within the grace period with exit code 0."""
        started = time.monotonic()
        self.compose("stop")
        codes = {docker("inspect", "-f", "{{.State.ExitCode}}", each) for each in self.all()}
        assert codes == {"0"}, f"exit codes {codes}"
        print(f"    {time.monotonic() - started:.0f} s, exit codes all 0")

    def down(self) -> None:
        """Removes containers, networks and volumes."""
        self.compose("down", "--volumes")


def step(text: str) -> None:
    """Says what comes next."""
    print(f"--- {text}", flush=True)


def docker(*arguments: str) -> str:
    """Runs docker and returns what it printed."""
    return subprocess.run(["docker", *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def require_docker() -> None:
    """Ends the process with a sentence where containers cannot be run."""
    for command, needs in (
        (["docker", "info"], "a Docker engine that this user may call: `docker info` fails"),
        ([*_COMPOSE, "version"], "docker-compose, or the compose plugin of docker"),
    ):
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=CALL_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stderr", None) or b"").decode().strip().rpartition("\n")[2]
            print(f"make compose-test needs {needs}. {said or error}", file=sys.stderr)
            sys.exit(2)


def require_nothing_left() -> None:
    """Nothing of the test but the image remains."""
    for kind in ("container", "volume", "network"):
        left = docker(kind, "ls", "-q", "--filter", f"label=com.docker.compose.project={PROJECT}")
        assert not left, f"left behind, {kind}: {left}"


async def until(what: str, condition: Callable[[], Awaitable[T]], seconds: float = READY_SECONDS) -> T:
    """Waits until a condition holds and returns what it came to."""
    ends, last = time.monotonic() + seconds, None
    while time.monotonic() < ends:
        try:
            found = await condition()
            if found:
                return found
            last = repr(found)
        except (httpx.HTTPError, grpc.RpcError) as error:
            last = repr(error)
        await asyncio.sleep(0.3)
    sys.exit(f"not within {seconds:g} s: {what}; last: {last}")
