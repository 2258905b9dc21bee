"""What each RPC asks for. What comes from Africa's Talking comes by the adapter alone."""

from collections.abc import Mapping, Sequence

from rpc.callers import Scope

_RPCS: Mapping[str, Mapping[Scope, Sequence[str]]] = {
    "/njia.engine.v1.EngineService": {
        Scope.READ: ("GetExecution", "ListExecutions", "WatchExecution", "ListUnclaimed"),
        Scope.EXECUTE: ("Execute", "CancelExecution", "ReplayExecution"),
        Scope.SERVICE: (
            "HandleUssd",
            "HandleSms",
            "HandleUssdEnd",
            "HandleVoice",
            "HandleAirtimeStatus",
            "HandlePayment",
            "HandleVoiceEnd",
            "HandleDeliveryReport",
            "HandleWebhook",
        ),
    },
    "/njia.engine.v1.WorkflowService": {
        Scope.READ: ("GetWorkflow", "ListWorkflows"),
        Scope.PUBLISH: ("SaveWorkflow", "PublishWorkflow", "UnpublishWorkflow", "DeleteWorkflow"),
    },
    "/njia.engine.v1.AdminService": {Scope.ADMIN: ("ListAudit", "EraseSubject")},
}

SCOPES = {
    f"{service}/{rpc}": scope for service, scopes in _RPCS.items() for scope, rpcs in scopes.items() for rpc in rpcs
}
