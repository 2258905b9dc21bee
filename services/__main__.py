"""
Runs one service, or all of them in this process: `python -m services all|validator|engine|sessions|at_adapter|gateway`.

The one place that knows the list of services, and the one that listens to signals. SIGTERM and SIGINT end the
process once the calls that run are answered; a second one ends it at once. Exit codes: 0 stopped as asked,
1 failed, 2 wrong arguments or configuration.
"""

import os
import signal

if __name__ == "__main__":
    # All that is imported below takes a while, and the first process of a container has no default action: a signal
    # that comes before somebody listens would be lost, and the container killed after its grace period. Nothing is
    # served yet, so that there is nothing to finish.
    for early in (signal.SIGTERM, signal.SIGINT):
        signal.signal(early, lambda *_: os._exit(0))

import asyncio
import gc
import importlib
import secrets
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog
import uvloop
from opentelemetry.trace import TracerProvider

from rpc import open_files
from rpc.config import ConfigError
from rpc.listening import ListenFailed, given_twice, parse_listen, reachable
from telemetry import logs, tracing

Serve = Callable[[Mapping[str, str], TracerProvider, asyncio.Event], Coroutine[Any, Any, None]]
"""
The one function that a service exports. It reads its configuration before anything else (ConfigError), serves until
the event is set, lets what runs finish, and returns.
"""

TARGETS: Mapping[str, str] = {
    "validator": "services.validator.server",
    "sessions": "services.sessions.server",
    "at_adapter": "services.at_adapter.server",
    "engine": "services.engine.server",
    "gateway": "gateway.server",
}
"""
Module of each service, loaded only when its service is asked for. A service stands behind those that it calls: they
are stopped in the opposite order, so that a call that still runs finds all that it needs. The engine and the adapter
call each other: a send that is under way cannot wait, a callback that comes in can be sent again.
"""

GRPC_LISTENS: Mapping[str, str] = {
    "VALIDATOR": "127.0.0.1:50051",
    "ENGINE": "127.0.0.1:50052",
    "SESSIONS": "127.0.0.1:50053",
    "AT_ADAPTER": "127.0.0.1:50054",
}
"""Default of NJIA_<name>_LISTEN, from which `all` makes NJIA_<name>_TARGET where that is not set."""

HTTP_LISTENS: Mapping[str, str] = {"GATEWAY": "127.0.0.1:8080", "AT_ADAPTER_CALLBACKS": "127.0.0.1:8090"}
"""Default of NJIA_<name>_LISTEN of what serves HTTP."""

DRAIN_WITHIN_SECONDS = 25.0
"""From the stop signal to the forced end. Kubernetes waits 30 s by default before it kills."""

CANCEL_WITHIN_SECONDS = 3.0
"""How long services that are cancelled, and threads, may take to let go; then the process ends all the same."""

EXIT_FAILED = 1
EXIT_UNUSABLE = 2

USAGE = """usage: python -m services NAME

NAME is one of
  all          every service in this process
  validator    checks and compiles flows
  sessions     keeps the sessions of phone users
  engine       runs flows
  at_adapter   talks to Africa's Talking, in both directions
  gateway      the REST API

Configuration comes from the environment; docs/settings.md lists the variables.
"""

_log = structlog.get_logger()


class ServiceEndedError(Exception):
    """A service returned though nothing asked it to."""


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Runs what the arguments name and returns the exit code."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if len(arguments) != 1 or arguments[0] not in ("all", *TARGETS):
        print(USAGE, end="", file=sys.stderr)
        return EXIT_UNUSABLE
    logs.configure(environ)
    open_files.allow()
    names = tuple(TARGETS) if arguments[0] == "all" else (arguments[0],)
    try:
        check_addresses(names, environ)
        uvloop.run(run(names, with_targets(environ) if arguments[0] == "all" else environ))
    except Exception as error:  # noqa: BLE001 (the end of the process: everything is reported)
        return _report(_leaves(error), _listens(names, environ))
    return 0


async def run(names: Sequence[str], environ: Mapping[str, str]) -> None:
    """
    Runs services until a signal comes or one of them fails.

    Raises:
        ExceptionGroup: What the services raised; the failure of one ends the others.
        TimeoutError: A service did not end within DRAIN_WITHIN_SECONDS after the signal.
    """
    serves = _load(names)
    stop = _stop_on_signals()
    providers: list[TracerProvider] = []
    try:
        serving = asyncio.create_task(_serve_all(serves, environ, stop, providers))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not serving.done():
            await asyncio.wait({serving}, timeout=DRAIN_WITHIN_SECONDS)
        if not serving.done():
            serving.cancel()
            raise TimeoutError(f"services did not end within {DRAIN_WITHIN_SECONDS:g} s")
        await serving
    finally:
        # At once: each may wait for a collector that does not answer.
        await asyncio.gather(*map(tracing.shut_down, providers))


