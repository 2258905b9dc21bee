"""What each RPC asks for."""

from rpc.callers import Scope

_SERVICE = "/njia.validator.v1.ValidatorService"

SCOPES = {f"{_SERVICE}/{rpc}": Scope.READ for rpc in ("ValidateWorkflow", "CompileWorkflow", "ListNodeTypes")}
