"""What stands outside of the core in these tests, all in memory: journal, sessions service, Africa's Talking."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from services.engine.core.ports import (
    AttemptObserver,
    CommitRefused,
    Entry,
    LeaseLost,
    SessionsUnavailable,
    StoreUnavailable,
)
from services.engine.core.program import Program, RunnableNode
from services.engine.core.state import Commit, ExecutionState, NodeResult, Reply, Turn
from services.engine.store import records
from workflow.errors import ErrorType, NodeError, NodeFailure
from workflow.outcome import Settlement
from workflow.ports import (
    AirtimeReceipt,
    AirtimeRequest,
    CallRequest,
    HttpAnswer,
    HttpRequest,
    PaymentReceipt,
    PaymentRequest,
    Permit,
    PlacedCall,
    Rate,
    RefundRequest,
    SmsRecipient,
    SmsRequest,
)
from workflow.session import Scope, TurnSession


class Steps:
    """Counts what became durable; at the chosen count the process dies: nothing of it runs on."""

    def __init__(self) -> None:
        self.taken = 0
        self.stop_after: int | None = None
        self.died = asyncio.Event()

    async def count(self) -> None:
        """One more thing is durable. Never returns when the process dies of it."""
        self.taken += 1
        if self.taken == self.stop_after:
            self.died.set()
            await asyncio.get_running_loop().create_future()


@dataclass
class Disk:
    """What the journal keeps of one execution, as bytes; it lives through every crash."""

    state: bytes
    results: list[bytes] = field(default_factory=list)
    turns: list[bytes] = field(default_factory=list)
    answers: dict[str, Reply] = field(default_factory=dict)
    correlations: list[str] = field(default_factory=list)
    taken: int = 0
    confirmed: int | None = None
    fence: int = 0
    leased: bool = False
    unavailable: bool = False
    write_seconds: float = 0
    states: list[bytes] = field(default_factory=list)

    def log(self) -> list[NodeResult]:
        """The results, read back."""
        return [records.result_from_bytes(result) for result in self.results]

    def left(self) -> list[Turn]:
        """Turns that are not taken yet."""
        return [
            records.turn_from_bytes(turn, self.taken + number)
            for number, turn in enumerate(self.turns[self.taken :], start=1)
        ]


class DiskJournal:
    """See Journal. Writes under one lease, with the rules of the engine's own store."""

    def __init__(self, disk: Disk, steps: Steps) -> None:
        disk.fence += 1
        disk.leased = True
        self._disk, self._steps, self._fence = disk, steps, disk.fence

    async def write(self, entry: Entry) -> Sequence[Turn]:
        disk, written = self._disk, records.state_to_bytes(entry.state)
        read_back = records.state_from_bytes(written)
        assert read_back == entry.state, "a state must survive its serialisation"
        results = [records.result_to_bytes(result) for result in entry.results]
        watched = [effect for effect in entry.unsettled if effect.node_id not in entry.state.waits]
        assert not watched, "what the outside may report must be waited for"
        # Like a round trip to a store: others run in between, but the write itself is one thing.
        await asyncio.sleep(disk.write_seconds)
        if self._fence != disk.fence:
            raise LeaseLost
        if disk.unavailable:
            raise StoreUnavailable
        disk.state, disk.taken, disk.confirmed = written, read_back.turns, None
        disk.states.append(written)
        disk.results += results
        disk.correlations += entry.correlations
        if entry.answered is not None and read_back.reply is not None:
            disk.answers.setdefault(entry.answered, read_back.reply)
        turns = disk.left()
        if entry.released and not turns:
            disk.leased = False
        await self._steps.count()
        return turns

    async def confirm(self, state: ExecutionState, version: int) -> None:
        if self._fence == self._disk.fence:
            self._disk.confirmed = version
            await self._steps.count()


