"""
Every field of a config does something: a flow with another value of it behaves, or is warned, in another way.

Seen from where the engine and the outside see a node: what it asks for, shows, stores, waits for and answers, and the
facts that the engine goes by. The config itself is not looked at.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, get_args

import pytest

from tests.workflow.effect_table import EFFECTS, FOR_PEOPLE, NUMBER, Change
from tests.workflow.node_table import TABLE
from tests.workflow.stage import Stage
from workflow.catalogue import CATALOGUE
from workflow.errors import NodeFailure
from workflow.expressions import parse_expression
from workflow.fields import COMPILING, NodeConfig
from workflow.node_type import Arrival, NodeType
from workflow.outcome import Done, Wait, WaitKind
from workflow.ports import HttpAnswer, Permit, Rate
from workflow.session import Scope
from workflow.trigger_type import TriggerType
from workflow.unsupported import UNSUPPORTED
from workflow.voice import CallState
from workflow.web.incoming import IncomingRefused, IncomingRequest

BODY = b'{"order":17}'
SIGNATURE = hmac.new(b"right", BODY, hashlib.sha256).hexdigest()

CALLBACKS: Mapping[str, Mapping[str, Any]] = {
    "sms": {"msisdn": NUMBER, "message": "price maize", "shortCode": "22384"},
    "ussd": {"msisdn": NUMBER, "serviceCode": "*384*1#", "networkCode": "63902"},
    "voice": {"msisdn": NUMBER, "calledNumber": "+254711082000"},
    "payment": {
        "productName": "shop",
        "transactionType": "checkout",
        "status": "Success",
        "currency": "KES",
        "amount": 100,
        "trusted": True,
    },
}
FROM_NOBODY: Mapping[str, Any] = {"msisdn": "", "trusted": False}
TYPED = (("99", "98"), ("98", "0"), ("", "x"), ("7", "7", "7", "7"), ("123", "1"))
ANSWERS = (
    HttpAnswer(200, {"content-type": "application/json"}, b'{"a":1}', "utf-8", None),
    HttpAnswer(302, {}, b"", "utf-8", None),
    HttpAnswer(503, {}, b"", "utf-8", None),
)


def set_at(document: dict[str, Any], path: str, value: Any) -> None:
    """Puts a value at a path; None leaves the field out."""
    *parents, name = path.split(".")
    place = document
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is None:
        place.pop(name, None)
    else:
        place[name] = value


def document_of(type_name: str, path: str, value: Any, beside: Mapping[str, Any]) -> dict[str, Any]:
    document = dict(TABLE[type_name].least)
    for other, its_value in beside.items():
        set_at(document, other, its_value)
    # A field of list entries is changed by the whole list.
    in_list = path.split(".", maxsplit=1)[0] in ("menuItems", "cases")
    set_at(document, path.split(".", maxsplit=1)[0] if in_list else path, value)
    return document


def plain(value: Any) -> Any:
    """Dataclasses as dictionaries, so that what their texts hide is compared too."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


class KeptRates:
    """Keeps what turns were asked for, and grants them."""

    def __init__(self) -> None:
        self.asked: list[Rate] = []

    async def reserve(self, rate: Rate, permit: str, longest_wait_ms: int) -> Permit:
        self.asked.append(rate)
        return Permit(True, 0)


def warned(node_type: NodeType[Any], config: NodeConfig) -> list[tuple[str, str]]:
    found = [*node_type.findings(config), *node_type.findings_in(config, frozenset({"ussd"}))]
    return [(finding.field, finding.message) for finding in found if finding.code == UNSUPPORTED]


def goes_by(node_type: NodeType[Any], config: NodeConfig) -> list[Any]:
    """What the engine asks a type about a config."""
    return [
        node_type.output_handles(config),
        node_type.waits(config),
        node_type.is_sensitive(config),
        node_type.may_be_retried(config),
        plain(node_type.retry_policy(config, None, None)),
        plain(node_type.branch_policy(config)),
        node_type.attempt_timeout_ms(config),
        node_type.waits_for_all(config),
    ]


def starts_by(node_type: TriggerType[Any], config: NodeConfig) -> list[Any]:
    """What the engine asks a trigger about a config, and what it says to what comes in."""
    callback = CALLBACKS.get(node_type.channel, {})
    return [
        node_type.specificity(config, callback) is not None,
        node_type.specificity(config, {**callback, **FROM_NOBODY}) is not None,
        node_type.session_ttl_seconds(config),
        node_type.needs_protected_callbacks(config),
        node_type.schedule(config),
        node_type.answers_within_ms(config),
        node_type.restarts(config),
        admitted(node_type, config),
    ]


