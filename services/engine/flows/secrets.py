"""
Secrets of flows on their way into Redis and out of it: there they are encrypted, and only there.

In memory a compiled flow holds them in clear, so that nodes run as if they were plain texts.
"""

import json
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from njia.workflow.v1 import workflow_pb2
from services.engine.adapters.encryption import FernetCipher
from services.engine.errors import InvalidRequest, SecretsNeedKey, SecretsUnreadable
from workflow.documents import DocumentError, dump_document, parse_document
from workflow.errors import NodeFailure
from workflow.flow_secrets import (
    HIDDEN,
    FlowSecret,
    config_with,
    flow_with,
    hidden,
    is_placeholder,
    is_sealed,
)
from workflow.places import written
from workflow.sealing import SEALED

_ESCAPED = json.dumps(HIDDEN).strip('"')


class FlowSecrets:
    """`encryption_keys` are Fernet keys: the first encrypts, every one decrypts. Without any, secrets are refused."""

    def __init__(self, encryption_keys: Sequence[str]) -> None:
        self._cipher = FernetCipher(encryption_keys) if encryption_keys else None
        # Of the oldest key: names that are made with it outlive the arrival of a new one.
        self._name_key = blake2b("".join(encryption_keys[-1:]).encode(), person=b"njia flow names").digest()

    def digest(self, content: bytes) -> str:
        """Names a flow by its content. Keyed: what is secret in it could be guessed from a bare hash."""
        return blake2b(content, key=self._name_key, digest_size=16).hexdigest()

    def sealed_graph(self, graph: workflow_pb2.ExecutionGraph) -> workflow_pb2.ExecutionGraph:
        """Returns a compiled flow as it may be stored. Raises SecretsNeedKey."""
        return _graph_with(graph, self._sealed)

    def clear_graph(self, graph: workflow_pb2.ExecutionGraph) -> workflow_pb2.ExecutionGraph:
        """Returns a stored compiled flow as it runs. Raises SecretsUnreadable."""
        return _graph_with(graph, lambda _, value: self._clear(graph.workflow_id, value))

    def sealed_document(self, document: str) -> str:
        """Returns a flow that compiles as it may be stored; as it is where it has no secrets. Raises SecretsNeedKey."""
        return _text_with(document, lambda secret: self._sealed(secret.path, secret.value))

    def clear_document(self, workflow_id: str, document: str) -> str:
        """Returns a stored flow as its author wrote it. Raises SecretsUnreadable."""
        return _text_with(document, lambda secret: self._clear(workflow_id, secret.value))

    def with_kept(self, document: str, stored: str | None) -> str:
        """
        Returns a flow that was sent with each mask replaced by the secret that stands there in the stored one.

        Raises:
            InvalidRequest: A mask stands where nothing is stored.
            SecretsUnreadable: What is stored was encrypted with another key.
        """
        kept: dict[tuple[str, tuple[str | int, ...]], Any] = {}

        def note(secret: FlowSecret) -> Any:
            kept[secret.node_id, secret.steps] = secret.value
            return secret.value

        if stored is not None:
            _text_with(stored, note)

        def fill(secret: FlowSecret) -> Any:
            if secret.value != HIDDEN:
                return secret.value
            try:
                return self._clear(secret.node_id, kept[secret.node_id, secret.steps])
            except KeyError:
                raise InvalidRequest(
                    secret.path,
                    f"{secret.path} holds {HIDDEN}, which stands for a secret that is stored, and none is stored for "
                    "this place: send the secret itself",
                    "SECRET_NOT_STORED",
                ) from None

        return _text_with(document, fill)

    def _sealed(self, path: str, value: Any) -> Any:
        # What a placeholder brings into the place of a secret is encrypted in the journal: that takes a key as well.
        if self._cipher is None:
            raise SecretsNeedKey(path)
        return value if is_placeholder(value) else {SEALED: self._cipher.seal(value)}

    def _clear(self, workflow_id: str, value: Any) -> Any:
        # One that was stored before its place counted as secret is clear, and without a key could not be journaled.
        if self._cipher is None:
            raise SecretsUnreadable(workflow_id)
        if not is_sealed(value):
            return value
        try:
            return self._cipher.unseal(value[SEALED])
        except NodeFailure:
            raise SecretsUnreadable(workflow_id) from None


def masked_document(document: str) -> str:
    """Returns a flow with a mask in place of each secret, for people to see; also one that is not encrypted."""
    # What a release began to keep secret stands in clear in flows that were saved before it.
    return _text_with(document, lambda secret: hidden(secret.value))


def may_hold_mask(document: str) -> bool:
    """Whether it is worth looking for masks in a flow that was sent."""
    return HIDDEN in document or _ESCAPED in document


def _text_with(document: str, change: Callable[[FlowSecret], Any]) -> str:
    try:
        before = parse_document(document)
    except DocumentError:
        # The validator tells what is wrong with it.
        return document
    after = flow_with(before, change)
    return document if after is before else dump_document(after)


def _graph_with(graph: workflow_pb2.ExecutionGraph, change: Callable[[str, Any], Any]) -> workflow_pb2.ExecutionGraph:
    result = graph
    for node_id, node in graph.nodes.items():
        config = parse_document(node.config_json or "{}")

        def at(steps: tuple[str | int, ...], value: Any, node_id: str = node_id) -> Any:
            return change(written(steps, f"{node_id}.config"), value)

        new = config_with(node.type, config, at)
        if new is not config:
            if result is graph:
                result = workflow_pb2.ExecutionGraph()
                result.CopyFrom(graph)
            result.nodes[node_id].config_json = dump_document(new)
    return result
