"""What nodes need from the outside. The engine hands in the real thing; nodes know only these shapes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PremiumSms:
    """What makes a message a premium one; empty text means none."""

    keyword: str
    link_id: str


@dataclass(frozen=True, slots=True)
class SmsRequest:
    """
    One text for one or more numbers.

    Attributes:
        idempotency_key: The same key never sends twice.
        to: Phone numbers in E.164.
        sender: Short code or alphanumeric sender; empty means the account's default.
        enqueue: Whether Africa's Talking may queue it and answer at once.
        may_have_begun: Whether an engine that is gone may have asked for it already; it does not change the message.
    """

    idempotency_key: str
    to: Sequence[str]
    message: str
    sender: str
    enqueue: bool
    premium: PremiumSms | None
    may_have_begun: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class SmsRecipient:
    """What became of one recipient; `message_id` is empty when it was refused."""

    number: str
    status: str
    status_code: int
    message_id: str
    cost: str


@dataclass(frozen=True, slots=True)
class CallRequest:
    """
    One call to one number.

    Attributes:
        idempotency_key: The same key never calls twice; what happens to the call is reported under it.
        to: Phone number in E.164.
        caller_id: Number of ours that it comes from; empty means the account's default.
        may_have_begun: Whether an engine that is gone may have asked for it already; it does not change the call.
    """

    idempotency_key: str
    to: str
    caller_id: str
    may_have_begun: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call that was taken: the network's id of it, and its word, such as Queued."""

    session_id: str
    status: str


class CallPlacer(Protocol):
    """Places calls."""

    async def place(self, request: CallRequest) -> PlacedCall:
        """Calls once per idempotency key. Raises NodeFailure when it was refused or its outcome is unknown."""
        ...


class SmsSender(Protocol):
    """Sends texts."""

    async def send(self, request: SmsRequest) -> Sequence[SmsRecipient]:
        """Sends once per idempotency key. Raises NodeFailure when it was refused or its outcome is unknown."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    What proves to the other side who asks. It is sent to the origin of the request alone, not where that redirects to.

    Attributes:
        headers: Headers that carry it, such as Authorization.
        secrets: Texts in it that nobody may read; where the other side echoes one, a mask stands in its place.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An OAuth 2.0 client that gets its access tokens by the client credentials grant (RFC 6749, 4.4)."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """
    One HTTP request of a flow.

    Attributes:
        url: Absolute, http or https, without user and password.
        headers: Checked: names are tokens, values hold no control characters.
        body: None sends none.
        timeout_ms: For all of it: tokens, redirects and the body of the answer included.
        max_redirects: None answers with the redirect itself.
        verifies_tls: Whether the other side must prove who it is.
        is_repeatable: Whether a lost answer is harmless, because the request may be sent again.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    credentials: Credentials | ClientCredentials
    timeout_ms: int
    max_redirects: int | None
    verifies_tls: bool
    is_repeatable: bool


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """
    What the other side answered, whatever the status. Secrets of the request in it are masked.

    Attributes:
        headers: Names in lower case; several of one name are joined by commas.
        charset: As the answer names it, else utf-8.
        retry_after_ms: What it asks for, None when it does not.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    charset: str
    retry_after_ms: int | None


class HttpClient(Protocol):
    """Sends HTTP requests, to public addresses and to those that the operator allows."""

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """
        Sends once, follows redirects, and returns whatever is answered.

        Raises NodeFailure: NETWORK_ERROR when the other side cannot be reached, or a repeatable request got no answer;
        SEND_OUTCOME_UNKNOWN when another one got none; TIMEOUT, TLS_ERROR, ADDRESS_NOT_ALLOWED, TOO_MANY_REDIRECTS,
        INVALID_REDIRECT, RESPONSE_TOO_LARGE, AUTHENTICATION_FAILED.
        """
        ...


@dataclass(frozen=True, slots=True)
class AirtimeRequest:
    """
    Airtime for one phone.

    Attributes:
        idempotency_key: The same key never sends twice.
        number: Phone number in E.164.
        amount: Decimal as text, more than 0.
        may_have_begun: Whether an engine that is gone may have asked for it already; it does not change the request.
    """

    idempotency_key: str
    number: str
    currency: str
    amount: str
    may_have_begun: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class AirtimeReceipt:
    """What became of it, in the provider's words; amounts such as "KES 10.0000"."""

    request_id: str
    status: str
    amount: str
    discount: str


class AirtimeSender(Protocol):
    """Sends airtime."""

    async def send(self, request: AirtimeRequest) -> AirtimeReceipt:
        """Sends once per idempotency key. Raises NodeFailure when it was refused or its outcome is unknown."""
        ...


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """
    One payment.

    Attributes:
        idempotency_key: The same key never asks twice.
        type: checkout (a user pays us), b2c (we pay a user) or b2b (we pay a business).
        number: Phone number in E.164; for b2b the channel of the business.
        amount: Decimal as text, more than 0.
        metadata: What the notification gives back.
        provider_channel: Empty means the product's own.
        provider: Provider of a b2b payment, as Africa's Talking names it; else empty.
        destination_account: Account at the business of a b2b payment; else empty.
        may_have_begun: Whether an engine that is gone may have asked for it already; it does not change the request.
    """

    idempotency_key: str
    type: str
    product_name: str
    number: str
    currency: str
    amount: str
    metadata: Mapping[str, str]
    provider_channel: str
    provider: str
    destination_account: str
    may_have_begun: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """
    Pays back what a user paid.

    Attributes:
        idempotency_key: The same key never pays twice.
        transaction_id: The payment that is paid back.
        currency: Empty where there is no amount.
        amount: Decimal as text; empty means all that is left.
        reason: Empty when there is none.
        metadata: What the notification gives back.
        may_have_begun: Whether an engine that is gone may have asked for it already; it does not change the request.
    """

    idempotency_key: str
    transaction_id: str
    currency: str
    amount: str
    reason: str
    metadata: Mapping[str, str]
    may_have_begun: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class PaymentReceipt:
    """What became of a payment that was taken, in the provider's words."""

    transaction_id: str
    status: str


class PaymentGateway(Protocol):
    """Moves money."""

    async def request(self, request: PaymentRequest) -> PaymentReceipt:
        """Asks once per idempotency key. Raises NodeFailure when it was refused or its outcome is unknown."""
        ...

    async def refund(self, request: RefundRequest) -> PaymentReceipt:
        """Pays back once per idempotency key. Raises NodeFailure likewise."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """
    How much may happen in a window.

    Attributes:
        key: What is limited; equal keys share their turns.
        strategy: fixed or sliding.
    """

    key: str
    max_requests: int
    window_ms: int
    strategy: str


@dataclass(frozen=True, slots=True)
class Permit:
    """
    Attributes:
        granted: Whether a turn was given; else it would come too late and none was taken.
        wait_ms: Until the turn.
    """

    granted: bool
    wait_ms: int


class RateLimiter(Protocol):
    """Keeps rates over all executions and engines."""

    async def reserve(self, rate: Rate, permit: str, longest_wait_ms: int) -> Permit:
        """Gives the permit of this name the next free turn, if it comes soon enough; the same one again for free."""
        ...