def with_targets(environ: Mapping[str, str]) -> dict[str, str]:
    """
    Returns the environment with the address of every service that has none, made from where it listens.

    Raises:
        ConfigError: A service listens on port 0, so that nobody knows its address beforehand.
    """
    result = dict(environ)
    problems = []
    for name, default in GRPC_LISTENS.items():
        listen = result.get(f"NJIA_{name}_LISTEN", "").strip() or default
        try:
            _, port = parse_listen(listen)
        except ValueError:
            # The service itself reports it, together with its other problems.
            continue
        if port == 0:
            problems.append(f"NJIA_{name}_LISTEN: port 0 cannot be used with all, since the others could not find it")
        result[f"NJIA_{name}_TARGET"] = result.get(f"NJIA_{name}_TARGET", "").strip() or reachable(listen)
    if _is_set(result, "NJIA_API_KEYS") and not _is_set(result, "NJIA_SERVICE_KEY"):
        # In one process nobody else needs to know it.
        result["NJIA_SERVICE_KEY"] = secrets.token_urlsafe(32)
    if problems:
        raise ConfigError(problems)
    return result


def check_addresses(services: Sequence[str], environ: Mapping[str, str]) -> None:
    """
    Looks for an address that is given twice; a server could not say later whose it is.

    Raises:
        ConfigError: With both variables.
    """
    listens = _listens(services, environ)
    fixed = {variable: listen for variable, listen in listens.items() if listen and not listen.endswith(":0")}
    problems = [
        f"{variable}: {listen} is that of {first} as well; give one of them another port"
        for first, variable, listen in given_twice(fixed)
    ]
    if problems:
        raise ConfigError(problems)


def _listens(services: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Returns where each listener of the services listens, by its variable; empty text where it is off."""
    defaults = {f"NJIA_{name}_LISTEN": listen for each in services for name, listen in _listens_of(each.upper())}
    return {variable: environ.get(variable, "").strip() or default for variable, default in defaults.items()}


def _listens_of(service: str) -> Sequence[tuple[str, str]]:
    """Names between NJIA_ and _LISTEN, with their defaults; an empty one is off."""
    own = {**GRPC_LISTENS, **HTTP_LISTENS}
    return (*((name, own.get(name, "")) for name in (service, f"{service}_CALLBACKS")), (f"{service}_METRICS", ""))


def _is_set(environ: Mapping[str, str], secret: str) -> bool:
    return any(environ.get(name, "").strip() for name in (secret, f"{secret}_FILE"))


def _load(names: Sequence[str]) -> Mapping[str, Serve]:
    # gRPC's C core writes lines of its own to standard error; what matters of them reaches us as errors of calls.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # What is loaded stays. To look for garbage in it takes a tenth of the start, and time of every later collection.
    gc.disable()
    try:
        return {name: importlib.import_module(TARGETS[name]).serve for name in names}
    finally:
        gc.freeze()
        gc.enable()


async def _serve_all(
    serves: Mapping[str, Serve], environ: Mapping[str, str], stop: asyncio.Event, providers: list[TracerProvider]
) -> None:
    stops = {name: asyncio.Event() for name in serves}
    async with asyncio.TaskGroup() as group:
        tasks = {}
        for name, serve in serves.items():
            provider = tracing.provider(name, environ)
            providers.append(provider)
            serving = _serve_one(name, serve(environ, provider, stops[name]), stops[name])
            tasks[name] = group.create_task(serving, name=name)
        await stop.wait()
        for name in reversed(tasks):
            stops[name].set()
            await asyncio.wait({tasks[name]})


async def _serve_one(name: str, serving: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    logs.bind_service(name)
    await serving
    if not stop.is_set():
        raise ServiceEndedError(f"{name} ended by itself")
    _log.info("stopped")


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(128 + number)
        _log.info("stopping", signal=number.name)
        stop.set()
        # A thread of its own: neither a task that swallows its cancellation nor a blocked thread can hold up the end.
        last_resort = threading.Timer(DRAIN_WITHIN_SECONDS + CANCEL_WITHIN_SECONDS, _end_now)
        last_resort.daemon = True
        last_resort.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)
    return stop


def _end_now() -> None:
    _log.error("services did not let go of the process; it ends now")
    os._exit(EXIT_FAILED)


def _report(errors: Sequence[BaseException], listens: Mapping[str, str]) -> int:
    """Tells a person what ended the process and returns the exit code."""
    # Services that read the same variable report it each; a dictionary keeps the order and drops the repeats.
    problems = dict.fromkeys(line for error in errors if isinstance(error, ConfigError) for line in error.problems)
    if problems:
        print("error: the configuration cannot be used", *problems, sep="\n  ", file=sys.stderr)
    others = [error for error in errors if not isinstance(error, ConfigError)]
    for error in others:
        if isinstance(error, ListenFailed):
            variables = " or ".join(name for name, listen in listens.items() if listen == error.listen)
            print(f"error: {error}; set {variables or 'its variable'} to another one", file=sys.stderr)
        else:
            _log.error("a service failed", exc_info=error)
    # A port that is taken as well changes nothing: what the operator gave must be mended first.
    is_unusable = bool(problems) and all(isinstance(error, ListenFailed) for error in others)
    return EXIT_UNUSABLE if is_unusable else EXIT_FAILED


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
