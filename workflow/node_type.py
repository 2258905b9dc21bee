"""
What a node type is. One file in `workflow/nodes/` holds one type: its config, its facts and what it does.

Everything else (validator, compiler, engine, gateway) reads these facts and knows no type by name.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from workflow.fields import NodeConfig
from workflow.issue_codes import IssueCode
from workflow.outcome import Done, Outcome, Settlement
from workflow.paths import Scope
from workflow.ports import AirtimeSender, CallPlacer, HttpClient, PaymentGateway, RateLimiter, SmsSender
from workflow.sealing import Cipher
from workflow.session import TurnSession
from workflow.spec import RetryPolicy
from workflow.templates import Formatting
from workflow.voice import CallState

C = TypeVar("C", bound=NodeConfig)

ConfigModel = type[NodeConfig]
OutputModel = type[BaseModel]

SUCCESS, ERROR, TIMEOUT, DEFAULT = "success", "error", "timeout", "default"


class Category(StrEnum):
    """Where a canvas lists the type."""

    TRIGGER = "trigger"
    ACTION = "action"
    LOGIC = "logic"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One taken edge that leads to the node: the handle it enters by and the output of the node it left."""

    handle: str
    source: str
    output: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside, as nodes reach it."""

    sms: SmsSender
    http: HttpClient
    calls: CallPlacer
    airtime: AirtimeSender
    payments: PaymentGateway
    rates: RateLimiter
    cipher: Cipher


@dataclass(frozen=True, slots=True)
class NodeContext:
    """
    What a node gets beside its config.

    Attributes:
        workflow_id: Flow that runs.
        execution_id: Execution that runs.
        node_id: Id of the node itself.
        visit: How often it had run before in this execution, from 0.
        attempt: Number of the attempt, from 1.
        timeout_ms: Longest run of the attempt; 0 means unlimited.
        may_have_begun: Whether an engine that is gone may have begun this attempt already.
        repetition: How often its effect was repeated since the outcome of the one before stayed unknown, from 0.
        scope: What templates and expressions resolve against.
        formatting: Time zone and rules of rendering.
        default_country: ISO 3166 country of phone numbers that lack a +, None when numbers must have one.
        arrivals: Taken edges that led here, in the order of their handles.
        session: The session of the turn; never None where the type requires one.
        call: How the call stands in which the execution talks.
        expressions: The config's expressions by path, evaluated when asked for.
        ports: The outside.
        concealed: Returns a JSON object with what holds a secret that its texts were rendered from encrypted again.
        missed_call: In a rehearsal of what ran before: why the call of this visit came to nothing, such as USER_BUSY.
            None where somebody answered, and everywhere else.
    """

    workflow_id: str
    execution_id: str
    node_id: str
    visit: int
    attempt: int
    timeout_ms: int
    may_have_begun: bool
    repetition: int
    scope: Scope
    formatting: Formatting
    default_country: str | None
    arrivals: Sequence[Arrival]
    session: TurnSession | None
    call: CallState
    expressions: Mapping[str, "Evaluation"]
    ports: Ports
    concealed: Callable[[Mapping[str, Any]], dict[str, Any]]
    missed_call: str | None = None

    @property
    def idempotency_key(self) -> str:
        """Names the effect of this visit; the same for every attempt, unless it is meant to happen again."""
        key = f"{self.execution_id}:{self.node_id}:{self.visit}"
        return f"{key}:{self.repetition}" if self.repetition else key


class Evaluation(ABC):
    """An expression of the config, ready to be evaluated against the scope."""

    @abstractmethod
    def truth(self) -> bool:
        """Evaluates to true or false. Raises ExpressionError when the operands do not fit."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """
    What woke a waiting node.

    Attributes:
        memory: What the node left in its Wait.
        input: What the person typed; None when a timer was due.
        payload: The whole payload of the turn.
        event: What the outside said of what the node waits for; None where a person typed, or time ran out.
    """

    memory: Mapping[str, Any]
    input: str | None
    payload: Mapping[str, Any]
    event: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """
    A fault that a type finds in its own config.

    Attributes:
        code: Machine-readable, such as INVALID_NODE_CONFIG.
        message: What is wrong and what to do.
        field: Path from the config's root, such as menuItems[0].option; empty for the whole config.
        is_warning: Whether the flow may run all the same.
    """

    code: IssueCode
    message: str
    field: str = ""
    is_warning: bool = False


class NodeType(ABC, Generic[C]):
    """
    Facts and behaviour of one node type. Instances hold no state.

    Attributes:
        type: Name in a flow, such as SEND_SMS.
        title: Name shown to people.
        category: Where a canvas lists it.
        description: One sentence on what it does.
        config: Model of its config.
        output: Model of its output; for a trigger, of its payload.
        inputs: Handles that edges enter by; a name that ends in * stands for any suffix. Empty for triggers.
        outputs: Handles that edges leave by, `error` and `timeout` aside, which every node has.
        timeout_ms: Longest run of one attempt; 0 means unlimited.
        retry: Policy where neither node nor flow has one; None means one attempt.
        requires_session: Whether it needs a session.
        opens_session: Type of a further session in which the nodes behind it can reach the person; None: it opens none.
        has_effect: Whether it changes something outside of Njia, so that its result is journaled before others go on.
        repeats_unknown: What becomes of an effect whose outcome stays unknown: repeated (at least once), or given up
            as a failure (at most once).
    """

    type: ClassVar[str]
    title: ClassVar[str]
    category: ClassVar[Category]
    description: ClassVar[str]
    config: ClassVar[ConfigModel]
    output: ClassVar[OutputModel]
    inputs: ClassVar[tuple[str, ...]] = (DEFAULT,)
    outputs: ClassVar[tuple[str, ...]] = (DEFAULT,)
    timeout_ms: ClassVar[int] = 1000
    retry: ClassVar[RetryPolicy | None] = None
    requires_session: ClassVar[bool] = False
    opens_session: ClassVar[str | None] = None
    has_effect: ClassVar[bool] = False
    repeats_unknown: ClassVar[bool] = False

    @abstractmethod
    async def run(self, config: C, context: NodeContext) -> Outcome:
        """Does the node's work once. Raises NodeFailure when it cannot."""

    async def resume(self, config: C, context: NodeContext, resumption: Resumption) -> Outcome:
        """Goes on after a Wait. Only types that wait have one."""
        raise TypeError(f"{self.type} never waits")

    def settled_by(self, config: C, context: NodeContext) -> Sequence[str]:
        """
        Returns the names under which the outside may still report an effect whose outcome is not known, such as
        sms:+254711000001; none where nothing reports it.
        """
        return ()

    async def settle(self, config: C, context: NodeContext, settlement: Settlement) -> Done:
        """Returns what the node came to once its effect is known to have taken place. Only types with names have it."""
        raise TypeError(f"nothing reports what {self.type} did")

    async def rehearse(self, config: C, context: NodeContext) -> Outcome:
        """Stands in for `run` in a dry run: the same shape of output and no effect."""
        return await self.run(config, context)

    def output_handles(self, config: C) -> tuple[str, ...]:
        """Handles that edges may leave by with this config, `error` and `timeout` aside."""
        return self.outputs

    def handles_despite_faults(self, config: Mapping[str, Any]) -> tuple[str, ...] | None:
        """
        Handles of `output_handles` for a config document that has faults; None where they cannot be told, so that no
        edge looks wrong for a fault that is the config's. Types whose handles depend on the config have their own.
        """
        return self.outputs

    def waits(self, config: C) -> bool:
        """Whether every visit waits for the outside; such a node may close a cycle."""
        return False

    def shows(self, config: C) -> bool:
        """Whether it may add to what the person gets in a turn."""
        return False

    def screens(self, config: C) -> Sequence[str]:
        """Returns what it shows, screen by screen, with a config whose templates are rendered."""
        return ()

    def offered_entries(self, config: C) -> Sequence[str]:
        """What its screens offer to type, such as 1 and 2, with a config whose templates are rendered."""
        return ()

    def expected_entries(self, config: C) -> Sequence[str]:
        """What it has a way for, where it decides by what was typed last and by nothing else."""
        return ()

    def meant(self, config: C, typed: str) -> str:
        """Returns the entry that a person means who typed this, such as 1 for `1.`; templates are not rendered yet."""
        return typed

    def ends_session(self, config: C) -> bool:
        """Whether it ends the session."""
        return False

    def is_sensitive(self, config: C) -> bool:
        """Whether what a person types into it must not be seen: encrypted as it is stored, masked where it is shown."""
        return False

    def may_be_retried(self, config: C) -> bool:
        """Whether a retry policy applies at all."""
        return True

    def retry_policy(self, config: C, of_node: RetryPolicy | None, of_flow: RetryPolicy | None) -> RetryPolicy | None:
        """The policy that counts, of those that the node and the flow name and the type's own."""
        return of_node or of_flow or self.retry

    def attempt_timeout_ms(self, config: C) -> int:
        """Longest run of one attempt where the node names none, ms; 0 means unlimited."""
        return self.timeout_ms

    def notes_beginning(self, config: C) -> bool:
        """
        Whether the journal says that an attempt begins before it does.

        For an effect that nobody can be asked about later: a crash must not make it happen twice, nor leave anybody
        in doubt about one that never began.
        """
        return False

    def branch_policy(self, config: C) -> RetryPolicy | None:
        """How often the branch behind its usual edges is tried, where it tries that again; else None."""
        return None

    def gives_up_by(self, config: C) -> str:
        """Handle that it leaves by when its branch is given up. Only types that try a branch again have one."""
        raise TypeError(f"{self.type} tries nothing again")

    def keeps_success(self, config: C) -> bool:
        """Whether what it did stands when a branch that it is in is tried again, so that nothing is done twice."""
        return self.has_effect or self.shows(config)

    def waits_for_all(self, config: C) -> bool:
        """Whether it runs once all of its incoming edges are decided, rather than at the first that is taken."""
        return True

    def stored_keys(self, config: C) -> Mapping[str, Iterable[str]]:
        """Keys that it writes, by scope: session, workflow or global."""
        return {}

    def read_scopes(self, config: C) -> Iterable[str]:
        """Scopes that it reads or writes by itself, templates aside."""
        return ()

    def needs_phone(self, config: C) -> bool:
        """Whether it is about the phone number of the payload, `msisdn`, and fails without one."""
        return False

    def phone_numbers(self, config: C) -> Iterable[tuple[str, str]]:
        """Fields that name phones, each with its text as it is written: numbers joined by commas, or templates."""
        return ()

    def speaks_on(self, config: C) -> frozenset[str]:
        """Types of sessions in which it can reach the person; empty where it talks to nobody, or in any of them."""
        return frozenset()

    def findings_in(self, config: C, session_types: frozenset[str]) -> Iterable[Finding]:
        """Faults that depend on the types of the sessions in which it may find the person."""
        return ()

    def findings(self, config: C) -> Iterable[Finding]:
        """Faults of a config that its model alone cannot tell."""
        return ()