class SessionsService:
    """See Sessions. Applies every commit once, by its id."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.data: dict[Scope, dict[str, Any]] = {scope: {} for scope in Scope}
        self.version = 1
        self.active = True
        self.applied: list[str] = []
        self.calls: list[str] = []
        self.lives: list[int] = []
        self.unavailable = False

    async def commit(self, session: TurnSession, workflow_id: str, commit: Commit) -> int:
        self.calls.append(commit.commit_id)
        await asyncio.sleep(0)
        if self.unavailable:
            raise SessionsUnavailable
        if commit.commit_id in self.applied:
            session.version = self.version
            return self.version
        if not self.active:
            raise CommitRefused
        for scope, changes in commit.changes.items():
            for change in changes:
                self.data[scope] = orjson.loads(orjson.dumps(change.apply(self.data[scope])))
        self.applied.append(commit.commit_id)
        self.lives.append(commit.ttl_seconds)
        self.version += 1
        self.active = not commit.end
        session.version = self.version
        await self._steps.count()
        return self.version


def failing(
    code: str = "SERVER_ERROR", kind: str = "transient", retry_after_ms: int | None = None, after: float = 0
) -> "Answer":
    """A refusal of Africa's Talking, some seconds after the call."""
    return Answer(after, NodeFailure(NodeError(code, "refused", ErrorType(kind)), retry_after_ms))


@dataclass(frozen=True)
class Answer:
    """
    How one call goes.

    Attributes:
        after: Seconds until the answer; None: it never comes.
        failure: What it says; None: the message was accepted.
        kept: What a repetition of a failed call is answered, whose message was accepted all the same; None: it was
            not, and the key is free.
    """

    after: float | None = 0
    failure: Exception | None = None
    kept: "Answer | None" = None


HANGS = Answer(None)


def lost() -> Answer:
    """The message was accepted, the answer was lost on its way; a repetition gets it."""
    return replace(failing("NETWORK_ERROR", after=0.5), kept=Answer())


def unknown() -> Answer:
    """The message was accepted, but not even the adapter has learnt of it."""
    answer = failing("SEND_OUTCOME_UNKNOWN", "permanent", after=0.5)
    return replace(answer, kept=answer)


def slow(seconds: float) -> Answer:
    """Accepted after so many seconds."""
    return Answer(seconds)


