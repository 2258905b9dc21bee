"""Places calls through the AT adapter."""

from typing import TYPE_CHECKING

from njia.at_adapter.v1 import voice_pb2 as pb
from services.engine.adapters.at_adapter_calls import UNKNOWN_AFTER_SECONDS, answer_of
from workflow.ports import CallRequest, PlacedCall

if TYPE_CHECKING:
    from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceAsyncStub


class AtAdapterVoice:
    """See workflow.ports.CallPlacer. `unknown_after_seconds` is UNKNOWN_AFTER_SECONDS but in tests."""

    def __init__(self, stub: "AtAdapterServiceAsyncStub", unknown_after_seconds: float = UNKNOWN_AFTER_SECONDS) -> None:
        self._stub = stub
        self._unknown_after_seconds = unknown_after_seconds

    async def place(self, request: CallRequest) -> PlacedCall:
        response: pb.PlaceCallResponse = await answer_of(
            self._stub.PlaceCall,
            pb.PlaceCallRequest(idempotency_key=request.idempotency_key, to=request.to, caller_id=request.caller_id),
            may_have_begun=request.may_have_begun,
            unknown_after_seconds=self._unknown_after_seconds,
        )
        return PlacedCall(response.session_id, response.status)
