"""How the command line writes tables and faults."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from cli.columns import Column, lines
from cli.commands import executions, flows, sessions, unclaimed
from cli.output import Output, brief_moment


def test_a_row_is_one_line_for_the_next_program(capsys: pytest.CaptureFixture[str]) -> None:
    why = "a reason that is far longer than any terminal is wide " * 5
    Output(as_json=False).table(("EXECUTION", "STATUS", "ERROR"), [("exe_1", "failed", why)], empty="none")
    title, row = capsys.readouterr().out.splitlines()
    assert title.split() == ["EXECUTION", "STATUS", "ERROR"]
    assert row.startswith("exe_1")
    assert why.strip() in row


def test_no_blanks_stand_behind_the_last_word_of_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("exe_1", "a reason that is long"), ("exe_2", "none")]
    Output(as_json=False).table(("EXECUTION", "ERROR"), rows, empty="none")
    assert capsys.readouterr().out == "EXECUTION  ERROR\nexe_1      a reason that is long\nexe_2      none\n"


def test_a_terminal_does_not_break_a_day_or_a_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    rows = [("exe_7f3ebddfe3d19fd612e29db5f", "airtime-shop-paid v1", "completed", "2026-11-28 10:21:13", "196 ms", "")]
    Output(as_json=False).table(("EXECUTION", "FLOW", "STATUS", "STARTED (UTC)", "TOOK", "WHY"), rows, empty="none")
    written = capsys.readouterr().out
    assert "completed" in written
    assert "2026-11-28" in written


EXECUTION = ("exe_7f3ebddfe3d19fd612e29db5f", "airtime-shop-paid v1", "completed", "10:21:13", "196 ms", "")
FAILED = (
    "exe_7f3ebddfe3d19fd612e29db5a",
    "market v12",
    "failed",
    "11-27 08:00",
    "1.2 s",
    "NETWORK_ERROR: nobody answered",
)
SESSION = ("ATUid_5f1c1df6c1ab1d4f5d3f4d1a9ec0b7a2", "ussd", "+254711000001", "yes", "10:21:13", "kilos, name, price")
UNCLAIMED = ("payment", "10:21:13", "+254711000001", '{"transactionId": "ATPid_1"}')
FLOW = ("airtime-shop-paid", "Airtime shop: what is paid", "PAYMENT_CALLBACK", "1", "1")


@pytest.mark.parametrize(
    ("columns", "row", "whole"),
    [
        (executions.LISTED, EXECUTION, EXECUTION[:4]),
        (executions.LISTED, FAILED, FAILED[:4]),
        (sessions.LISTED, SESSION, (SESSION[0], SESSION[2], SESSION[4])),
        (flows.LISTED, FLOW, (FLOW[0], FLOW[2], FLOW[4])),
        (unclaimed.LISTED, UNCLAIMED, UNCLAIMED),
    ],
)
def test_a_row_is_one_line_of_a_terminal_and_its_ids_are_whole(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: Sequence[Column],
    row: Sequence[str],
    whole: Sequence[str],
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    Output(as_json=False).rows(columns, [row], empty="none")
    _, written = capsys.readouterr().out.splitlines()
    assert len(written) <= 80
    assert all(word in written for word in whole)


def test_a_list_is_whole_for_the_next_program(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).rows(executions.LISTED, [EXECUTION, FAILED], empty="none")
    titles, *rows = capsys.readouterr().out.splitlines()
    assert "STARTED (UTC)" in titles
    assert all(cell in line for line, row in zip(rows, (EXECUTION, FAILED), strict=True) for cell in row)


def test_columns_give_way_in_their_order() -> None:
    columns = (Column("ID"), Column("NAME", least=5, goes=2), Column("SILENT", goes=3), Column("TOOK", goes=1))
    row = ("exe_12345", "a long name", "", "12 ms")
    assert lines(columns, [row], 80)[1] == "exe_12345  a long name          12 ms"
    assert lines(columns, [row], 29)[1] == "exe_12345  a long name  12 ms"
    assert lines(columns, [row], 25)[1] == "exe_12345  a long…  12 ms"
    assert lines(columns, [row], 20)[1] == "exe_12345  a long n…"
    assert lines(columns, [row], 15)[1] == "exe_12345"
    assert lines(columns, [row], 5)[1] == "exe_12345"


def test_a_list_that_is_empty_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).rows(executions.LISTED, [], empty="There are none.")
    assert capsys.readouterr().out == "There are none.\n"


def test_a_time_is_as_short_as_it_can_be_told_from_others() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert brief_moment("2026-11-28T10:21:13.000Z", now) == "10:21:13"
    assert brief_moment("2026-11-27T10:21:13.000Z", now) == "11-27 10:21"
    assert brief_moment("2025-11-28T10:21:13.000Z", now) == "2025-11-28"


def test_a_fault_names_the_node_beside_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    fault = {"path": "nodes[1].config.to", "nodeId": "send", "message": "to is required", "code": "X"}
    Output(as_json=False).issues([fault], [])
    assert "nodes[1].config.to (send): to is required [X]" in capsys.readouterr().out


def test_a_refusal_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    fault = {"path": "status", "message": "status must be another", "code": "INVALID_FILTER"}
    Output(as_json=False).problem({"message": "status must be another", "errors": [fault]})
    assert capsys.readouterr().err == "error status must be another\n"


def test_faults_that_are_listed_are_not_told_of_before(capsys: pytest.CaptureFixture[str]) -> None:
    faults = [
        {"path": f"nodes[{place}].type", "nodeId": "send", "message": "there is no such type", "code": "X"}
        for place in range(2)
    ]
    message = "the flow has 2 errors; the first: nodes[0].type: there is no such type"
    Output(as_json=False).problem({"message": message, "errors": faults})
    assert capsys.readouterr().err.splitlines() == [
        "error the flow has 2 errors",
        "  nodes[0].type (send): there is no such type [X]",
        "  nodes[1].type (send): there is no such type [X]",
    ]
