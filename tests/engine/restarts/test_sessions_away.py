"""A dial while the sessions service is away: its screen comes soon after it is back, and nothing spins meanwhile."""

import pytest

from services.engine.triggers.ussd_callbacks import UssdCallback
from services.sessions.memory_store import MemorySessionStore
from storage.connection import StoreUnavailable
from tests.engine.core.flow_dicts import NUMBER, ask, document, program_of
from tests.engine.core.outside import AfricasTalking
from tests.engine.core.virtual_time import now_ms, told
from tests.engine.restarts.engine import SCAN_SECONDS
from tests.engine.restarts.stores import LEASE_MS, StoresInMemory
from tests.engine.restarts.world import World

MENU = document("ussd", {"menu": ask("Menu")}, ["start > menu"])
AWAY_SECONDS = 2 * SCAN_SECONDS - 1


async def dialled(monkeypatch: pytest.MonkeyPatch) -> tuple[str, float, int]:
    """Returns the screen, how long it took in seconds, and how often the sessions service was asked."""
    began_ms, opens = now_ms(), 0
    opened = MemorySessionStore.open

    async def away_at_first(*args: object) -> object:
        nonlocal opens
        opens += 1
        if now_ms() < began_ms + 1000 * AWAY_SECONDS:
            raise StoreUnavailable("away")
        return await opened(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(MemorySessionStore, "open", away_at_first)
    world = World(program_of(MENU), StoresInMemory(), AfricasTalking(), None)
    callback = UssdCallback("ATUid_1", NUMBER, "*384*1#", "63902", "")
    screen = (await world.answer(lambda engine: engine.ussd_turns.answer(callback))).reply.text
    took_seconds = (now_ms() - began_ms) / 1000
    await world.stop()
    return screen, took_seconds, opens


def test_a_screen_comes_with_the_first_look_for_what_is_due_once_sessions_are_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen, took_seconds, opens = told(dialled(monkeypatch))

    assert screen == "Menu"
    assert AWAY_SECONDS <= took_seconds <= AWAY_SECONDS + SCAN_SECONDS < LEASE_MS / 1000
    assert opens <= 2 + took_seconds / SCAN_SECONDS
