"""The HTTP side of the bare chain: Starlette under the same server, one call, the answer as text."""

from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bench.bare_grpc import CALL_SECONDS
from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2

RESULT_PADDING = "-" * 500


def bare_callbacks(engine: Any) -> Starlette:
    """Stands for the callback side of the adapter."""

    async def ussd(request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        turn = pb.HandleUssdRequest(
            session_id=fields["sessionId"],
            msisdn=fields["phoneNumber"],
            service_code=fields["serviceCode"],
            network_code=fields["networkCode"],
            text=fields["text"],
        )
        answer = await engine.HandleUssd(turn, timeout=CALL_SECONDS)
        return PlainTextResponse(answer.reply.text)

    async def sms(request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        message = pb.HandleSmsRequest(
            message_id=fields["id"],
            msisdn=fields["from"],
            message=fields["text"],
            short_code=fields["to"],
            network_code=fields["networkCode"],
        )
        await engine.HandleSms(message, timeout=CALL_SECONDS)
        return PlainTextResponse("OK")

    return Starlette(routes=[Route("/at/ussd", ussd, methods=["POST"]), Route("/at/sms", sms, methods=["POST"])])


def bare_gateway(engine: Any) -> Starlette:
    """Stands for the gateway: the body goes on as it came, nothing is parsed."""

    async def execute(request: Request) -> Response:
        source = workflow_pb2.WorkflowSource(workflow_json=(await request.body()).decode())
        answer = await engine.Execute(pb.ExecuteRequest(workflow=source), timeout=CALL_SECONDS)
        results = ",".join(result.output_json for result in answer.result.node_results)
        text = f"{answer.result.output_json}{results}{RESULT_PADDING}"
        return Response(text, media_type="application/json")

    return Starlette(routes=[Route("/api/workflows/execute", execute, methods=["POST"])])