class Telephone:
    """See CallPlacer. `placed` has the calls by idempotency key; `script` says what becomes of the next ones."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.placed: dict[str, CallRequest] = {}

    async def place(self, request: CallRequest) -> PlacedCall:
        answer = self.script.pop(0) if self.script else Answer()
        if (request.idempotency_key not in self.placed and answer.failure is None) or answer.kept is not None:
            self.placed[request.idempotency_key] = request
        if answer.after:
            await asyncio.sleep(answer.after)
        if answer.failure is not None:
            raise answer.failure
        number = list(self.placed).index(request.idempotency_key) + 1
        return PlacedCall(f"ATVId_{number}", "Queued")


class AfricasTalking:
    """
    See SmsSender. Answers each key once and repeats that answer; a definite refusal frees the key.

    Attributes:
        script: Answers of the calls to come, by number; the last one stays. Without one every message is accepted.
        inbox: What was accepted, by idempotency key.
        calls: Every call: its key and when it came, in seconds of virtual time.
        repeated: Keys of calls that an engine that is gone may have made before.
        conflicts: Keys that came again with another message; there must be none.
    """

    def __init__(self) -> None:
        self.script: dict[str, list[Answer]] = {}
        self.inbox: dict[str, tuple[tuple[str, ...], str]] = {}
        self.calls: list[tuple[str, float]] = []
        self.repeated: list[str] = []
        self.conflicts: list[str] = []
        self._settled: dict[str, Answer] = {}
        self._bodies: dict[str, SmsRequest] = {}

    async def send(self, request: SmsRequest) -> Sequence[SmsRecipient]:
        key = request.idempotency_key
        self.calls.append((key, asyncio.get_running_loop().time()))
        if request.may_have_begun:
            self.repeated.append(key)
        before = self._bodies.setdefault(key, request)
        if before != request:
            self.conflicts.append(key)
            raise NodeFailure(NodeError("INVALID_ARGUMENT", "the key came with another message", ErrorType.VALIDATION))
        answer = self._settled.get(key) or self._next_answer(request)
        kept = answer if answer.failure is None else answer.kept
        if kept is not None:
            # It is on its way from here on, whether or not somebody waits for the answer.
            self.inbox[key] = (tuple(request.to), request.message)
            self._settled[key] = kept
        if answer.after is None:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(answer.after or 0)
        if answer.failure is not None:
            raise answer.failure
        return [SmsRecipient(number, "Success", 101, f"id-{key}", "KES 0.8000") for number in request.to]

    def texts(self) -> list[str]:
        """The accepted messages."""
        return [message for _, message in self.inbox.values()]

    def _next_answer(self, request: SmsRequest) -> Answer:
        script = self._script_of(request)
        return script.pop(0) if len(script) > 1 else script[0]

    def _script_of(self, request: SmsRequest) -> list[Answer]:
        return self.script.get(request.to[0], [Answer()])


class NoMoney:
    """See AirtimeSender and PaymentGateway, in flows that move none."""

    async def send(self, request: AirtimeRequest) -> AirtimeReceipt:
        raise AssertionError(request)

    async def request(self, request: PaymentRequest) -> PaymentReceipt:
        raise AssertionError(request)

    async def refund(self, request: RefundRequest) -> PaymentReceipt:
        raise AssertionError(request)


class EarlyReports:
    """See Reports. What came before anybody waited for it, by name."""

    def __init__(self) -> None:
        self.found: dict[str, Settlement] = {}

    async def early(self, execution_id: str, node_id: str, names: Sequence[str]) -> Settlement | None:
        found = [self.found[name] for name in names if name in self.found]
        return found[0] if len(found) == 1 else None


class PlainCipher:
    """See Cipher. Marks instead of encrypting, so that a test sees what is sealed."""

    def seal(self, value: Any) -> str:
        return "sealed:" + orjson.dumps(value).hex()

    def unseal(self, sealed: str) -> Any:
        return orjson.loads(bytes.fromhex(sealed.removeprefix("sealed:")))


class _Unseen:
    def ended(self, status: str, error: NodeError | None) -> None:
        """Nobody looks."""


class NobodyLooks:
    """See Observer."""

    def attempt(
        self, program: Program, state: ExecutionState, node: RunnableNode, number: int
    ) -> AbstractContextManager[AttemptObserver]:
        return nullcontext(_Unseen())


class Web:
    """
    See HttpClient. Answers with the statuses to come, the last one for good; 0 never answers.

    Attributes:
        asked: What was asked, oldest first.
    """

    def __init__(self) -> None:
        self.statuses = [200]
        self.asked: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 0:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0.1)
        return HttpAnswer(status, {"content-type": "application/json"}, b'{"status": "here"}', "utf-8", None)


class Rates:
    """
    See RateLimiter. A permit keeps the turn that it was given.

    Attributes:
        waits_ms: How long the permits to come wait, in the order of asking; those behind them do not wait.
        turns: When each permit has its turn, seconds of virtual time.
    """

    def __init__(self) -> None:
        self.waits_ms: list[int] = []
        self.turns: dict[str, float] = {}

    async def reserve(self, rate: Rate, permit: str, longest_wait_ms: int) -> Permit:
        now = asyncio.get_running_loop().time()
        if permit not in self.turns:
            wait_ms = self.waits_ms.pop(0) if self.waits_ms else 0
            if wait_ms > longest_wait_ms:
                return Permit(False, wait_ms)
            self.turns[permit] = now + wait_ms / 1000
        return Permit(True, max(0, round((self.turns[permit] - now) * 1000)))
