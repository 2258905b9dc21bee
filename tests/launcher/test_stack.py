"""Start, kill and restart of real processes: Valkey, the emulator, and a small program in place of the services."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from launcher import addresses, process, stack

GATEWAY = """
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["NJIA_REDIS_URL"].encode())
    def log_message(self, *_):
        pass
host, port = os.environ["NJIA_GATEWAY_LISTEN"].split(":")
print("gateway serves", flush=True)
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


@pytest.fixture
def made_up(tmp_path: Path) -> Any:
    """Makes a stack of one made-up program: made_up(source)."""

    def make(source: str) -> stack.Stack:
        (tmp_path / "made_up_gateway.py").write_text(source)
        return stack.Stack(
            tmp_path / "data", layout={"gateway": ("made_up_gateway",)}, environ={"PYTHONPATH": str(tmp_path)}
        )

    return make


async def test_what_was_stored_survives_the_killing_of_every_process(made_up: Any) -> None:
    async with made_up(GATEWAY) as running:
        async with httpx.AsyncClient(timeout=30) as client:
            assert (await client.get(f"{running.gateway_url}/health")).text == running.redis_url
        async with Redis.from_url(running.redis_url) as client_of_store:
            # The append-only file is written before the answer and outlives the process; fsync is for power cuts.
            await client_of_store.set("kept", "yes")
        before = {name: running.pid(name) for name in ("valkey", "emulator", "gateway")}
        for name in before:
            running.kill(name)
        for name in before:
            await running.start(name)
        await running.ready()

        assert all(running.pid(name) != pid for name, pid in before.items())
        async with Redis.from_url(running.redis_url) as redis:
            assert await redis.get("kept") == b"yes"
    listens = [running.environ[name] for name in addresses.LISTENS]
    assert [listen for listen in listens if addresses.is_taken(listen)] == []


async def test_the_emulator_is_told_where_callbacks_go_and_the_services_where_the_emulator_is(made_up: Any) -> None:
    running = made_up(GATEWAY)

    assert running.environ["AT_BASE_URL"] == running.emulator_url
    assert running.environ["NJIA_EMULATOR_CALLBACKS"] == running.callbacks_url
    assert running.environ["NJIA_ENGINE_TARGET"] == running.environ["NJIA_ENGINE_LISTEN"]
    assert Path(running.environ["NJIA_ENCRYPTION_KEY_FILE"]).exists()


async def test_a_process_that_dies_at_the_start_is_named_and_its_log_shown(
    made_up: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(process.ProcessDied, match="gateway ended with code 1"):
        async with made_up("raise SystemExit('no good')"):
            pass

    assert "no good" in capsys.readouterr().err


async def test_logs_are_shown_when_a_test_fails(made_up: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError):
        async with made_up(GATEWAY):
            raise AssertionError

    assert "gateway serves" in capsys.readouterr().err
