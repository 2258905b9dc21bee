"""Loads the example flows through the REST API, as any client would."""

import hashlib
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Example:
    """
    One example flow.

    Attributes:
        workflow_id: Its id.
        service_code: The USSD code that it answers; None when it is no USSD flow.
        problem: Why it was not loaded or published; None when it was, or was already.
    """

    workflow_id: str
    service_code: str | None
    problem: str | None


async def load(
    folder: Path,
    gateway_url: str,
    record: Path,
    key: str | None = None,
    *,
    verify: ssl.SSLContext | bool = True,
) -> list[Example]:
    """
    Saves and publishes each example that the registry lacks, or whose file changed since it was last loaded here.

    What a person did to an example since then (a new version, unpublished it) stays as it is.

    Args:
        folder: Holds one WorkflowSpec a file, *.json.
        gateway_url: Address of the REST API.
        record: File that keeps what was loaded, digest by workflow id.
        key: What the REST API is called with, where it asks for keys.
        verify: How its certificate is looked at, where it has one.
    """
    loaded: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    examples = []
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=gateway_url, timeout=30, trust_env=False, headers=headers, verify=verify
    ) as client:
        for file in sorted(folder.glob("*.json")):
            content = file.read_bytes()
            spec = json.loads(content)
            workflow_id: str = spec["metadata"]["workflowId"]
            digest = hashlib.sha256(content).hexdigest()
            known = await client.get(f"/api/workflows/{workflow_id}")
            problem = None
            if known.status_code == httpx.codes.NOT_FOUND or loaded.get(workflow_id) != digest:
                problem = await _save_and_publish(client, workflow_id, content)
            if problem is None:
                loaded[workflow_id] = digest
            examples.append(Example(workflow_id, _service_code(spec), problem))
    record.write_text(json.dumps(loaded, indent=2) + "\n")
    return examples


async def _save_and_publish(client: httpx.AsyncClient, workflow_id: str, content: bytes) -> str | None:
    saved = await client.post("/api/workflows", content=content, headers={"content-type": "application/json"})
    if saved.is_error:
        return f"not saved: {saved.text}"
    published = await client.post(f"/api/workflows/{workflow_id}/publish")
    return f"saved, but not published: {published.text}" if published.is_error else None


def _service_code(spec: Mapping[str, Any]) -> str | None:
    trigger = spec["trigger"]
    code: str | None = trigger["config"].get("serviceCode") if trigger["type"] == "USSD_SESSION_START" else None
    return code
