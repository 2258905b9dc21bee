"""
Runs the whole set on this machine until Ctrl-C: `python -m launcher`, which is `make run`.

Redis (the one of NJIA_REDIS_URL where that is set, else a Valkey of its own), the emulator and all services. Data and
logs are kept under data/. Exit codes: 0 stopped as asked, 1 something ended or did not start.
"""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from launcher import addresses, encryption_key, env_file, examples, lock, own_gateway, process, stack, valkey
from launcher.log_lines import WarningsTail, readable
from launcher.process import ChildProcess, ProcessDied
from rpc.config import ConfigError, Environment
from rpc.listening import given_twice, reachable
from storage.connection import StoreUnavailable, connect, look

DATA = stack.ROOT / "data"
EXAMPLES = stack.ROOT / "examples"
VALKEY_PORT = 6390
"""Port of the set's own Valkey; any free one when it is taken. Beside 6379, so that a Redis of the machine is safe."""

WATCH_EVERY_SECONDS = 0.2


class CannotStartError(Exception):
    """Something keeps the set from starting. The message says what, and what to do."""


def main(environ: Mapping[str, str]) -> int:
    """Runs the set and returns the exit code."""
    try:
        variables = env_file.beside(environ)
        for directory in _kept_in(variables):
            _check_writable(directory)
        with lock.held(DATA / "launcher.lock"):
            uvloop.run(run(variables))
    except lock.AlreadyRunningError as running:
        print(f"error: {running}; the REST API is at {own_gateway.url(variables)}", file=sys.stderr)
        return 1
    except ProcessDied as died:
        _say_why_it_died(died)
        return 1
    except (CannotStartError, env_file.EnvFileError, stack.NotReadyError, valkey.ValkeyUnavailable) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


async def run(environ: Mapping[str, str]) -> None:
    """Starts everything, waits for Ctrl-C or the end of one of the processes, and stops everything."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _refuse_taken_ports(environ)
    own_valkey, redis_url = await _redis(environ)
    running: list[ChildProcess] = []
    try:
        listens = addresses.listens(environ)
        variables = {
            "NJIA_EMULATOR_CALLBACKS": f"http://{reachable(listens['NJIA_AT_ADAPTER_CALLBACKS_LISTEN'])}",
            **_with_keys(environ),
            "NJIA_REDIS_URL": redis_url,
        }
        # The address was read from the file already, and a variable may not be set in both ways.
        variables.pop("NJIA_REDIS_URL_FILE", None)
        modules = _modules(environ)
        if "emulator" in modules:
            variables.setdefault("AT_BASE_URL", f"http://{reachable(listens['NJIA_EMULATOR_LISTEN'])}")
        for name, module in modules.items():
            log = DATA / "logs" / f"{name}.log"
            process.keep_last_log(log)
            running.append(process.start(name, module, variables, log, stack.ROOT))
        starting = asyncio.create_task(_open(running, variables))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if starting.done():
            await starting
            await _watch(running, own_valkey, stop)
        else:
            starting.cancel()
    finally:
        print("\nstopping…", flush=True)
        for child in reversed(running):
            await asyncio.to_thread(child.stop, stack.STOP_WITHIN_SECONDS)
        if own_valkey is not None:
            await asyncio.to_thread(own_valkey.stop)
        print("stopped; data and logs are under data/", flush=True)


async def _open(running: Sequence[ChildProcess], environ: Mapping[str, str]) -> None:
    gateway_url = own_gateway.url(environ)
    print("starting the services…", flush=True)
    listens = addresses.listens(environ)
    emulator = [listens["NJIA_EMULATOR_LISTEN"]] if "emulator" in _modules(environ) else []
    trusted = own_gateway.trusted(environ)
    await stack.wait_until_ready(running, gateway_url=gateway_url, also=emulator, verify=trusted)
    loaded = await examples.load(EXAMPLES, gateway_url, DATA / "examples.json", _service_key(environ), verify=trusted)
    print(f"\nREST API      {gateway_url}   (try {gateway_url}/docs)")
    print(f"callbacks     http://{reachable(listens['NJIA_AT_ADAPTER_CALLBACKS_LISTEN'])}/at/…")
    for listen in emulator:
        print(f"emulator      http://{reachable(listen)}")
    print("data, logs    data/, data/logs/")
    print(f"flows         {', '.join(example.workflow_id for example in loaded) or 'none'}")
    for example in loaded:
        if example.problem is not None:
            print(f"warning: example {example.workflow_id} {example.problem}")
    code = min((example.service_code for example in loaded if example.service_code), default=None)
    if code is not None:
        print(f"\nIn another terminal:  make dial CODE='{code}' FROM=+254711000001")
    print("Ctrl-C stops everything.", flush=True)


async def _watch(running: Sequence[ChildProcess], own_valkey: valkey.ValkeyServer | None, stop: asyncio.Event) -> None:
    tails = [WarningsTail(child.name, child.log) for child in running]
    while not stop.is_set():
        for tail in tails:
            for line in tail.new_lines():
                print(line, flush=True)
        for child in running:
            child.check()
        if own_valkey is not None and own_valkey.process.poll() is not None:
            log = DATA / "valkey" / "valkey.log"
            raise ProcessDied("valkey", own_valkey.process.returncode, process.last_lines(log, 20))
        await asyncio.sleep(WATCH_EVERY_SECONDS)


async def _redis(environ: Mapping[str, str]) -> tuple[valkey.ValkeyServer | None, str]:
    """Returns the server that was started for this run, if one was, and the address of the Redis to use."""
    asked = _redis_url(environ)
    if asked:
        address = urlsplit(asked).netloc.rpartition("@")[2]
        if not await _answers(asked):
            message = "start it, or take NJIA_REDIS_URL away: then a Valkey of our own is used"
            raise CannotStartError(f"the Redis of NJIA_REDIS_URL, {address}, does not answer: {message}")
        print(f"Redis at {address}")
        return None, asked
    port = valkey.free_port() if addresses.is_taken(f"127.0.0.1:{VALKEY_PORT}") else VALKEY_PORT
    server = await valkey.start(DATA / "valkey", port)
    print(f"Valkey at {server.url}, data in data/valkey")
    return server, server.url


def _redis_url(environ: Mapping[str, str]) -> str | None:
    variables = Environment(environ)
    url = variables.secret("NJIA_REDIS_URL")
    try:
        variables.check()
    except ConfigError as problem:
        raise CannotStartError(str(problem)) from None
    return url


def _with_keys(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Returns the variables with keys of our own where none are set: to encrypt, and for services where they ask."""
    ours = {}
    if not _is_set(environ, "NJIA_ENCRYPTION_KEY"):
        ours["NJIA_ENCRYPTION_KEY_FILE"] = str(encryption_key.keep(DATA / "encryption.key"))
    if _is_set(environ, "NJIA_API_KEYS") and not _is_set(environ, "NJIA_SERVICE_KEY"):
        ours["NJIA_SERVICE_KEY"] = secrets.token_urlsafe(32)
    return {**environ, **ours}