def admitted(node_type: TriggerType[Any], config: NodeConfig) -> str:
    if node_type.channel != "webhook":
        return ""
    basic = b64encode(b"asha:secret").decode()
    headers = {
        "content-type": "application/json",
        "authorization": f"Basic {basic}",
        "x-key": "secret",
        "x-shop": "njia",
        "x-signature": SIGNATURE,
    }
    try:
        node_type.admit(config, IncomingRequest("POST", "/orders", headers, "", BODY), "")
    except IncomingRefused as refusal:
        return type(refusal).__name__
    return "admitted"


def stage(answer: HttpAnswer, call: CallState) -> Stage:
    made = Stage(
        call=call,
        payload={"msisdn": NUMBER, "amount": 200},
        arrivals=[Arrival("input1", "a", {"x": 1}), Arrival("input2", "b", {"y": 2})],
    )
    made.session.data[Scope.SESSION] = {"name": "Amina", "town": "Kisumu"}
    made.web.answer = answer
    made.rates = KeptRates()  # type: ignore[assignment]
    return made


async def played(node_type: NodeType[Any], document: Mapping[str, Any], on: Stage, typed: tuple[str, ...]) -> list[Any]:
    """What a node comes to, and what it left behind outside."""
    outcomes: list[Any] = []
    if "expression" in document:
        parsed = parse_expression(document["expression"])
        on.expressions["expression"] = on.always(bool(parsed.evaluate(on.context.scope, on.context.formatting)))
    try:
        outcome = await node_type.run(on.config(node_type, document), on.context)
        outcomes.append(plain(outcome))
        for entry in typed:
            if not isinstance(outcome, Wait) or outcome.kind is not WaitKind.INPUT:
                break
            outcome = await on.resume(node_type, document, outcome.memory, entry)
            outcomes.append(plain(outcome))
        assert isinstance(outcome, Done | Wait)
    except NodeFailure as failure:
        outcomes.append(plain(failure.error))
    outside: list[Sequence[Any]] = [
        on.outbox.sent,
        on.web.asked,
        on.exchange.requests,
        on.desk.airtime,
        on.desk.payments,
        on.desk.refunds,
    ]
    asked = [[plain(request) for request in requests] for requests in outside]
    return [outcomes, asked, on.rates.asked, plain(on.session)]  # type: ignore[attr-defined]


async def behaviour(type_name: str, document: Mapping[str, Any]) -> list[Any]:
    """All that is to be seen of a node with this config."""
    node_type = CATALOGUE[type_name]
    config = node_type.config.model_validate(document, context=COMPILING)
    seen = [warned(node_type, config), goes_by(node_type, config)]
    if isinstance(node_type, TriggerType):
        return [*seen, starts_by(node_type, config)]
    call = CallState.LIVE if node_type.speaks_on(config) == {"voice"} else CallState.NONE
    first = await played(node_type, document, stage(ANSWERS[0], call), TYPED[0])
    has_asked_a_person, has_asked_the_web = len(first[0]) > 1, bool(first[1][1])
    entries = TYPED[1:] if has_asked_a_person else ()
    answers = ANSWERS[1:] if has_asked_the_web else ()
    runs = [await played(node_type, document, stage(ANSWERS[0], call), typed) for typed in entries]
    other_answers = [await played(node_type, document, stage(answer, call), ()) for answer in answers]
    return [*seen, first, *runs, *other_answers]


def fields(model: type[NodeConfig], before: str = "") -> Iterator[str]:
    """The paths of all fields; those of a model inside stand for it, unless it is a list of them."""
    for name, info in model.model_fields.items():
        path = f"{before}{info.alias or name}"
        inner = [part for part in (info.annotation, *get_args(info.annotation)) if _is_model(part)]
        if not inner or "list" in str(info.annotation):
            yield path
        for part in inner:
            yield from fields(part, f"{path}.")


def _is_model(part: object) -> bool:
    return isinstance(part, type) and issubclass(part, NodeConfig)


@pytest.mark.parametrize("type_name", CATALOGUE)
def test_the_table_has_an_entry_for_each_field(type_name: str) -> None:
    listed = set(EFFECTS[type_name]) | FOR_PEOPLE.get(type_name, set())
    assert listed == set(fields(CATALOGUE[type_name].config))


@pytest.mark.parametrize(
    ("type_name", "path", "change"),
    [
        pytest.param(type_name, path, change, id=f"{type_name} {path}")
        for type_name, changes in EFFECTS.items()
        for path, change in changes.items()
    ],
)
async def test_another_value_of_a_field_can_be_told_from_the_first(type_name: str, path: str, change: Change) -> None:
    one = document_of(type_name, path, change.one, change.beside)
    other = document_of(type_name, path, change.other, change.beside)
    assert await behaviour(type_name, one) == await behaviour(type_name, one)
    assert await behaviour(type_name, one) != await behaviour(type_name, other)
