"""HTTP_WEBHOOK: a request of another system starts the flow."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workflow.fields import NodeConfig, Secret
from workflow.node_type import Finding
from workflow.places import written
from workflow.text_patterns import WEBHOOK_PATH
from workflow.trigger_type import Restarts, TriggerType
from workflow.web import incoming
from workflow.web.incoming import IncomingRequest
from workflow.web.requests import header_problem, is_secret_header

HiddenText = Annotated[str, Secret()]


class Auth(NodeConfig):
    """
    What a request must prove.

    Attributes:
        type: basic asks for username and password, bearer for token, custom for token in the header headerName.
        token: For bearer and custom.
        username: For basic.
        password: For basic.
        header_name: For custom.
    """

    type: Literal["none", "basic", "bearer", "custom"] = "none"
    token: HiddenText | None = None
    username: str | None = None
    password: HiddenText | None = None
    header_name: str | None = None


class Retry(NodeConfig):
    """
    When a flow that failed is started again, with the same payload.

    Attributes:
        attempts: How often.
        backoff_ms: Pause before each, ms.
    """

    attempts: Annotated[int, Field(ge=0, le=5)] = 0
    backoff_ms: Annotated[int, Field(ge=100, le=10_000)] = 1000


class Config(NodeConfig):
    """
    Which requests start the flow.

    Attributes:
        method: Requests with another one are refused.
        path: Behind /webhooks/<workflow id>.
        headers: Headers that must be there; an empty value takes any. Those that prove who sends (X-API-Key, …) are
            kept secret.
        timeout_ms: How long a request with ?wait=true waits for the outcome, ms.
        validate_signature: Whether signatureHeader must hold the HMAC-SHA256 of the body under signatureSecret.
        signature_header: Header that holds the signature.
        signature_secret: Key of the signature.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Annotated[str, Field(pattern=WEBHOOK_PATH, max_length=512)]
    auth: Auth = Auth()
    headers: Annotated[dict[str, str], Secret(is_secret_header)] = Field(default_factory=dict)
    timeout_ms: Annotated[int, Field(ge=100, le=30_000)] = 5000
    retry: Retry = Retry()
    validate_signature: bool = False
    signature_header: str = "X-Signature"
    signature_secret: HiddenText | None = None


class Payload(BaseModel):
    """
    What the flow knows of the request. The keys of a body that is a JSON object or a form stand at the top level too,
    where these names do not. `headers` have their names in lower case and lack those that prove who sent it.
    """

    model_config = ConfigDict(extra="allow")

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, Any]
    body: Any
    timestamp: str


class HttpWebhook(TriggerType[Config]):
    type = "HTTP_WEBHOOK"
    title = "Webhook"
    description = "Starts the flow when another system calls its address."
    config = Config
    output = Payload
    channel = "webhook"

    def specificity(self, config: Config, payload: Mapping[str, Any]) -> int | None:
        return 0 if (payload.get("method"), payload.get("path")) == (config.method, config.path) else None

    def claim(self, config: Config) -> tuple[str, ...]:
        """Nothing that another flow could claim: the address begins with the id of the flow."""
        return ()

    def admit(self, config: Config, request: IncomingRequest, timestamp: str) -> Mapping[str, Any]:
        if request.path != config.path:
            raise incoming.NobodyListens
        if request.method != config.method:
            raise incoming.MethodNotAllowed(config.method)
        if not (_is_authentic(config.auth, request) and _is_signed(config, request)):
            raise incoming.NotAuthentic
        for name, value in config.headers.items():
            given = request.headers.get(name.lower())
            if given is None or (value and not incoming.same(given, value)):
                raise incoming.MissingHeader(name)
        proofs = {config.auth.header_name or "", *filter(is_secret_header, config.headers)}
        hidden = incoming.SHOWN_TO_NOBODY | {name.lower() for name in proofs}
        body = incoming.read_body(request)
        return {
            **(body if isinstance(body, dict) else {}),
            "method": request.method,
            "path": request.path,
            "headers": {name: value for name, value in request.headers.items() if name not in hidden},
            "query": incoming.read_query(request.query),
            "body": body,
            "timestamp": timestamp,
        }

    def answers_within_ms(self, config: Config) -> int:
        return config.timeout_ms

    def restarts(self, config: Config) -> Restarts:
        return Restarts(config.retry.attempts, config.retry.backoff_ms)

    def findings(self, config: Config) -> Iterable[Finding]:
        given = config.auth.model_dump(by_alias=True, exclude_none=True)
        for field in _NEEDED[config.auth.type]:
            if not given.get(field):
                yield _finding(f"auth of type {config.auth.type} needs {field}", f"auth.{field}")
        if config.validate_signature and not config.signature_secret:
            yield _finding("validateSignature needs signatureSecret", "signatureSecret")
        named = {"signatureHeader": config.signature_header, "auth.headerName": config.auth.header_name or "X-A"}
        for field, name in (*named.items(), *((written(("headers", name)), name) for name in config.headers)):
            problem = header_problem(name, "")
            if problem:
                yield _finding(problem, field)


_NEEDED: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "basic": ("username", "password"),
    "bearer": ("token",),
    "custom": ("headerName", "token"),
}


def _finding(message: str, field: str) -> Finding:
    return Finding("INVALID_NODE_CONFIG", message, field)


def _is_authentic(auth: Auth, request: IncomingRequest) -> bool:
    match auth.type:
        case "none":
            return True
        case "basic":
            name, password = _basic(request)
            # Both are compared, so that the time does not say which of them was wrong.
            return bool(incoming.same(name, auth.username or "") & incoming.same(password, auth.password or ""))
        case "bearer":
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            return scheme.lower() == "bearer" and incoming.same(token.strip(), auth.token or "")
    return incoming.same(request.headers.get((auth.header_name or "").lower(), ""), auth.token or "")


def _is_signed(config: Config, request: IncomingRequest) -> bool:
    if not config.validate_signature:
        return True
    given = request.headers.get(config.signature_header.lower(), "")
    return incoming.is_signature(given, config.signature_secret or "", request.body)


def _basic(request: IncomingRequest) -> tuple[str, str]:
    """Name and password of the basic scheme (RFC 7617); empty where there are none."""
    scheme, _, pair = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(pair, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, password
