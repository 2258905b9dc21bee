"""
The whole set as real processes: Valkey, the emulator and the services.

`make run` and the tests of end-to-end behaviour use the same pieces:

    async with Stack(directory) as stack:
        await client.post(f"{stack.gateway_url}/api/workflows", …)
        stack.kill("services")
        await stack.restart("services")
"""

import asyncio
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from launcher import addresses, encryption_key, process, valkey
from launcher.process import ChildProcess
from rpc.listening import reachable

ROOT = Path(__file__).resolve().parent.parent
"""Folder of the project; the processes run there."""

ONE_PROCESS: Mapping[str, Sequence[str]] = {"services": ("services", "all")}
"""Every service in one process, named services."""

ONE_PROCESS_EACH: Mapping[str, Sequence[str]] = {
    name: ("services", name) for name in ("validator", "sessions", "engine", "at_adapter", "gateway")
}
"""Each service in a process of its own, named as the service."""

READY_WITHIN_SECONDS = 60.0
"""From the start of a process to its readiness."""

STOP_WITHIN_SECONDS = 30.0
"""A process that takes longer to end is killed."""

_OURS = ("NJIA_", "AT_", "OTEL_")


class NotReadyError(Exception):
    """The set did not become ready in time. The message says what is missing."""


class Stack:
    """
    Runs the set on free ports of 127.0.0.1, with its data and logs in a directory.

    The names for `kill`, `stop` and `restart` are valkey, emulator and those of the layout.

    Attributes:
        gateway_url: The REST API, http://127.0.0.1:port.
        callbacks_url: Where Africa's Talking's callbacks are taken.
        emulator_url: The local Africa's Talking.
        redis_url: The store.
        environ: The environment that every process gets.
        layout: Module and arguments of each process of services, by name.
    """

    def __init__(
        self,
        directory: Path,
        *,
        layout: Mapping[str, Sequence[str]] = ONE_PROCESS,
        environ: Mapping[str, str] | None = None,
        own: Mapping[str, Mapping[str, str]] | None = None,
        fsync: str = "everysec",
    ) -> None:
        """
        Args:
            directory: For data and logs; what an earlier run left there is used again.
            layout: ONE_PROCESS, ONE_PROCESS_EACH, a mix, or that of launcher.replicas.
            environ: Variables beside those of the addresses; they win.
            own: Variables of single processes, by name; they win over `environ`.
            fsync: Valkey's `appendfsync`: always, everysec or no.
        """
        listens = {**addresses.free_listens(), **(environ or {})}
        self._valkey_port = valkey.free_port()
        self._valkey: valkey.ValkeyServer | None = None
        self._directory = directory
        self._processes: dict[str, ChildProcess] = {}
        self._own = own or {}
        self._fsync = fsync
        self.layout = layout
        self.redis_url = f"redis://127.0.0.1:{self._valkey_port}/0"
        self.gateway_url = f"http://{listens['NJIA_GATEWAY_LISTEN']}"
        self.callbacks_url = f"http://{listens['NJIA_AT_ADAPTER_CALLBACKS_LISTEN']}"
        self.emulator_url = f"http://{listens['NJIA_EMULATOR_LISTEN']}"
        self.environ: Mapping[str, str] = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_OURS)},
            **targets(listens),
            "NJIA_REDIS_URL": self.redis_url,
            "NJIA_EMULATOR_CALLBACKS": self.callbacks_url,
            "NJIA_ENCRYPTION_KEY_FILE": str(encryption_key.keep(directory / "encryption.key")),
            "AT_BASE_URL": self.emulator_url,
            **listens,
        }

    async def __aenter__(self) -> Self:
        """Starts everything and returns when it is ready. Raises ProcessDied or NotReadyError."""
        try:
            await self.start("valkey")
            for name in ("emulator", *self.layout):
                await self.start(name)
            await self.ready()
        except BaseException as error:
            await self._end(error)
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stops everything; after an error the end of every log goes to standard error."""
        await self._end(error)

    async def start(self, name: str) -> None:
        """Starts a process that does not run, without waiting until it is ready (Valkey is when this returns)."""
        if name == "valkey":
            self._valkey = await valkey.start(self._directory / "valkey", self._valkey_port, fsync=self._fsync)
            return
        module = ("emulator",) if name == "emulator" else self.layout[name]
        environ = {**self.environ, **self._own.get(name, {})}
        self._processes[name] = process.start(name, module, environ, self.log(name), ROOT)

    async def stop(self, name: str) -> None:
        """Ends a process in order (SIGTERM) and returns when it is gone."""
        if name == "valkey":
            await asyncio.to_thread(self._valkey_server().stop)
        else:
            await asyncio.to_thread(self._processes.pop(name).stop, STOP_WITHIN_SECONDS)

    def kill(self, name: str) -> None:
        """Ends a process without a chance to clean up (SIGKILL) and returns when it is gone."""
        if name == "valkey":
            server = self._valkey_server().process
            server.kill()
            server.wait()
        else:
            self._processes.pop(name).kill()

    async def restart(self, name: str) -> None:
        """Starts a process again after `kill` or `stop`, and returns when the set is ready."""
        await self.start(name)
        await self.ready()

    async def ready(self) -> None:
        """
        Waits until the gateway reports every service healthy and the emulator, where it runs, takes calls.

        Raises:
            ProcessDied: A process ended though nothing asked it to.
            NotReadyError: It took longer than READY_WITHIN_SECONDS.
        """
        emulator = [self.environ["NJIA_EMULATOR_LISTEN"]] if "emulator" in self._processes else []
        await wait_until_ready(list(self._processes.values()), gateway_url=self.gateway_url, also=emulator)

    def log(self, name: str) -> Path:
        """Returns the log of a process; it holds all runs of this stack."""
        return self._directory / "logs" / f"{name}.log"

    def pid(self, name: str) -> int:
        """Returns the process id."""
        return self._valkey_server().process.pid if name == "valkey" else self._processes[name].pid

    def _valkey_server(self) -> valkey.ValkeyServer:
        if self._valkey is None:
            raise NotReadyError("valkey was not started")
        return self._valkey

    async def _end(self, error: BaseException | None) -> None:
        # What others call ends last; services that no longer get calls have nothing left to wait for.
        for name in reversed(list(self._processes)):
            await self.stop(name)
        if self._valkey is not None:
            await self.stop("valkey")
        if error is not None:
            for log in sorted((self._directory / "logs").glob("*.log")):
                lines = "\n".join(process.last_lines(log, 60))
                print(f"----- end of {log} -----\n{lines}", file=sys.stderr)


def targets(listens: Mapping[str, str]) -> dict[str, str]:
    """Returns NJIA_<name>_TARGET of the four gRPC services, by where they listen."""
    return {
        f"NJIA_{name}_TARGET": reachable(listens[f"NJIA_{name}_LISTEN"])
        for name in ("VALIDATOR", "ENGINE", "SESSIONS", "AT_ADAPTER")
    }


async def wait_until_ready(
    processes: Sequence[ChildProcess], *, gateway_url: str, also: Sequence[str], verify: ssl.SSLContext | bool = True
) -> None:
    """
    Waits until the gateway reports every service healthy and the other addresses take calls.

    Args:
        processes: Those that must stay alive meanwhile.
        gateway_url: Address of the gateway.
        also: More addresses, host:port.
        verify: How the gateway's certificate is looked at, where it has one.

    Raises:
        ProcessDied: One of the processes ended.
        NotReadyError: It took longer than READY_WITHIN_SECONDS.
    """
    answer = "no answer yet"
    try:
        async with (
            asyncio.timeout(READY_WITHIN_SECONDS),
            httpx.AsyncClient(timeout=5, trust_env=False, verify=verify) as client,
        ):
            while True:
                for running in processes:
                    running.check()
                try:
                    response = await client.get(f"{gateway_url}/health")
                    answer = response.text
                    if response.status_code == httpx.codes.OK and not any(
                        addresses.is_taken(it) is False for it in also
                    ):
                        return
                except httpx.TransportError as error:
                    answer = f"{type(error).__name__} {error}".strip()
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise NotReadyError(f"{gateway_url}/health is not ok after {READY_WITHIN_SECONDS:g} s: {answer}") from None
