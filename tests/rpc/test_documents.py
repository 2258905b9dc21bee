"""Messages and REST documents say the same."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, strategies as st

from njia.engine.v1 import engine_service_pb2, workflow_service_pb2
from njia.sessions.v1 import sessions_service_pb2
from njia.validator.v1 import validator_service_pb2
from njia.workflow.v1 import workflow_pb2
from rpc.documents import DocumentError, from_document, to_document

MESSAGES = [
    engine_service_pb2.ExecutionLog,
    engine_service_pb2.ExecutionResult,
    sessions_service_pb2.Session,
    validator_service_pb2.NodeTypeInfo,
    validator_service_pb2.CompileWorkflowResponse,
    workflow_pb2.WorkflowSpec,
    workflow_pb2.ExecutionGraph,
    workflow_service_pb2.Workflow,
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
json_texts = st.dictionaries(st.text(max_size=5), json_values, max_size=3).map(
    lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
)
moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment.replace(microsecond=moment.microsecond // 1000 * 1000))
    return stamp


def scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    if field.name.endswith("_json"):
        return json_texts
    return {
        FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
        FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
        FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
        FieldDescriptor.CPPTYPE_DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
        FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
        FieldDescriptor.CPPTYPE_STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    }[field.cpp_type]


@st.composite
def messages(draw: st.DrawFn, descriptor: Any, depth: int = 0) -> Message:
    """Any message of a type, as a peer could send it."""
    if descriptor.full_name == Timestamp.DESCRIPTOR.full_name:
        return timestamp(draw(moments))
    message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if not draw(st.booleans()) or (field.containing_oneof and message.WhichOneof(field.containing_oneof.name)):
            continue
        target = getattr(message, field.name)
        if field.message_type is None:
            if field.is_repeated:
                target.extend(draw(st.lists(scalars(field), max_size=2)))
            else:
                value = draw(scalars(field))
                # An optional enum that says UNSPECIFIED and one that is not there are one document.
                if not (field.enum_type is not None and field.has_presence and value == 0):
                    setattr(message, field.name, value)
        elif depth < 2:
            if field.message_type.GetOptions().map_entry:
                value_type: Any = field.message_type.fields_by_name["value"].message_type
                target[draw(st.text(max_size=5))].CopyFrom(draw(messages(value_type, depth + 1)))
            elif field.is_repeated:
                target.append(draw(messages(field.message_type, depth + 1)))
            else:
                target.CopyFrom(draw(messages(field.message_type, depth + 1)))
    return message


@given(st.data(), st.sampled_from(MESSAGES))
def test_a_message_survives_the_way_to_a_document_and_back(data: st.DataObject, message_class: type[Message]) -> None:
    message = data.draw(messages(message_class.DESCRIPTOR))

    document = json.loads(json.dumps(to_document(message)))

    assert from_document(document, message_class) == message


def test_a_document_reads_as_the_rest_api_says() -> None:
    log = engine_service_pb2.ExecutionLog(
        execution_id="e1",
        workflow_version=3,
        status=workflow_pb2.EXECUTION_STATUS_RUNNING,
        started_at=timestamp(datetime(2026, 3, 1, 8, 30, 0, 123456, tzinfo=UTC)),
        duration_ms=2**40,
        node_results=[
            engine_service_pb2.NodeExecutionResult(
                node_id="n1", status=workflow_pb2.NODE_STATUS_ERROR, output_json='{"a":[1,2.5,null]}',
                error=workflow_pb2.NodeError(code="X", type=workflow_pb2.ERROR_TYPE_RATE_LIMIT),
            )
        ],
    )  # fmt: skip

    assert to_document(log) == {
        "executionId": "e1",
        "workflowId": "",
        "workflowVersion": 3,
        "status": "running",
        "startedAt": "2026-03-01T08:30:00.123Z",
        "durationMs": 1099511627776,
        "nodeResults": [
            {
                "nodeId": "n1",
                "status": "error",
                "output": {"a": [1, 2.5, None]},
                "error": {"code": "X", "message": "", "type": "rate_limit"},
                "durationMs": 0,
                "attempt": 0,
                "visit": 0,
            }
        ],
        "traceIds": [],
        "deliveryReports": [],
    }


def test_a_map_of_messages_is_an_object_by_key() -> None:
    graph = workflow_pb2.ExecutionGraph(nodes={"n1": workflow_pb2.ExecutionNode(id="n1", config_json='{"to":"x"}')})

    assert to_document(graph)["nodes"]["n1"]["config"] == {"to": "x"}


def test_an_enum_value_of_a_newer_contract_is_its_number() -> None:
    session = sessions_service_pb2.Session()
    session.type = 99  # type: ignore[assignment]

    assert to_document(session)["type"] == "99"


def test_a_document_fills_the_json_form_of_a_flow() -> None:
    source = from_document({"workflow": {"metadata": {}}}, workflow_pb2.WorkflowSource)

    assert source.WhichOneof("source") == "workflow_json"
    assert json.loads(source.workflow_json) == {"metadata": {}}


def test_null_counts_as_left_out() -> None:
    assert from_document({"label": None, "id": None}, workflow_pb2.Edge) == workflow_pb2.Edge()


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"nodes": [{"id": "a"}, {"id": 7}]}, "nodes[1].id"),
        ({"nodes": {"id": "a"}}, "nodes"),
        ({"nodes": ["a"]}, "nodes[0]"),
        ({"metadata": {"version": -1}}, "metadata.version"),
        ({"metadata": {"version": True}}, "metadata.version"),
        ({"metadata": {"version": 1.5}}, "metadata.version"),
        ({"metadata": {"version": 2**32}}, "metadata.version"),
        ({"metadata": {"tags": ["a", 1]}}, "metadata.tags[1]"),
        ({"settings": {"enableReplay": "yes"}}, "settings.enableReplay"),
        ({"trigger": {"position": {"x": "1"}}}, "trigger.position.x"),
        ({"surprise": 1}, "surprise"),
        ({"metadata": {"name": "\ud800"}}, "metadata.name"),
        ({"trigger": {"config": {"n": 2**64}}}, "trigger.config"),
    ],
)
def test_a_document_that_does_not_fit_names_the_place(document: dict[str, Any], path: str) -> None:
    with pytest.raises(DocumentError) as caught:
        from_document(document, workflow_pb2.WorkflowSpec)

    assert caught.value.path == path


@pytest.mark.parametrize("text", ["2026-03-01T08:30:00", "yesterday", "", 5])
def test_a_time_without_a_zone_is_refused(text: object) -> None:
    with pytest.raises(DocumentError, match="createdAt: must be a time with a zone"):
        from_document({"createdAt": text}, sessions_service_pb2.Session)


def test_an_unknown_enum_value_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DocumentError, match="type: must be one of ussd, voice, sms, payment, other"):
        from_document({"type": "telex"}, sessions_service_pb2.Session)
