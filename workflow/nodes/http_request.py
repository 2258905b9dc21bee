"""HTTP_REQUEST: asks a server on the web."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from workflow.errors import OUTCOME_UNKNOWN, NodeFailure, invalid, permanent
from workflow.fields import TEMPLATED, NodeConfig, Role, Secret, SecretText, TemplateData, TemplateText
from workflow.node_type import ERROR, SUCCESS, Category, Finding, NodeContext, NodeType
from workflow.outcome import Done
from workflow.places import written
from workflow.ports import ClientCredentials, Credentials, HttpRequest
from workflow.spec import RetryPolicy
from workflow.templates import contains_template
from workflow.web import answers, bodies, requests

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that only look (RFC 9110, 9.2.1): they may be repeated at any time, also after a crash."""

NEVER_REPEATED = frozenset({"POST", "PATCH"})
"""Methods that do it once more when they are repeated (RFC 9110, 9.2.2): they are retried only where a flow says so."""

DEFAULT_KEY_HEADER = "X-API-Key"


class Auth(NodeConfig):
    """
    How the request proves who asks.

    Attributes:
        type: basic takes username and password, bearer a token, apikey a token in the header headerName, oauth2 the
            client credentials grant.
        username: For basic.
        password: For basic.
        token: For bearer and apikey.
        header_name: Header of an apikey; X-API-Key where it is absent.
        oauth2_url: Token endpoint.
        oauth2_client_id: Who asks for the token.
        oauth2_client_secret: What proves that.
    """

    type: Literal["none", "basic", "bearer", "apikey", "oauth2"] = "none"
    username: TemplateText | None = None
    password: SecretText | None = None
    token: SecretText | None = None
    header_name: str | None = None
    oauth2_url: TemplateText | None = None
    oauth2_client_id: TemplateText | None = None
    oauth2_client_secret: SecretText | None = None


class Retry(NodeConfig):
    """
    When a failed request is sent again; beats every other policy.

    Attributes:
        attempts: Further attempts behind the first.
        backoff_ms: Pause before the second attempt, ms.
        backoff_multiplier: Growth of the pause for each further attempt.
        retryable_status_codes: Answers that are worth another attempt; a lost answer is as well.
    """

    attempts: Annotated[int, Field(ge=0, le=5)] = 0
    backoff_ms: Annotated[int, Field(ge=100, le=10_000)] = 1000
    backoff_multiplier: Annotated[float, Field(gt=0, le=1000)] = 2.0
    retryable_status_codes: list[Annotated[int, Field(ge=100, le=599)]] = Field(
        default_factory=lambda: [500, 502, 503, 504]
    )


