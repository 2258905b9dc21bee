"""What a call of Execute asks for, as the engine has it."""

from hashlib import blake2b
from typing import Any

import orjson

from njia.engine.v1 import engine_service_pb2 as pb
from services.engine.errors import InvalidRequest
from services.engine.executions.beginnings import DEFAULT_WAIT_MS, Overrides
from services.engine.store.execution_store import LONGEST_IDEMPOTENCY_KEY
from workflow.documents import DocumentError, parse_document

LONGEST_EXECUTION_MS = 86_400_000
LONGEST_WAIT_MS = 60_000


def trigger_payload(request: pb.ExecuteRequest) -> dict[str, Any]:
    """Reads the payload, empty where the call has none. Raises InvalidRequest."""
    if not request.trigger_payload_json:
        return {}
    try:
        payload = parse_document(request.trigger_payload_json)
        orjson.dumps(payload)
    except DocumentError as problem:
        message = f"is no usable JSON object: {problem}"
    except TypeError as problem:
        # JSON knows no largest integer, the journal does.
        message = f"holds a value that cannot be kept: {problem}"
    else:
        return payload
    raise InvalidRequest("trigger_payload_json", message, "INVALID_PAYLOAD")


def overrides(request: pb.ExecuteRequest) -> Overrides:
    """Reads what the call says about how to run. Raises InvalidRequest."""
    options = request.options
    limit = options.max_execution_time_ms if options.HasField("max_execution_time_ms") else None
    if limit is not None and not 1 <= limit <= LONGEST_EXECUTION_MS:
        raise InvalidRequest("options.max_execution_time_ms", f"must be from 1 to {LONGEST_EXECUTION_MS}")
    wait_ms = options.wait_ms if options.HasField("wait_ms") else DEFAULT_WAIT_MS
    if not 0 <= wait_ms <= LONGEST_WAIT_MS:
        raise InvalidRequest("options.wait_ms", f"must be from 0 to {LONGEST_WAIT_MS}")
    return Overrides(
        max_active_ms=limit,
        continue_on_error=options.continue_on_error if options.HasField("continue_on_error") else None,
        dry_run=options.dry_run,
        wait_ms=wait_ms,
    )


def idempotency_key(request: pb.ExecuteRequest) -> tuple[str, str] | None:
    """Reads the key, with the digest of all else that was asked; None where there is none. Raises InvalidRequest."""
    if not request.idempotency_key:
        return None
    if len(request.idempotency_key) > LONGEST_IDEMPOTENCY_KEY:
        raise InvalidRequest("idempotency_key", f"must have at most {LONGEST_IDEMPOTENCY_KEY} characters")
    asked = pb.ExecuteRequest()
    asked.CopyFrom(request)
    asked.ClearField("idempotency_key")
    return request.idempotency_key, blake2b(asked.SerializeToString(deterministic=True), digest_size=16).hexdigest()
