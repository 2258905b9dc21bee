"""A node's surroundings, small enough to see through."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.engine.core.outside import Rates
from workflow.fields import NodeConfig
from workflow.node_type import Arrival, Evaluation, NodeContext, NodeType, Ports, Resumption
from workflow.outcome import Done, Outcome, Wait
from workflow.paths import UNSET
from workflow.ports import (
    AirtimeReceipt,
    AirtimeRequest,
    CallRequest,
    HttpAnswer,
    HttpRequest,
    PaymentReceipt,
    PaymentRequest,
    PlacedCall,
    RefundRequest,
    SmsRecipient,
    SmsRequest,
)
from workflow.session import Scope, TurnSession
from workflow.templates import Formatting
from workflow.voice import CallState


@dataclass
class SmsOutbox:
    """Keeps what is sent and answers with `rows`, or with one accepted row a number."""

    sent: list[SmsRequest] = field(default_factory=list)
    rows: Sequence[SmsRecipient] | None = None

    async def send(self, request: SmsRequest) -> Sequence[SmsRecipient]:
        self.sent.append(request)
        if self.rows is not None:
            return self.rows
        return [SmsRecipient(number, "Success", 101, f"id-{number}", "KES 0.8000") for number in request.to]


@dataclass
class Web:
    """Keeps what is asked and answers with `answer`."""

    asked: list[HttpRequest] = field(default_factory=list)
    answer: HttpAnswer = field(default_factory=lambda: HttpAnswer(200, {}, b"", "utf-8", None))

    async def send(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(request)
        return self.answer


@dataclass
class MoneyDesk:
    """Keeps what is asked for and answers that it was taken."""

    airtime: list[AirtimeRequest] = field(default_factory=list)
    payments: list[PaymentRequest] = field(default_factory=list)
    refunds: list[RefundRequest] = field(default_factory=list)

    async def send(self, request: AirtimeRequest) -> AirtimeReceipt:
        self.airtime.append(request)
        return AirtimeReceipt("ATQid_1", "Sent", f"{request.currency} {request.amount}", "KES 0.4000")

    async def request(self, request: PaymentRequest) -> PaymentReceipt:
        self.payments.append(request)
        return PaymentReceipt("ATPid_1", "PendingConfirmation")

    async def refund(self, request: RefundRequest) -> PaymentReceipt:
        self.refunds.append(request)
        return PaymentReceipt("ATPid_2", "Queued")


class MarkingCipher:
    """Marks what was sealed, so that tests see it."""

    def seal(self, value: Any) -> str:
        return f"sealed:{value}"

    def unseal(self, sealed: str) -> Any:
        return sealed.removeprefix("sealed:")


@dataclass(frozen=True)
class Payload:
    """A scope that knows the trigger payload alone."""

    values: Mapping[str, Any]

    def lookup(self, root: str) -> object:
        return self.values if root == "triggerPayload" else self.values.get(root, UNSET)

    def opened(self, value: object) -> object:
        return value


@dataclass(frozen=True)
class Fixed(Evaluation):
    """An expression that always comes to the same."""

    value: bool

    def truth(self) -> bool:
        return self.value


@dataclass
class CallExchange:
    """Takes every call and keeps what was asked for."""

    requests: list[CallRequest] = field(default_factory=list)

    async def place(self, request: CallRequest) -> PlacedCall:
        self.requests.append(request)
        return PlacedCall(f"ATVId_{len(self.requests)}", "Queued")


@dataclass
class Stage:
    """Runs nodes: give it a type and a config document."""

    outbox: SmsOutbox = field(default_factory=SmsOutbox)
    web: Web = field(default_factory=Web)
    rates: Rates = field(default_factory=Rates)
    may_have_begun: bool = False
    exchange: CallExchange = field(default_factory=CallExchange)
    call: CallState = CallState.NONE
    desk: MoneyDesk = field(default_factory=MoneyDesk)
    arrivals: list[Arrival] = field(default_factory=list)
    expressions: dict[str, Evaluation] = field(default_factory=dict)
    payload: dict[str, Any] = field(default_factory=dict)
    default_country: str | None = None
    session: TurnSession = field(
        default_factory=lambda: TurnSession("ATUid_1", "ussd", "+254711000001", 3, {Scope.SESSION: {}})
    )

    @property
    def context(self) -> NodeContext:
        return NodeContext(
            workflow_id="flow-1",
            execution_id="exec-1",
            node_id="n",
            visit=2,
            may_have_begun=self.may_have_begun,
            repetition=0,
            attempt=1,
            timeout_ms=60_000,
            scope=Payload(self.payload),
            formatting=Formatting(),
            default_country=self.default_country,
            arrivals=self.arrivals,
            session=self.session,
            call=self.call,
            expressions=self.expressions,
            ports=Ports(
                sms=self.outbox,
                calls=self.exchange,
                airtime=self.desk,
                payments=self.desk,
                http=self.web,
                rates=self.rates,
                cipher=MarkingCipher(),
            ),
            concealed=dict,
        )

    def config(self, node_type: NodeType[Any], document: Mapping[str, Any]) -> NodeConfig:
        return node_type.config.model_validate(document)

    async def run(self, node_type: NodeType[Any], document: Mapping[str, Any]) -> Outcome:
        return await node_type.run(self.config(node_type, document), self.context)

    async def rehearse(self, node_type: NodeType[Any], document: Mapping[str, Any]) -> Outcome:
        return await node_type.rehearse(self.config(node_type, document), self.context)

    async def resume(
        self,
        node_type: NodeType[Any],
        document: Mapping[str, Any],
        memory: Mapping[str, Any],
        typed: str | None,
        event: Mapping[str, Any] | None = None,
    ) -> Outcome:
        resumption = Resumption(memory, typed, {"input": typed}, event)
        return await node_type.resume(self.config(node_type, document), self.context, resumption)

    def always(self, value: bool) -> Evaluation:
        return Fixed(value)


def done(outcome: Outcome) -> Done:
    """Returns the outcome of a node that is done."""
    assert isinstance(outcome, Done)
    return outcome


def waiting(outcome: Outcome) -> Wait:
    """Returns the outcome of a node that waits."""
    assert isinstance(outcome, Wait)
    return outcome


Findings = Callable[[NodeType[Any], Mapping[str, Any]], list[tuple[str, str]]]
"""Code and field of what a type finds in its own config."""
