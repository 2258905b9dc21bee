"""What each RPC asks for."""

from rpc.callers import Scope

_SERVICE = "/njia.at_adapter.v1.AtAdapterService"

_RPCS = {
    Scope.READ: ("GetCallbackAccess",),
    Scope.EXECUTE: ("SendSms", "PlaceCall", "SendAirtime", "RequestPayment", "RefundPayment"),
}

SCOPES = {f"{_SERVICE}/{rpc}": scope for scope, rpcs in _RPCS.items() for rpc in rpcs}