class Config(NodeConfig):
    """
    Attributes:
        method: HTTP method.
        url: Address of the server, http:// or https://.
        headers: A value of null leaves its header out. Those that sign in (Authorization, X-API-Key, …) are kept
            secret.
        body: A JSON value, or text.
        body_type: How the body is written: json and form take an object, all take text that is written so already.
        timeout: For all of one attempt, redirects included, ms.
        retry: Beats the retry policy of the node and of the flow.
        follow_redirects: Whether an answer that names another address is followed there.
        max_redirects: One more fails the node.
        validate_ssl: Whether a server with a certificate that proves nothing is refused. The one that gives OAuth 2
            tokens always is: the secret goes there.
        parse_response: Whether an answer that says it is JSON becomes a value; else the body is text.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    url: TemplateText
    headers: Annotated[TemplateData, Secret(requests.is_secret_header)] = Field(default_factory=dict)
    body: Annotated[Any, TEMPLATED, Role.VALUE] = None
    body_type: Literal["json", "form", "raw", "xml"] = "json"
    auth: Auth = Auth()
    timeout: Annotated[int, Field(ge=100, le=300_000)] = 30_000
    retry: Retry | None = None
    follow_redirects: bool = True
    max_redirects: Annotated[int, Field(ge=0, le=10)] = 5
    validate_ssl: bool = Field(default=True, alias="validateSSL")
    parse_response: bool = True


class Output(BaseModel):
    """
    `headers` have their names in lower case. `body` is the JSON value of an answer that says it is JSON, else text;
    null where there is none.
    """

    statusCode: int
    headers: dict[str, str]
    body: Any
    dryRun: bool | None = None


class HttpRequestNode(NodeType[Config]):
    type = "HTTP_REQUEST"
    title = "HTTP request"
    category = Category.ACTION
    description = "Asks a server on the web; an answer of 2xx is a success."
    config = Config
    output = Output
    outputs = (SUCCESS, ERROR)
    timeout_ms = 30_000
    retry = RetryPolicy(
        maxAttempts=3,
        initialDelayMs=1000,
        backoffMultiplier=2.0,
        retryableErrors=["NETWORK_ERROR", "TIMEOUT", "5XX"],
    )
    has_effect = True

    def retry_policy(
        self, config: Config, of_node: RetryPolicy | None, of_flow: RetryPolicy | None
    ) -> RetryPolicy | None:
        own = config.retry
        if own is not None:
            return RetryPolicy(
                maxAttempts=own.attempts + 1,
                initialDelayMs=own.backoff_ms,
                backoffMultiplier=own.backoff_multiplier,
            )
        return of_node if config.method in NEVER_REPEATED else super().retry_policy(config, of_node, of_flow)

    def keeps_success(self, config: Config) -> bool:
        return config.method not in SAFE

    def attempt_timeout_ms(self, config: Config) -> int:
        return config.timeout

    def notes_beginning(self, config: Config) -> bool:
        return config.method not in SAFE

    def findings(self, config: Config) -> Iterable[Finding]:
        yield from _auth_findings(config.auth)
        if not contains_template(config.url):
            problem = requests.url_problem(config.url)
            if problem:
                yield Finding("INVALID_NODE_CONFIG", problem, "url")
        for name, value in config.headers.items() if isinstance(config.headers, dict) else ():
            problem = requests.header_problem(name, value)
            if problem and not _holds_template(value):
                yield Finding("INVALID_NODE_CONFIG", problem, written(("headers", name)))
        if not _holds_template(config.body):
            problem = bodies.body_problem(config.body, config.body_type)
            if problem:
                yield Finding("INVALID_NODE_CONFIG", problem, "body")
        elif config.body_type == "json" and bodies.may_break_json(config.body):
            message = (
                "a quote in a value breaks this text, or adds to it: write the body as a JSON value, or put the "
                "filter json behind each placeholder, without quotes around it"
            )
            yield Finding("UNSAFE_JSON_BODY", message, "body", is_warning=True)

    async def run(self, config: Config, context: NodeContext) -> Done:
        request = _request(config, context)
        if context.may_have_begun and not _only_looks(config):
            message = (
                f"an engine died while it sent this {config.method}: it may have been carried out or not, and it is "
                "not sent again"
            )
            raise NodeFailure(permanent(OUTCOME_UNKNOWN, message))
        answer = await context.ports.http.send(request)
        succeeded = 200 <= answer.status < 300 or (not config.follow_redirects and 300 <= answer.status < 400)
        if not succeeded:
            host = requests.host_of(request.url)
            retried = None if config.retry is None else frozenset(config.retry.retryable_status_codes)
            raise answers.refusal(config.method, host, answer, retried)
        body = answers.read_body(answer, parses_json=config.parse_response)
        return Done(output={"statusCode": answer.status, "headers": dict(answer.headers), "body": body})

    async def rehearse(self, config: Config, context: NodeContext) -> Done:
        """Answers with what would have been sent, where that is an object, so that there is something to go on with."""
        _request(config, context)
        body = config.body if isinstance(config.body, dict) else {}
        return Done(output={"statusCode": 200, "headers": {}, "body": body, "dryRun": True})


def _holds_template(value: Any) -> bool:
    return isinstance(value, str) and contains_template(value)


def _only_looks(config: Config) -> bool:
    """Whether the request only looks."""
    return config.method in SAFE


def _request(config: Config, context: NodeContext) -> HttpRequest:
    problem = requests.url_problem(config.url)
    if problem:
        raise invalid("INVALID_URL", problem)
    headers = requests.checked_headers(config.headers)
    names = {name.lower() for name in headers}
    body, content_type = bodies.written(config.body, config.body_type)
    if body is not None and "content-type" not in names:
        headers["Content-Type"] = content_type
    if config.method not in SAFE and "idempotency-key" not in names:
        headers["Idempotency-Key"] = context.idempotency_key
    return HttpRequest(
        method=config.method,
        url=config.url,
        headers=headers,
        body=body,
        credentials=_credentials(config.auth),
        timeout_ms=config.timeout,
        max_redirects=config.max_redirects if config.follow_redirects else None,
        verifies_tls=config.validate_ssl,
        is_repeatable=config.method not in NEVER_REPEATED or config.retry is not None,
    )


def _credentials(auth: Auth) -> Credentials | ClientCredentials:
    match auth.type:
        case "basic":
            return requests.basic(auth.username or "", auth.password or "")
        case "bearer":
            return requests.secret_header("Authorization", auth.token or "", scheme="Bearer")
        case "apikey":
            return requests.secret_header(auth.header_name or DEFAULT_KEY_HEADER, auth.token or "")
        case "oauth2":
            url = auth.oauth2_url or ""
            problem = requests.url_problem(url)
            if problem:
                raise invalid("INVALID_URL", f"auth.oauth2Url: {problem}")
            return ClientCredentials(url, auth.oauth2_client_id or "", auth.oauth2_client_secret or "")
    return Credentials()


_NEEDED = {
    "none": (),
    "basic": ("username", "password"),
    "bearer": ("token",),
    "apikey": ("token",),
    "oauth2": ("oauth2Url", "oauth2ClientId", "oauth2ClientSecret"),
}


def _auth_findings(auth: Auth) -> Iterable[Finding]:
    given = auth.model_dump(by_alias=True, exclude_none=True)
    for field in _NEEDED[auth.type]:
        if not given.get(field):
            yield Finding("INVALID_NODE_CONFIG", f"auth of type {auth.type} needs {field}", f"auth.{field}")
    if auth.header_name is not None:
        problem = requests.header_problem(auth.header_name, "")
        if problem:
            yield Finding("INVALID_NODE_CONFIG", problem, "auth.headerName")
    if auth.oauth2_url is not None and not contains_template(auth.oauth2_url):
        problem = requests.url_problem(auth.oauth2_url)
        if problem:
            yield Finding("INVALID_NODE_CONFIG", problem, "auth.oauth2Url")
