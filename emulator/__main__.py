"""`python -m emulator`: Africa's Talking on this machine, until SIGTERM or Ctrl-C."""

import asyncio
import os
import signal
import sys

import structlog
import uvloop

from emulator.config import EmulatorConfig, from_env
from emulator.server import running
from rpc.config import ConfigError
from rpc.listening import ListenFailed
from telemetry import logs

EXIT_CONFIGURATION, EXIT_LISTEN = 2, 1

log = structlog.get_logger("emulator")


async def _serve(config: EmulatorConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stop.set)
    async with running(config) as url:
        log.info("emulator ready", url=url, callbacks=config.callbacks_url)
        await stop.wait()
        log.info("emulator stopping")


def main() -> int:
    """Runs the emulator and returns the exit code: 0 after a stop, 1 without its address, 2 for the environment."""
    logs.configure(os.environ)
    logs.bind_service("emulator")
    try:
        config = from_env(os.environ)
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"emulator: {problem}\n")
        return EXIT_CONFIGURATION
    try:
        uvloop.run(_serve(config))
    except ListenFailed as error:
        sys.stderr.write(f"emulator: {error}\n")
        return EXIT_LISTEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
