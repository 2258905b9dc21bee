"""What keeps the emulator's memory bounded."""

import asyncio

from structlog.testing import capture_logs

from emulator.background import Background
from emulator.recent import Recent


def test_the_oldest_entry_goes_when_there_are_too_many() -> None:
    gone: list[str] = []
    recent: Recent[int, str] = Recent(2, gone.append)
    for key, value in ((1, "a"), (2, "b"), (1, "c"), (3, "d")):
        recent.put(key, value)
    assert (list(recent), gone, recent.get(1)) == (["b", "d"], ["c"], None)
    recent.clear()
    assert (len(recent), gone) == (0, ["c", "b", "d"])


async def test_work_beyond_the_bound_is_dropped_and_told() -> None:
    background = Background(limit=1)
    release = asyncio.Event()
    done: list[str] = []

    async def work(name: str) -> None:
        await release.wait()
        done.append(name)

    with capture_logs() as logs:
        assert background.start("first", work("first"))
        assert not background.start("second", work("second"))
    assert [(line["event"], line["work"]) for line in logs] == [("background work dropped", "second")]
    release.set()
    async with asyncio.timeout(30):
        while len(background):
            await asyncio.sleep(0)
    assert done == ["first"]


async def test_work_that_is_stopped_never_ends_by_itself() -> None:
    background = Background(limit=2)
    background.start("endless", asyncio.sleep(3600))
    await background.stop()
    assert len(background) == 0


async def test_work_that_fails_is_told() -> None:
    background = Background(limit=1)

    async def fail() -> None:
        raise ValueError("broken")

    with capture_logs() as logs:
        background.start("broken work", fail())
        async with asyncio.timeout(30):
            while len(background):
                await asyncio.sleep(0)
    assert [(line["event"], line["work"]) for line in logs] == [("background work failed", "broken work")]
