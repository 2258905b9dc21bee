"""How the command line shows the catalogue: the schemas of the real node types as rows."""

import pytest

from cli.commands.node_types import shown
from cli.output import Output
from cli.schema_fields import SchemaField, fields
from rpc.documents import to_document
from services.validator.convert import node_type_to_proto
from workflow.catalogue import CATALOGUE


def config_of(node_type: str) -> dict[str, SchemaField]:
    row = to_document(node_type_to_proto(CATALOGUE[node_type]))
    return {field.name: field for field in fields(row["configSchema"])}


@pytest.mark.parametrize(
    ("node_type", "field", "takes", "default", "required"),
    [
        ("SEND_SMS", "to", "text or list of texts or {{…}}", "", True),
        ("SEND_SMS", "encoding", "GSM7, UCS2 or auto", '"auto"', False),
        ("SEND_SMS", "bulkSMSMode", "0 or 1", "1", False),
        ("SEND_SMS", "deliveryReportUrl", "web address", "", False),
        ("SMS_RECEIVED", "keyword", r"text ^\S{1,160}$", "", False),
        ("SMS_RECEIVED", "shortCode", "text, 1 to 32 characters", "", False),
        ("SCHEDULED", "endDate", "text, up to 64 characters", "", False),
        ("SCHEDULED", "maxExecutions", "whole number, from 1", "", False),
        ("PAYMENT_CALLBACK", "minAmount", "number, from 0", "", False),
        ("DELAY", "duration", "whole number, above 0 up to 315360000000 or {{…}}", "", True),
        ("HTTP_REQUEST", "auth", "object", "", False),
        ("HTTP_REQUEST", "auth.token", "text, kept secret", "", False),
        ("HTTP_REQUEST", "retry.attempts", "whole number, 0 to 5", "0", False),
        ("HTTP_REQUEST", "retry.retryableStatusCodes", "list of whole numbers, 100 to 599", "", False),
        ("HTTP_REQUEST", "body", "any value", "", False),
        ("HTTP_WEBHOOK", "headers", "object of text", "", False),
        ("SWITCH", "cases", "list of objects, at least 1", "", True),
        ("SWITCH", "cases[].value", "text", "", True),
        ("SESSION_WRITE", "scope", "session, workflow or global", '"session"', False),
    ],
)
def test_a_field_says_what_it_may_be(node_type: str, field: str, takes: str, default: str, required: bool) -> None:
    found = config_of(node_type)[field]
    assert (found.takes, found.default, found.required) == (takes, default, required)


@pytest.mark.parametrize("node_type", CATALOGUE)
def test_every_field_says_what_it_does(node_type: str) -> None:
    assert [field.name for field in config_of(node_type).values() if not field.description] == []


def test_a_node_type_is_shown_with_its_config_its_handles_and_what_it_puts_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown(Output(as_json=False), to_document(node_type_to_proto(CATALOGUE["INITIATE_CALL"])))
    written = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert written[0] == "INITIATE_CALL  action"
    assert written[1].endswith("It needs a session. One attempt takes 60.0 s at most.")
    assert "in   default" in written
    assert "out  success, no_answer, error, timeout" in written
    assert any(line.split() == ["node_<id>.output.status", "text"] for line in written)


def test_a_trigger_is_shown_with_what_it_brings(capsys: pytest.CaptureFixture[str]) -> None:
    shown(Output(as_json=False), to_document(node_type_to_proto(CATALOGUE["SMS_RECEIVED"])))
    written = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert not any(line.startswith("in ") for line in written)
    assert "out  default" in written
    assert any(line.split() == ["msisdn", "text"] for line in written)
