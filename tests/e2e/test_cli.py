"""The command line against the running set, as a process of its own."""

import asyncio
import json
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.driving import Platform, new_code, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow as spec

EXAMPLE = "examples/market.json"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


async def njia(platform: Platform, *arguments: str, stdin: str = "", url: str | None = None) -> Ended:
    """Runs `njia` and waits for its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", *arguments,
        cwd=ROOT,
        env={**os.environ, "NJIA_URL": url or str(platform.rest.base_url), "COLUMNS": "200", "NO_COLOR": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 120)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def flow(workflow_id: str, message: str = "Hello {{msisdn}}") -> dict[str, Any]:
    return {
        "metadata": {
            "workflowId": workflow_id,
            "version": 1,
            "name": "From the command line",
            "description": "For a test",
            "createdBy": "tester",
            "createdAt": "2026-01-01T00:00:00Z",
        },
        "trigger": {"id": "start", "type": "SMS_RECEIVED", "config": {"keyword": workflow_id.upper()}},
        "nodes": [{"id": "send", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": message}}],
        "edges": [{"source": "start", "target": "send"}],
    }


async def test_a_flow_is_validated_and_its_faults_are_listed(platform: Platform) -> None:
    good = await njia(platform, "validate", EXAMPLE)
    assert (good.code, good.err) == (0, "")
    assert "The flow is valid" in good.out

    bad = await njia(platform, "validate", "-", stdin=json.dumps(flow("cli-bad", "Hello {{msisd}}")))
    assert bad.code == 1
    assert "nodes[0].config.message" in bad.out
    assert "UNKNOWN_VARIABLE" in bad.out
    assert "1 error" in bad.out


async def test_the_catalogue_is_listed_and_a_type_is_shown(platform: Platform) -> None:
    listed = await njia(platform, "node-types")
    assert (listed.code, listed.err) == (0, "")
    assert ["SEND_SMS", "action", "Sends"] in [line.split()[:3] for line in listed.out.splitlines()]
    shown = await njia(platform, "node-types", "send_sms", "--json")
    catalogue = (await platform.rest.get("/api/node-types")).json()["nodeTypes"]
    assert shown.document == next(row for row in catalogue if row["type"] == "SEND_SMS")
    unknown = await njia(platform, "node-types", "SEND_SMSS")
    assert (unknown.code, unknown.out) == (1, "")
    assert "did you mean SEND_SMS?" in unknown.err


async def test_a_flow_is_published_run_looked_at_and_taken_back(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(flow("cli-shop")))
    published = await njia(platform, "publish", str(file))
    assert (published.code, published.out) == (0, "cli-shop is published in version 1.\n")
    assert "cli-shop" in (await njia(platform, "flows")).out

    ran = await njia(platform, "--json", "execute", "cli-shop", "--payload", '{"msisdn": "+254711000777"}', "--dry-run")
    assert (ran.code, ran.document["status"]) == (0, "completed")
    execution_id = ran.document["executionId"]
    listed = await njia(platform, "executions", "--workflow", "cli-shop")
    assert execution_id in listed.out
    shown = await njia(platform, "executions", execution_id)
    rows = [line.split() for line in shown.out.splitlines()]
    assert ["NODE", "STATUS", "LEFT", "BY", "ATTEMPT", "TOOK", "OUTPUT", "/", "ERROR"] in rows
    assert ["send", "success", "success", "1"] in [row[:4] for row in rows]
    assert "cli-shop v1  completed (dry run)" in shown.out
    assert "dry run: nothing was sent" in listed.out

    rival = flow("cli-shop")
    rival["metadata"]["workflowId"] = "cli-rival"
    refused = await njia(platform, "publish", "-", stdin=json.dumps(rival))
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.splitlines()[0] == "cli-rival is saved as version 1, but not published."
    assert "error flow 'cli-rival' claims the same trigger as the published flow 'cli-shop'" in refused.err
    await platform.rest.delete("/api/workflows/cli-rival")

    assert (await njia(platform, "unpublish", "cli-shop")).code == 0
    await platform.rest.delete("/api/workflows/cli-shop")


async def test_a_run_that_waits_for_a_person_says_how_to_answer(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "asks.json"
    nodes = [ask("name", "Your name?"), bye("end", "Bye {{input}}")]
    asks = spec(new_id("cli-asks"), dialled(new_code()), nodes, ["start>name", "name>end"])
    file.write_text(json.dumps(asks))
    waits = await njia(platform, "execute", str(file), "--payload", '{"msisdn": "+254711000777"}')
    assert (waits.code, waits.out.splitlines()[-1]) == (0, "Your name?")
    told = waits.err.strip().removeprefix("It waits for an answer, such as: njia ")
    assert told != waits.err.strip()

    answered = await njia(platform, *shlex.split(told))
    assert (answered.code, answered.err) == (0, "")
    assert answered.out.splitlines()[-1] == "Bye 1"


async def test_a_failed_run_ends_with_1_and_says_why(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(flow("cli-failing")))
    failed = await njia(platform, "execute", str(file), "--payload", '{"msisdn": "nobody"}')
    assert failed.code == 1
    assert "INVALID_PHONE_NUMBER" in failed.out


async def test_what_is_not_there_ends_with_1_and_a_sentence(platform: Platform) -> None:
    missing = await njia(platform, "executions", "nothing-of-the-kind")
    assert (missing.code, missing.out) == (1, "")
    assert missing.err.startswith("error ")
    as_json = await njia(platform, "--json", "sessions", "nothing-of-the-kind")
    assert as_json.code == 1
    assert as_json.document["error"]


async def test_what_no_flow_answered_is_listed(platform: Platform) -> None:
    code = new_code()
    await platform.dial(code, new_phone())
    listed = await njia(platform, "unclaimed", "--channel", "ussd")
    assert (listed.code, listed.err) == (0, "")
    assert any(line.startswith("ussd ") and f'"serviceCode": "{code}"' in line for line in listed.out.splitlines())


async def test_a_gateway_that_is_away_ends_with_3_and_says_what_to_do(platform: Platform) -> None:
    away = await njia(platform, "flows", url="http://127.0.0.1:9")
    assert away.code == 3
    assert "make run" in away.err


async def test_a_wrong_use_ends_with_2(platform: Platform) -> None:
    assert (await njia(platform, "execute", "x", "--payload", "{")).code == 2
    assert (await njia(platform, "validate", "no-such-file.json")).code == 2
