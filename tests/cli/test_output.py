"""How the command line writes tables and faults."""

import pytest

from cli.output import Output


def test_a_row_is_one_line_for_the_next_program(capsys: pytest.CaptureFixture[str]) -> None:
    why = "a reason that is far longer than any terminal is wide " * 5
    Output(as_json=False).table(("EXECUTION", "STATUS", "ERROR"), [("exe_1", "failed", why)], empty="none")
    title, row = capsys.readouterr().out.splitlines()
    assert title.split() == ["EXECUTION", "STATUS", "ERROR"]
    assert row.startswith("exe_1")
    assert why.strip() in row


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


def test_a_fault_names_the_node_beside_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    fault = {"path": "nodes[1].config.to", "nodeId": "send", "message": "to is required", "code": "X"}
    Output(as_json=False).issues([fault], [])
    assert "nodes[1].config.to (send): to is required [X]" in capsys.readouterr().out


def test_a_refusal_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    fault = {"path": "status", "message": "status must be another", "code": "INVALID_FILTER"}
    Output(as_json=False).problem({"message": "status must be another", "errors": [fault]})
    assert capsys.readouterr().err == "error status must be another\n"
