"""Whether what starts flows can only come from the provider, as the AT adapter knows."""

from typing import TYPE_CHECKING

import grpc

from njia.at_adapter.v1.money_pb2 import GetCallbackAccessRequest
from rpc.deadlines import call_timeout
from services.engine.errors import AdapterUnavailable

if TYPE_CHECKING:
    from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceAsyncStub

CALL_SECONDS = 5.0


class CallbackAccess:
    """Asks the adapter of this stub."""

    def __init__(self, stub: "AtAdapterServiceAsyncStub") -> None:
        self._stub = stub

    async def is_protected(self) -> bool:
        """Returns whether nobody but the provider can post callbacks. Raises AdapterUnavailable."""
        try:
            response = await self._stub.GetCallbackAccess(
                GetCallbackAccessRequest(), timeout=call_timeout(CALL_SECONDS)
            )
        except grpc.aio.AioRpcError as error:
            raise AdapterUnavailable from error
        return response.protected
