"""What each RPC asks for."""

from rpc.callers import Scope

_SERVICE = "/njia.at_adapter.v1.AtAdapterService"

_RPCS = {
    Scope.READ: ("GetCallbackAccess", "ListOptOuts", "ListSubscriptions"),
    Scope.EXECUTE: ("SendSms", "PlaceCall", "SendAirtime", "RequestPayment", "RefundPayment"),
    Scope.ADMIN: ("LiftOptOut",),
}

SCOPES = {f"{_SERVICE}/{rpc}": scope for scope, rpcs in _RPCS.items() for rpc in rpcs}