def _is_set(environ: Mapping[str, str], secret: str) -> bool:
    return bool(environ.get(secret) or environ.get(f"{secret}_FILE"))


def _service_key(environ: Mapping[str, str]) -> str | None:
    keys = (Environment(environ).secret("NJIA_SERVICE_KEY") or "").replace(",", " ").split()
    return keys[0] if keys else None


async def _answers(url: str) -> bool:
    try:
        client = connect(url)
    except ValueError as problem:
        raise CannotStartError(f"NJIA_REDIS_URL {problem}") from None
    try:
        await look(client)
    except StoreUnavailable:
        return False
    else:
        return True
    finally:
        await client.aclose()


def _modules(environ: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    if environ.get("AT_ENVIRONMENT", "").strip() in ("", "emulator"):
        return {"emulator": ("emulator",), **stack.ONE_PROCESS}
    return stack.ONE_PROCESS


def _kept_in(environ: Mapping[str, str]) -> Sequence[Path]:
    """Returns each directory that this run writes to."""
    own_valkey = () if _is_set(environ, "NJIA_REDIS_URL") else (DATA / "valkey",)
    return (DATA, DATA / "logs", *own_valkey)


def _check_writable(directory: Path) -> None:
    """What is kept must not be lost for want of a place; told before anything is started."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as problem:
        raise CannotStartError(
            f"cannot write to {directory}, where data and logs are kept: {problem.strerror}"
        ) from None


def _refuse_taken_ports(environ: Mapping[str, str]) -> None:
    shared = [f"{first} and {name}: {listen}" for first, name, listen in given_twice(addresses.listens(environ))]
    if shared:
        raise CannotStartError(
            "these are to listen on one address:\n  "
            + "\n  ".join(shared)
            + "\nGive one of them another port (in .env or the environment)."
        )
    taken = [f"{name} {listen}" for name, listen in addresses.listens(environ).items() if addresses.is_taken(listen)]
    if taken:
        raise CannotStartError(
            "something listens already on\n  "
            + "\n  ".join(taken)
            + "\nStop it, or set the variable to another address (in .env or the environment)."
        )


def _say_why_it_died(died: ProcessDied) -> None:
    print(f"error: {died}; the end of its log:", *map(readable, died.last_lines), sep="\n", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(os.environ))
