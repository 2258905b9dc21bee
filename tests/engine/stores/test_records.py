"""What is looked up: logs, delivery reports, idempotency keys, listings."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.engine.core.ports import LeaseLost, Unsettled
from services.engine.core.state import ExecutionStatus
from services.engine.store.execution_store import Cursor, ExecutionStore, Filter, OpenEffect, Report
from services.engine.store.lifetimes import MAX_REPORTS, MAX_UNMATCHED
from tests.engine.stores.engines import LONG_MS, SHORT_MS, Engines, begin, ended, entry, fresh, waiting

PLACE = "sms:+254711000001"
MEDIUM_MS = 1000
ALL = Filter(None, None, None, None)


def report(message_id: str, status: str = "Success") -> Report:
    return Report(message_id, status, "+254711000001", "", "63902", 1)


async def test_what_was_never_recorded_is_not_found(engines: Engines) -> None:
    assert await engines().read(fresh().execution_id) is None
    assert await engines().read("no id of ours") is None
    assert await engines().turns_behind({fresh().execution_id: 0}) == {fresh().execution_id: []}


async def test_a_report_finds_its_execution_and_stands_in_its_log(engines: Engines) -> None:
    store, state = engines(), fresh()
    journal = await begin(store, state)
    await journal.write(entry(state, correlations=["sms:one", "sms:two"]))
    assert await store.report(report("two")) == state.execution_id
    assert await store.report(report("one", "Sent")) == state.execution_id
    assert await store.report(report("one")) == state.execution_id
    assert await store.report(report("unknown")) is None
    stored = await store.read(state.execution_id)
    assert stored is not None
    assert list(stored.reports) == [report("one", "Sent"), report("one"), report("two")]


async def test_a_report_that_comes_before_its_message_is_known_is_not_lost(engines: Engines) -> None:
    store, state = engines(), fresh()
    assert await store.report(report("one")) is None
    await (await begin(store, state)).write(entry(state, correlations=["sms:one"]))
    stored = await store.read(state.execution_id)
    assert stored is not None
    assert list(stored.reports) == [report("one")]


async def test_only_the_newest_reports_of_a_message_are_kept(engines: Engines) -> None:
    store, state = engines(), fresh()
    await (await begin(store, state)).write(entry(state, correlations=["sms:one"]))
    for number in range(MAX_REPORTS + 2):
        await store.report(report("one", f"status {number}"))
    stored = await store.read(state.execution_id)
    assert stored is not None
    assert [each.status for each in stored.reports] == [f"status {number}" for number in range(2, MAX_REPORTS + 2)]


async def test_reports_and_what_they_find_are_kept_for_the_retention(engines: Engines) -> None:
    store, state = engines("a", LONG_MS, SHORT_MS), fresh()
    await (await begin(store, state)).write(entry(state, correlations=["sms:one"]))
    await store.report(report("one"))
    await engines.elapse(SHORT_MS)
    stored = await store.read(state.execution_id)
    assert stored is not None
    assert list(stored.reports) == []
    assert await store.report(report("one")) is None


async def test_a_message_that_an_engine_sent_before_it_lost_its_lease_is_still_found(engines: Engines) -> None:
    """Its correlation is written whether or not the journal may be: the message is on its way."""
    state = fresh()
    stale = await begin(engines("a", SHORT_MS), state)
    await engines.elapse(SHORT_MS)
    await engines("b").take_up(state.execution_id)
    with pytest.raises(LeaseLost):
        await stale.write(entry(state, correlations=["sms:one"]))
    assert await engines("b").report(report("one")) == state.execution_id


async def test_a_report_of_an_unknown_message_is_kept_by_its_number_until_its_sender_is_known(engines: Engines) -> None:
    store, state = engines(), fresh()
    now = engines.now_ms()
    unknown = [replace(report(name), received_at_ms=now + order) for order, name in enumerate(("one", "two"))]
    for each in unknown:
        await store.report(each)
    await store.report(replace(unknown[0], status="Read"))
    assert list(await store.unmatched(PLACE)) == [replace(unknown[0], status="Read"), unknown[1]]
    await (await begin(store, state)).write(entry(state, correlations=["sms:one"]))
    assert list(await store.unmatched(PLACE)) == [unknown[1]]
    assert list(await store.unmatched("sms:+254711000002")) == []


async def test_reports_of_unknown_messages_are_bounded_and_do_not_last(engines: Engines) -> None:
    store = engines("a", LONG_MS, MEDIUM_MS)
    now = engines.now_ms()
    for number in range(MAX_UNMATCHED + 1):
        await store.report(replace(report(f"id {number:02}"), received_at_ms=now + number))
    found = [each.message_id for each in await store.unmatched(PLACE)]
    assert found == [f"id {number:02}" for number in range(1, MAX_UNMATCHED + 1)]
    await engines.elapse(MEDIUM_MS + MAX_UNMATCHED)
    assert list(await store.unmatched(PLACE)) == []


async def test_an_effect_whose_outcome_is_unknown_can_be_settled_until_its_wait_is_over(engines: Engines) -> None:
    store = engines()
    soon = engines.now_ms() + LONG_MS
    for number, until_ms in ((1, engines.now_ms() - 1), (2, soon), (3, soon)):
        state = waiting(fresh(number), until_ms)
        await (await begin(store, state)).write(entry(state, unsettled=[Unsettled(PLACE, "ask")]))
    second, third = (OpenEffect(fresh(number).execution_id, "ask") for number in (2, 3))
    assert list(await store.unsettled(PLACE, engines.now_ms())) == [second, third]
    assert list(await store.unsettled("sms:+254711000002", engines.now_ms())) == []
    await store.settled(PLACE, second)
    assert list(await store.unsettled(PLACE, engines.now_ms())) == [third]


async def test_at_most_two_open_effects_are_named_since_two_are_too_many(engines: Engines) -> None:
    store = engines()
    for number in range(1, 4):
        state = waiting(fresh(number), engines.now_ms() + LONG_MS)
        await (await begin(store, state)).write(entry(state, unsettled=[Unsettled(PLACE, "ask")]))
    assert len(await store.unsettled(PLACE, engines.now_ms())) == 2


async def test_an_idempotency_key_stays_with_what_it_was_bound_to_first(engines: Engines) -> None:
    assert await engines("a").claimed("key") is None
    assert await engines("a").claim_key("key", "digest", "exe_1") == ("digest", "exe_1")
    assert await engines("b").claimed("key") == ("digest", "exe_1")
    assert await engines("b").claim_key("key", "digest", "exe_2") == ("digest", "exe_1")
    assert await engines("b").claim_key("key", "another digest", "exe_2") == ("digest", "exe_1")
    assert await engines("b").claim_key("other key", "digest", "exe_2") == ("digest", "exe_2")


async def started(engines: Engines, store: ExecutionStore, numbers: Sequence[int], workflow_id: str = "flow") -> None:
    """Begins executions one after the other, each in another partition; the odd ones end."""
    for number in numbers:
        state = fresh(number, workflow_id=workflow_id)
        journal = await begin(store, state)
        await journal.write(entry(ended(state) if number % 2 else waiting(state, engines.now_ms() + LONG_MS)))
        await engines.elapse(2)


async def pages(store: ExecutionStore, wanted: Filter, size: int) -> list[list[int]]:
    """The numbers of the executions, page by page."""
    found, after = [], None
    while True:
        page, after = await store.page(wanted, size, after)
        found.append([int(state.execution_id[5:], 16) for state in page])
        if after is None:
            return found


async def test_a_listing_is_newest_first_and_goes_on_where_the_page_ended(engines: Engines) -> None:
    store = engines()
    await started(engines, store, range(1, 6))
    assert await pages(store, ALL, 10) == [[5, 4, 3, 2, 1]]
    assert await pages(store, ALL, 5) == [[5, 4, 3, 2, 1]]
    assert await pages(store, ALL, 2) == [[5, 4], [3, 2], [1]]


async def test_an_empty_listing_has_no_next_page(engines: Engines) -> None:
    assert await engines().page(ALL, 3, None) == ([], None)


async def test_a_listing_is_narrowed_by_flow_and_status(engines: Engines) -> None:
    store = engines()
    await started(engines, store, range(1, 5))
    await started(engines, store, range(5, 7), "other")
    assert await pages(store, Filter("other", None, None, None), 10) == [[6, 5]]
    assert await pages(store, Filter("none", None, None, None), 10) == [[]]
    running = Filter("flow", ExecutionStatus.RUNNING, None, None)
    assert await pages(store, running, 10) == [[4, 2]]
    assert [number for page in await pages(store, running, 1) for number in page] == [4, 2]


async def test_a_listing_is_narrowed_by_start_the_end_excluded(engines: Engines) -> None:
    store = engines()
    await started(engines, store, range(1, 4))
    _, second = await store.page(ALL, 2, None)
    assert second is not None
    assert await pages(store, Filter(None, None, second.at_ms, None), 10) == [[3, 2]]
    assert await pages(store, Filter(None, None, None, second.at_ms), 10) == [[1]]
    assert await pages(store, Filter(None, None, second.at_ms, second.at_ms), 10) == [[]]


async def test_executions_of_one_moment_are_listed_by_id(engines: Engines) -> None:
    store = engines()
    await started(engines, store, range(1, 4))
    _, second = await store.page(ALL, 2, None)
    assert second is not None
    assert second.id == fresh(2).execution_id
    beside = Cursor(second.at_ms, "exe_0" + "0" * 24)
    assert [state.execution_id for state in (await store.page(ALL, 5, beside))[0]] == [fresh(1).execution_id]
    above = Cursor(second.at_ms, "exe_f" + "f" * 24)
    found = [state.execution_id for state in (await store.page(ALL, 5, above))[0]]
    assert found == [fresh(2).execution_id, fresh(1).execution_id]


async def test_executions_whose_retention_is_over_are_not_listed(engines: Engines) -> None:
    store = engines("a", LONG_MS, SHORT_MS)
    await started(engines, store, range(1, 4))
    await engines.elapse(SHORT_MS)
    assert await pages(store, ALL, 10) == [[2]]
