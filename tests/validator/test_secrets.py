"""The validator sees secrets in clear and repeats them to nobody who does not run the flow."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel, Field

from njia.validator.v1 import validator_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from workflow.catalogue import CATALOGUE
from workflow.fields import NodeConfig, Secret, SecretText
from workflow.flow_secrets import HIDDEN
from workflow.node_type import Category, NodeContext, NodeType
from workflow.outcome import Done, Outcome

if TYPE_CHECKING:
    from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceAsyncStub

SECRET = "correct-horse-battery"


class Answer(BaseModel):
    """Nothing in particular."""


class KnockConfig(NodeConfig):
    token: SecretText = ""
    pin: Annotated[str, Field(pattern="^[0-9]+$"), Secret()] = "0"


class Knock(NodeType[KnockConfig]):
    type = "KNOCK"
    title = "Knock"
    category = Category.ACTION
    description = "For these tests."
    config = KnockConfig
    output = Answer

    async def run(self, config: KnockConfig, context: NodeContext) -> Outcome:
        return Done(output={})


@pytest.fixture(autouse=True)
def knock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "KNOCK", Knock())


def source(**config: Any) -> workflow_pb2.WorkflowSource:
    document = {
        "metadata": {
            "workflowId": "door",
            "version": 1,
            "name": "Door",
            "description": "For a test.",
            "createdBy": "tests",
            "createdAt": "2026-01-01T00:00:00Z",
        },
        "trigger": {"id": "start", "type": "SMS_RECEIVED", "config": {}},
        "nodes": [{"id": "knock", "type": "KNOCK", "config": config}],
        "edges": [{"source": "start", "target": "knock"}],
    }
    return workflow_pb2.WorkflowSource(workflow_json=json.dumps(document))


async def test_a_graph_shows_a_mask_to_all_but_those_who_run_it(validator: "ValidatorServiceAsyncStub") -> None:
    config = {"token": f"Bearer {SECRET}", "pin": "2468"}
    shown = await validator.CompileWorkflow(pb.CompileWorkflowRequest(source=source(**config)))
    run = await validator.CompileWorkflow(pb.CompileWorkflowRequest(source=source(**config), with_secrets=True))
    assert json.loads(shown.graph.nodes["knock"].config_json) == {"token": HIDDEN, "pin": HIDDEN}
    assert json.loads(run.graph.nodes["knock"].config_json) == config


async def test_what_only_names_its_value_is_shown(validator: "ValidatorServiceAsyncStub") -> None:
    config = {"token": "{{ message }}", "pin": "{{from}}"}
    shown = await validator.CompileWorkflow(pb.CompileWorkflowRequest(source=source(token=config["token"])))
    assert json.loads(shown.graph.nodes["knock"].config_json)["token"] == config["token"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pin", SECRET),
        ("pin", f"{SECRET * 3}"),
        ("token", f"{SECRET} {{{{{SECRET}"),
        ("token", f"{{{{message | {SECRET}}}}}"),
    ],
)
async def test_no_issue_quotes_a_secret(validator: "ValidatorServiceAsyncStub", field: str, value: str) -> None:
    report = await validator.ValidateWorkflow(pb.ValidateWorkflowRequest(source=source(**{field: value})))
    assert not report.valid
    assert "horse" not in str(report)


@pytest.mark.parametrize("value", ["{{nme}}", "Bearer {{nme}}"])
async def test_a_mistyped_name_of_a_secret_is_told_of(validator: "ValidatorServiceAsyncStub", value: str) -> None:
    report = await validator.ValidateWorkflow(pb.ValidateWorkflowRequest(source=source(token=value)))
    [problem] = report.errors
    assert problem.message.startswith("{{nme}} is not known")
