"""Who dials again and starts anew sees the same screens wherever an engine dies on the way."""

from services.engine.core.state import Reply
from services.engine.triggers.ussd_callbacks import UssdCallback
from tests.engine.core.flow_dicts import NUMBER, ask, bye, document, program_of
from tests.engine.core.outside import AfricasTalking
from tests.engine.core.virtual_time import told
from tests.engine.restarts.power import Cut
from tests.engine.restarts.stores import StoresInMemory
from tests.engine.restarts.telling import ANY
from tests.engine.restarts.world import World

MENU = document(
    "ussd",
    {"what": ask("What?"), "many": ask("How many {{input}}?"), "done": bye("Thanks for {{input}}")},
    ["start > what", "what > many", "many > done"],
    settings={"resumeWithinMs": 300_000},
)
DIALS = {"ATUid_1": ["", "maize"], "ATUid_2": ["", "2", "2*beans", "2*beans*5"]}
"""The first session is left at its second screen; in the second one `2` starts again."""


async def ending(cut: Cut | None) -> tuple[list[Reply], list[str], int]:
    """Returns the screens, how the executions stand, and what the first engine wrote."""
    world = World(program_of(MENU), StoresInMemory(), AfricasTalking(), cut)
    screens = []
    for session_id, texts in DIALS.items():
        for text in texts:
            callback = UssdCallback(session_id, NUMBER, "*384*1#", "63902", text)
            screens.append(await screen_of(world, callback))
            await world.elapse(1)
    states, _ = await world.engine.store.page(ANY, 10, None)
    await world.stop()
    return screens, sorted(state.status.value for state in states), world.writes


async def screen_of(world: World, callback: UssdCallback) -> Reply:
    return (await world.answer(lambda engine: engine.ussd_turns.answer(callback))).reply


def test_who_starts_again_sees_the_same_screens_wherever_an_engine_dies() -> None:
    screens, statuses, writes = told(ending(None))
    assert [screen.text for screen in screens][3:] == ["What?", "How many beans?", "Thanks for 5"]
    assert statuses == ["completed", "timeout"]
    for cut in [Cut(number, behind) for number in range(1, writes + 1) for behind in (False, True)]:
        assert told(ending(cut))[:2] == (screens, statuses), cut
