"""
Looks at everything when all has settled: nothing acknowledged is lost, nothing was done twice.

Whatever is not as it must be becomes a problem in the facts, with the execution's log and the messages of its sends.
"""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.callers import Callers, number_of
from tests.chaos.facts import Facts, Talk
from tests.chaos.flows import ANSWERS, ORDERS, SENDS, SURVEY

SETTLED_WITHIN_SECONDS = 90.0
"""Longest time until leases have run out, sends that nobody can tell are called unknown and commits are confirmed."""

READ_AT_ONCE = 8

Log = dict[str, Any]


class Findings:
    """
    Args:
        callers: For questions over REST and for repeated callbacks.
        client: For the emulator.
        emulator_url: Where what was sent is listed.
        facts: What the callers were told.
    """

    def __init__(self, callers: Callers, client: aiohttp.ClientSession, emulator_url: str, facts: Facts) -> None:
        self._callers = callers
        self._client = client
        self._emulator_url = emulator_url
        self._facts = facts
        self._received: dict[str, Log] = {}

    async def watch_messages(self) -> None:
        """Keeps what the platform sent, before newer messages push it out of the emulator; until it is cancelled."""
        while True:
            await self.read_messages()
            await asyncio.sleep(5)

    async def read_messages(self) -> None:
        """Reads what the platform sent."""
        async with self._client.get(f"{self._emulator_url}/control/messages", params={"limit": "10000"}) as response:
            response.raise_for_status()
            for message in (await response.json())["messages"]:
                self._received[message["id"]] = message

    async def settle(self) -> None:
        """Waits until every execution has ended or waits for a person."""
        deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
        while unsettled := await self._unsettled():
            if time.monotonic() > deadline:
                for execution_id in unsettled[:20]:
                    log = await self._log(execution_id)
                    self._problem(f"{execution_id} neither ended nor waits for a person", log)
                return
            await asyncio.sleep(0.5)

    async def check(self) -> None:
        """Compares what the callers were told, what the logs say and what was received."""
        listed = {workflow_id: await self._list(workflow_id) for workflow_id in (ORDERS, SURVEY, ANSWERS)}
        ids = [summary["executionId"] for summaries in listed.values() for summary in summaries]
        logs = dict(zip(ids, await self._each(self._log, ids), strict=True))
        await self.read_messages()
        self._check_counts(listed)
        self._check_orders(listed[ORDERS])
        self._check_answers([logs[summary["executionId"]] for summary in listed[ANSWERS]])
        by_session: dict[str, list[Log]] = defaultdict(list)
        for summary in listed[SURVEY]:
            by_session[summary.get("sessionId", "")].append(logs[summary["executionId"]])
        talks = [*self._facts.talks, *self._facts.conversations]
        for talk in talks:
            self._check_talk(talk, by_session.pop(talk.session_id, []))
        if by_session:
            self._problem(f"sessions that nobody opened: {sorted(by_session)}")
        await self._each(self._check_session, talks)
        await self._each(self._check_screens, self._facts.talks)
        self._check_sends(logs)

    def check_service_logs(self, directory: Path) -> None:
        """A process that is killed leaves no traceback; one that met a defect does."""
        for log in sorted(directory.glob("*.log")):
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
                if '"exception"' in line or line.startswith("Traceback"):
                    self._problem(f"{log.name}: {line[:3000]}")

    def _check_counts(self, listed: Mapping[str, Sequence[Log]]) -> None:
        summaries = [summary for flow in listed.values() for summary in flow]
        self._facts.counts["executions"] = len(summaries)
        self._facts.counts["sessions"] = len(self._facts.talks) + len(self._facts.conversations)
        self._facts.counts["incoming SMS"] = len(self._facts.texts)
        for status, times in Counter(summary["status"] for summary in summaries).items():
            self._facts.counts[f"executions {'waiting for a person' if status == 'running' else status}"] = times

    def _check_orders(self, listed: Sequence[Log]) -> None:
        told, found = set(self._facts.orders.values()), {summary["executionId"] for summary in listed}
        if told != found:
            self._problem(f"orders: lost {sorted(told - found)}, run without being asked for {sorted(found - told)}")

    def _check_answers(self, logs: Sequence[Log]) -> None:
        taken = Counter(log["nodeResults"][0]["output"]["messageId"] for log in logs)
        if taken != Counter(self._facts.texts):
            self._problem(f"incoming SMS: {taken} were taken, {Counter(self._facts.texts)} came in")

    def _check_talk(self, talk: Talk, logs: Sequence[Log]) -> None:
        if len(logs) != 1:
            self._problem(f"session {talk.session_id}: {len(logs)} executions", *logs)
            return
        log = logs[0]
        expected = "completed" if talk.ended else "running"
        if log["status"] != expected:
            self._problem(f"session {talk.session_id}: {log['status']}, not {expected}", log)
        for node_id, digit in (("note", "1"), ("before", "2"), ("farewell", "9")):
            visits = {row["visit"] for row in _rows(log, node_id)}
            if len(visits) != talk.typed.count(digit):
                self._problem(f"session {talk.session_id}: {digit} in {talk.typed}, but {node_id} ran {visits}", log)

    async def _check_session(self, talk: Talk) -> None:
        """The commit of the last turn may still be on its way, or be repeated."""
        deadline = time.monotonic() + 90
        while True:
            answer = await self._callers.rest("GET", f"/api/sessions/{talk.session_id}")
            found = (answer.body.get("data", {}).get("trail", ""), answer.body.get("isActive"))
            if found == (talk.typed, not talk.ended):
                return
            if time.monotonic() > deadline:
                self._problem(f"session {talk.session_id}: {answer}, not {talk.typed!r} (ended: {talk.ended})")
                return
            await asyncio.sleep(0.3)

    async def _check_screens(self, talk: Talk) -> None:
        """Every answer that was given is given again."""
        for text in talk.screens:
            await self._callers.repeat(talk, number_of(talk), text)

    def _check_sends(self, logs: Mapping[str, Log]) -> None:
        by_node: dict[tuple[str, str], list[Log]] = defaultdict(list)
        for message in self._received.values():
            execution_id, node_id, *_ = message["text"].split(" ")
            by_node[execution_id, node_id].append(message)
        for execution_id, log in logs.items():
            for node_id in SENDS[log["workflowId"]]:
                received = by_node.pop((execution_id, node_id), [])
                self._check_node(f"{execution_id} {node_id}", log, _rows(log, node_id), received)
        if by_node:
            self._problem(f"messages of nodes that no log has: {list(by_node)[:20]}")

    def _check_node(self, name: str, log: Log, rows: Sequence[Log], received: Sequence[Log]) -> None:
        """
        A visit that never lost an answer sent what its log says. For each lost answer one message more may have gone
        out: it is settled by a report, or sent again.
        """
        ids, texts = {message["id"] for message in received}, Counter(message["text"] for message in received)
        completed = unknown = 0
        for visit in {row["visit"] for row in rows}:
            of_visit = [row for row in rows if row["visit"] == visit]
            lost = sum(_code(row) == "SEND_OUTCOME_UNKNOWN" for row in of_visit)
            done = [row for row in of_visit if row["status"] == "success"]
            completed += len(done)
            unknown += lost
            if len(done) > 1:
                self._problem(f"{name}: one visit succeeded {len(done)} times", log, received)
            if not lost and any(row["output"]["messageId"] not in ids for row in done):
                self._problem(f"{name}: completed and never received", log, received)
            for row in done:
                if row.get("settledBy"):
                    self._facts.counts[f"unknown sends settled by {row['settledBy']}"] += 1
            if not lost and not done:
                self._facts.counts["sends failed"] += 1
        if not unknown and any(times > 1 for times in texts.values()):
            self._problem(f"{name}: one text was received twice", log, received)
        if len(received) > completed + unknown:
            self._problem(f"{name}: received more often than the log knows", log, received)
        self._facts.counts["sends completed"] += completed
        self._facts.counts["answers of sends lost (unknown)"] += unknown
        self._facts.counts["messages received"] += len(received)

    async def _unsettled(self) -> list[str]:
        running = await self._list(status="running")
        return [summary["executionId"] for summary in running if summary.get("waitingFor", {}).get("kind") != "input"]

    async def _list(self, workflow_id: str = "", status: str = "") -> list[Log]:
        found: list[Log] = []
        query = "limit=100" + (f"&workflowId={workflow_id}" if workflow_id else "")
        query += f"&status={status}" if status else ""
        cursor = ""
        while True:
            answer = await self._callers.rest("GET", f"/api/workflows/executions?{query}{cursor}")
            assert answer.status == 200, answer
            found += answer.body["executions"]
            if not answer.body.get("nextCursor"):
                return found
            cursor = f"&cursor={answer.body['nextCursor']}"

    async def _log(self, execution_id: str) -> Log:
        return dict((await self._callers.rest("GET", f"/api/workflows/executions/{execution_id}")).body)

    async def _each(self, ask: Any, things: Sequence[Any]) -> list[Any]:
        places = asyncio.Semaphore(READ_AT_ONCE)

        async def one(thing: Any) -> Any:
            async with places:
                return await ask(thing)

        return await asyncio.gather(*(one(thing) for thing in things))

    def _problem(self, sentence: str, *evidence: Any) -> None:
        self._facts.problems.append("\n    ".join([sentence, *(json.dumps(item, default=str) for item in evidence)]))


def _rows(log: Log, node_id: str) -> list[Log]:
    """The attempts of a node that ran; branches that were not taken are skipped."""
    return [row for row in log["nodeResults"] if row["nodeId"] == node_id and row["status"] != "skipped"]


def _code(row: Log) -> str | None:
    code: str | None = (row.get("error") or {}).get("code")
    return code
