"""What is kept of a phone number is erased by one call, and nothing of others; the audit log says who did it."""

import grpc
import pytest

from njia.engine.v1 import (
    admin_service_pb2 as admin_pb,
    engine_service_pb2 as pb,
    money_pb2 as money_pb,
    workflow_service_pb2 as workflows_pb,
)
from njia.sessions.v1 import sessions_service_pb2 as sessions_pb
from njia.workflow.v1 import workflow_pb2
from services.engine.store import keys
from storage.batches import run_in_stages
from storage.connection import connect
from tests.engine.service.contents import contents_of
from tests.engine.service.platform import MakeFlow, Platform
from tests.engine.service.publishing import publish

HERS, HIS = "+254711000001", "+254711000002"


def survey(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    """Keeps the number in all flows, sends an SMS to it, and waits for an answer."""
    return flow(
        "survey",
        {"type": "USSD_SESSION_START"},
        [
            {
                "id": "keep",
                "type": "SESSION_WRITE",
                "config": {"scope": "global", "data": {"phone": "{{msisdn}}"}},
            },
            {"id": "tell", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "hello {{msisdn}}"}},
            {"id": "ask", "type": "SEND_USSD_RESPONSE", "config": {"message": "?", "expectInput": True}},
            {"id": "bye", "type": "SESSION_END", "config": {"message": "bye"}},
        ],
        ["start > keep", "keep > tell", "tell > ask", "ask > bye"],
    )


async def calls(platform: Platform, msisdn: str) -> None:
    """Answers once, dials again and leaves that open; an SMS and a payment that nobody claims, a report of neither."""
    for session, text in (("1", ""), ("1", "yes"), ("2", "")):
        await platform.engine.HandleUssd(
            pb.HandleUssdRequest(session_id=f"at{session}{msisdn[-1]}", msisdn=msisdn, service_code="*1#", text=text)
        )
    await platform.engine.HandleSms(
        pb.HandleSmsRequest(message_id=f"m{msisdn[-1]}", msisdn=msisdn, short_code="22384", message="hello?")
    )
    await platform.engine.HandlePayment(
        money_pb.HandlePaymentRequest(transaction_id=f"p{msisdn[-1]}", status="Success", msisdn=msisdn)
    )
    await platform.engine.HandleDeliveryReport(
        pb.HandleDeliveryReportRequest(message_id=f"u{msisdn[-1]}", status="Success", msisdn=msisdn)
    )
    await platform.engine.HandleAirtimeStatus(
        money_pb.HandleAirtimeStatusRequest(
            request_id=f"a{msisdn[-1]}", status="Success", msisdn=msisdn, currency="KES", amount="10"
        )
    )


async def the_time_to_settle_passes(redis_url: str) -> None:
    """No send waits for a report any more; the reports themselves are kept."""
    async with connect(redis_url) as client:
        await run_in_stages(client, [("UNLINK", keys.unmatched(f"{each}:{HERS}")) for each in ("sms", "payment")])


async def erase(platform: Platform, msisdn: str) -> admin_pb.EraseSubjectResponse:
    return await platform.admin.EraseSubject(admin_pb.EraseSubjectRequest(msisdn=msisdn))


@pytest.mark.also_on_a_cluster
async def test_one_call_erases_a_phone_number_and_nothing_of_others(
    platform: Platform, flow: MakeFlow, redis_url: str
) -> None:
    await publish(platform, survey(flow))
    await calls(platform, HERS)
    await calls(platform, HIS)
    await the_time_to_settle_passes(redis_url)

    erased = await erase(platform, HERS)
    again = await erase(platform, HERS)
    contents = await contents_of(redis_url)

    assert (erased.executions, erased.left, erased.sessions, erased.value_sets, erased.unclaimed) == (2, 0, 2, 1, 2)
    assert again == admin_pb.EraseSubjectResponse()
    # The adapter must know for a while what it has sent, or a repeated call would send it again.
    assert [key for key, held in contents.items() if HERS[1:] in held and not key.startswith("njia:at:")] == []
    executions = await platform.engine.ListExecutions(pb.ListExecutionsRequest())
    sessions = await platform.sessions.ListSessions(sessions_pb.ListSessionsRequest())
    assert len(executions.executions) == len(sessions.sessions) == 2
    assert any(HIS in held and ":g" in key for key, held in contents.items())
    for channel, message_id in (("sms", "u"), ("payment", "p"), ("airtime", "a")):
        assert keys.reports(f"{channel}:{message_id}{HERS[-1]}") not in contents
        assert keys.reports(f"{channel}:{message_id}{HIS[-1]}") in contents
    assert len((await platform.engine.ListUnclaimed(pb.ListUnclaimedRequest())).unclaimed) == 2


@pytest.mark.parametrize("msisdn", ["", "0711000001", "254711000001", "+", "+2547110000011111", "*"])
async def test_only_a_whole_phone_number_is_erased(platform: Platform, msisdn: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await erase(platform, msisdn)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_audit_log_says_who_did_what_newest_first(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, survey(flow))
    await platform.workflows.SaveWorkflow(workflows_pb.SaveWorkflowRequest(source=survey(flow)))
    await platform.workflows.UnpublishWorkflow(workflows_pb.UnpublishWorkflowRequest(workflow_id="survey"))
    await platform.workflows.DeleteWorkflow(workflows_pb.DeleteWorkflowRequest(workflow_id="survey"))
    await platform.sessions.OpenSession(
        sessions_pb.OpenSessionRequest(session_id="s1", type=sessions_pb.SESSION_TYPE_USSD, msisdn=HERS)
    )
    await platform.sessions.EndSession(sessions_pb.EndSessionRequest(session_id="s1"))
    await erase(platform, HERS)

    seen, token = [], ""
    while True:
        page = await platform.admin.ListAudit(admin_pb.ListAuditRequest(page_size=4, page_token=token))
        seen += [(entry.who, entry.action, entry.subject) for entry in page.entries]
        token = page.next_page_token
        if not token:
            break
    assert seen == [
        ("anonymous", "subject.erase", "+2547*****001"),
        ("anonymous", "session.end", "s1"),
        ("anonymous", "workflow.delete", "survey"),
        ("anonymous", "workflow.unpublish", "survey"),
        ("anonymous", "workflow.publish", "survey version 1"),
        ("anonymous", "workflow.save", "survey version 1"),
    ]
