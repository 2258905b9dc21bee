"""What templates and expressions of a running flow can name."""

from collections.abc import Mapping
from typing import Any

from services.engine.core.program import Program
from services.engine.core.state import ExecutionState, NodeState
from services.engine.core.timestamps import timestamp
from workflow.paths import UNSET
from workflow.sealing import Cipher, unsealed
from workflow.session import Scope

NODE_PREFIX = "node_"


class RunScope:
    """
    The roots of a running flow. Reserved ones beat payload keys of the same name.

    Values are looked up when they are asked for; nothing that a phone user typed is ever evaluated.
    """

    def __init__(self, state: ExecutionState, program: Program, cipher: Cipher) -> None:
        self._state = state
        self._program = program
        self._cipher = cipher

    def lookup(self, root: str) -> object:
        """Returns the value of a root, UNSET when there is none."""
        node_id = root.removeprefix(NODE_PREFIX)
        if node_id != root and node_id in self._program.nodes:
            node = self._state.nodes.get(node_id)
            return UNSET if node is None else _known_of(node)
        match root:
            case "triggerPayload":
                return self._state.payload
            case "variables":
                return {name: node.output for name, node in self._state.nodes.items() if node.output is not None}
            case "session":
                return self._session()
            case "workflow":
                return self._workflow()
            case "global":
                return {"data": self._data(Scope.GLOBAL)}
            case "execution":
                return self._execution()
        return self._state.payload.get(root, UNSET)

    def opened(self, value: object) -> object:
        """Returns a value with all that is encrypted in it in clear."""
        return unsealed(value, self._cipher)

    def _session(self) -> object:
        session = self._state.session
        if session is None:
            return UNSET
        known = {"sessionId": session.session_id, "type": session.type, "data": self._data(Scope.SESSION)}
        return known if session.msisdn is None else {**known, "msisdn": session.msisdn}

    def _workflow(self) -> object:
        graph = self._program.graph
        return {
            "id": graph.workflow_id,
            "version": graph.workflow_version,
            "name": graph.workflow_name,
            "data": self._data(Scope.WORKFLOW),
        }

    def _execution(self) -> object:
        return {"id": self._state.execution_id, "startedAt": timestamp(self._state.started_at_ms)}

    def _data(self, scope: Scope) -> Mapping[str, Any]:
        session = self._state.session
        return {} if session is None else session.data.get(scope, {})


def _known_of(node: NodeState) -> object:
    """What a flow can name of a node: the output of its last success, and why it failed last."""
    known: dict[str, Any] = {}
    if node.output is not None:
        known["output"] = node.output
    if node.error is not None:
        error = node.error
        known["error"] = {
            "code": error.code,
            "message": error.message,
            "type": str(error.type),
            "details": error.details,
        }
    return known or UNSET
