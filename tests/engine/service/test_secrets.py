"""Secrets at the engine's own door."""

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from tests.engine.service.platform import MakeFlow, Platform
from tests.engine.service.publishing import publish


def pin(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    asks = {"message": "PIN?", "expectInput": True, "sensitive": True}
    return flow(
        "pin",
        {"type": "USSD_SESSION_START"},
        [
            {"id": "ask", "type": "SEND_USSD_RESPONSE", "config": asks},
            {"id": "bye", "type": "SESSION_END", "config": {"message": "Thanks."}},
        ],
        ["start > ask", "ask > bye"],
    )


async def test_without_an_encryption_key_a_secret_is_not_even_asked_for(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, pin(flow))
    hop = pb.HandleUssdRequest(session_id="ATUid_1", msisdn="+254711000001", service_code="*1#")
    answer = await platform.engine.HandleUssd(hop)
    log = await platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=answer.execution_id))

    assert answer.reply.kind == "end"
    assert log.execution.error.code == "ENCRYPTION_KEY_MISSING"
    assert "NJIA_ENCRYPTION_KEY" in log.execution.error.message
