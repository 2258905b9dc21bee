"""An engine that stops in the middle of a run: another one goes on, and nothing of it shows."""

import asyncio

import pytest

from services.engine.core.ports import HandedOver
from services.engine.core.state import Reply
from tests.engine.core.flow_dicts import NUMBER, document, sms
from tests.engine.core.outside import HANGS, slow
from tests.engine.core.test_durability import EXPECTED, facts, shop, talk
from tests.engine.core.virtual_time import in_virtual_time, told
from tests.engine.core.world import World

OTHER = "+254711000011"
FAST_AND_SLOW = document("sms", {"fast": sms(OTHER, "1"), "slow": sms(NUMBER, "2")}, ["start > fast", "start > slow"])


class Relay(World):
    """A world with another engine that goes on at once with what was handed over."""

    hand_overs = 0

    async def answer(self, key: str) -> Reply:
        while True:
            try:
                return await super().answer(key)
            except HandedOver:
                self._goes_on()

    async def rest(self) -> None:
        while True:
            try:
                return await super().rest()
            except HandedOver:
                self._goes_on()

    def stop_engine(self) -> None:
        """Has the engine hand over what it runs now."""
        if self.run is not None and self.task is not None and not self.task.done():
            self.run.hand_over()

    def _goes_on(self) -> None:
        self.hand_overs += 1
        self.take_up()


@in_virtual_time
async def test_a_node_that_was_stopped_is_not_logged_and_its_send_is_not_repeated() -> None:
    world = Relay(FAST_AND_SLOW)
    world.sms.script = {NUMBER: [slow(5)]}
    world.comes_in(None, {"msisdn": NUMBER})
    await asyncio.sleep(1)
    assert world.task is not None

    world.stop_engine()
    with pytest.raises(HandedOver):
        await world.task

    assert world.statuses() == {"start": "success", "fast": "success"}
    assert world.state.active_ms == 1000
    world.take_up()
    await world.rest()
    assert world.statuses() == {"start": "success", "fast": "success", "slow": "success"}
    assert [result.attempt for result in world.results("slow")] == [1]
    assert world.sms.texts() == ["1", "2"]


@in_virtual_time
async def test_a_run_that_is_handed_over_before_it_began_does_nothing() -> None:
    world = Relay(FAST_AND_SLOW)
    world.comes_in(None, {"msisdn": NUMBER})
    assert world.task is not None

    world.stop_engine()
    with pytest.raises(HandedOver):
        await world.task

    assert (world.log, world.sms.calls, len(world.disk.left())) == ([], [], 1)


@in_virtual_time
async def test_nodes_that_run_when_an_execution_is_cancelled_are_logged_as_before() -> None:
    world = World(FAST_AND_SLOW)
    world.sms.script = {NUMBER: [HANGS]}
    world.comes_in(None, {"msisdn": NUMBER})
    await asyncio.sleep(1)
    assert world.run is not None

    world.run.cancel()
    world.run.hand_over()
    await world.rest()

    assert world.state.status == "cancelled"
    assert [result.error.code for result in world.results("slow") if result.error] == ["CANCELLED"]


def test_a_hand_over_at_any_moment_changes_nothing() -> None:
    async def story(at_seconds: float) -> int:
        world = shop(Relay)
        assert isinstance(world, Relay)
        asyncio.get_running_loop().call_later(at_seconds, world.stop_engine)
        assert await talk(world) == EXPECTED[0]
        assert facts(world) == EXPECTED[1]
        return world.hand_overs

    assert sum(told(story(quarters / 4)) for quarters in range(24)) > 10


@pytest.mark.parametrize("every_seconds", [0.1, 0.7])
def test_a_run_that_is_handed_over_again_and_again_gets_there(every_seconds: float) -> None:
    async def story() -> None:
        world = shop(Relay)
        assert isinstance(world, Relay)
        loop = asyncio.get_running_loop()
        for number in range(1, 20):
            loop.call_later(number * every_seconds, world.stop_engine)
        assert await talk(world) == EXPECTED[0]
        assert facts(world) == EXPECTED[1]
        assert len(set(world.sessions.applied)) == len(world.sessions.applied)
        assert world.hand_overs > 3

    told(story())
