"""HTTP_REQUEST: what is asked, what comes of the answer, and what is refused before anything is sent."""

from typing import Any

import pytest

from tests.engine.core.flow_dicts import document, program_of
from tests.workflow.stage import Findings, Stage, done
from workflow.errors import ErrorType, NodeFailure
from workflow.fields import config_secrets
from workflow.nodes.http_request import HttpRequestNode
from workflow.ports import ClientCredentials, Credentials, HttpAnswer, HttpRequest

HTTP = HttpRequestNode()
URL = "https://api.example.com/orders?page=2"


async def asked(stage: Stage, **config: Any) -> HttpRequest:
    await stage.run(HTTP, {"url": URL, **config})
    return stage.web.asked[-1]


async def failure(stage: Stage, **config: Any) -> NodeFailure:
    with pytest.raises(NodeFailure) as caught:
        await stage.run(HTTP, {"url": URL, **config})
    return caught.value


def answer(
    body: bytes, content_type: str = "application/json", status: int = 200, charset: str = "utf-8"
) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": content_type}, body, charset, None)


@pytest.mark.parametrize(
    ("body_type", "body", "sent", "content_type"),
    [
        ("json", {"name": "Ada", "kilos": 70}, b'{"name":"Ada","kilos":70}', "application/json"),
        ("json", [1, None], b"[1,null]", "application/json"),
        ("json", '{"a": 1}', b'{"a": 1}', "application/json"),
        ("json", 7, b"7", "application/json"),
        ("form", {"a": "x y", "b": [1, 2], "c": None}, b"a=x+y&b=1&b=2", "application/x-www-form-urlencoded"),
        ("form", "a=1", b"a=1", "application/x-www-form-urlencoded"),
        ("raw", "hello", b"hello", "text/plain; charset=utf-8"),
        ("raw", 70, b"70", "text/plain; charset=utf-8"),
        ("xml", "<a>é</a>", "<a>é</a>".encode(), "application/xml; charset=utf-8"),
    ],
)
async def test_a_body_is_written_as_its_type_says(
    stage: Stage, body_type: str, body: Any, sent: bytes, content_type: str
) -> None:
    request = await asked(stage, method="POST", body=body, bodyType=body_type)
    assert (request.body, request.headers["Content-Type"]) == (sent, content_type)


async def test_a_content_type_of_the_author_stays(stage: Stage) -> None:
    request = await asked(stage, method="POST", body={}, headers={"content-type": "application/vnd.api+json"})
    assert request.headers == {"content-type": "application/vnd.api+json", "Idempotency-Key": "exec-1:n:2"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"bodyType": "json", "body": '{"name": "Ada "Lovelace""}'}, "write it as a JSON value"),
        ({"bodyType": "form", "body": [1]}, "is an object"),
        ({"bodyType": "form", "body": {"a": {"b": 1}}}, "'a' of the form is an object"),
        ({"bodyType": "raw", "body": {"a": 1}}, "set bodyType to json"),
        ({"bodyType": "raw", "body": "x" * (1024 * 1024 + 1)}, "at most 1048576"),
        ({"bodyType": "raw", "body": "\ud800"}, "surrogate"),
    ],
)
async def test_a_body_that_does_not_fit_its_type_is_refused(stage: Stage, config: Any, message: str) -> None:
    problem = await failure(stage, method="POST", **config)
    assert (problem.error.code, problem.error.type) == ("INVALID_BODY", ErrorType.VALIDATION)
    assert message in problem.error.message
    assert stage.web.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "", "api.example.com", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///path", "//example.com",
        "https://a b.example.com/", "https://example.com/\r\nX: y", "https://example.com:99999/", "https://[::1/",
        "https://user:secret@example.com/", "http://example.com:0/", "https://example.com\\@evil.example/",
        "https://example.com/" + "x" * 9000,
    ],
)  # fmt: skip
async def test_a_url_that_a_template_made_unusable_is_refused_without_being_quoted(stage: Stage, url: str) -> None:
    problem = await failure(stage, url=url)
    assert (problem.error.code, problem.error.type) == ("INVALID_URL", ErrorType.VALIDATION)
    assert "secret" not in problem.error.message
    assert stage.web.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Name": "Ada\r\nX-Admin: true"},
        {"X-Name": "a\nb"},
        {"X-Name": "a\x00b"},
        {"X Name": "a"},
        {"X-Name\r\nX-Admin": "a"},
        {"": "a"},
        {"Host": "other.example"},
        {"content-length": 5},
        {"Transfer-Encoding": "chunked"},
        {"X-List": ["a"]},
        {"X-Long": "x" * 40_000},
    ],
)
async def test_a_header_that_could_change_the_request_is_refused(stage: Stage, headers: Any) -> None:
    assert (await failure(stage, headers=headers)).error.code == "INVALID_HEADER"
    assert stage.web.asked == []


async def test_headers_become_text_and_those_of_null_are_left_out(stage: Stage) -> None:
    request = await asked(stage, headers={"X-Count": 3, "X-Flag": True, "X-None": None, "X-Text": " a "})
    assert request.headers == {"X-Count": "3", "X-Flag": "true", "X-Text": "a"}


@pytest.mark.parametrize(
    ("auth", "credentials"),
    [
        ({"type": "none"}, Credentials()),
        (
            {"type": "basic", "username": "ada", "password": "pässword"},
            Credentials({"Authorization": "Basic YWRhOnDDpHNzd29yZA=="}, ("YWRhOnDDpHNzd29yZA==", "pässword")),
        ),
        ({"type": "bearer", "token": "t0ken"}, Credentials({"Authorization": "Bearer t0ken"}, ("t0ken",))),
        ({"type": "apikey", "token": "t0ken"}, Credentials({"X-API-Key": "t0ken"}, ("t0ken",))),
        ({"type": "apikey", "token": "t", "headerName": "X-K"}, Credentials({"X-K": "t"}, ("t",))),
        (
            {
                "type": "oauth2",
                "oauth2Url": "https://id.example.com/token",
                "oauth2ClientId": "njia",
                "oauth2ClientSecret": "hush",
            },
            ClientCredentials("https://id.example.com/token", "njia", "hush"),
        ),
    ],
)
async def test_credentials_are_written_as_their_type_says(stage: Stage, auth: Any, credentials: Any) -> None:
    assert (await asked(stage, auth=auth)).credentials == credentials


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer", "token": ""},
        {"type": "bearer", "token": "a\r\nX-Admin: true"},
        {"type": "basic", "username": "a:b", "password": "hush"},
        {"type": "apikey", "token": "a\nb"},
    ],
)
async def test_credentials_that_cannot_be_sent_are_refused_without_being_quoted(stage: Stage, auth: Any) -> None:
    problem = await failure(stage, auth=auth)
    assert problem.error.code == "INVALID_CREDENTIALS"
    assert "hush" not in problem.error.message
    assert "Admin" not in problem.error.message


def test_headers_that_sign_in_are_secrets_and_the_others_are_not() -> None:
    secret = {
        "Authorization": "Bearer t0",
        "x-api-key": "k",
        "X-Vault-Token": "{{session.data.token}}",
        "COOKIE": "a=b",
    }
    plain = {
        "Idempotency-Key": "1",
        "X-Shop": "2",
        "Accept": "text/plain",
        "X-Authorized-By": "Asha",
        "X-Token-Type": "x",
    }
    assert config_secrets(HTTP.config, {"url": URL, "headers": {**secret, **plain}}) == {
        ("headers", name): value for name, value in secret.items()
    }


async def test_secrets_do_not_stand_in_how_a_request_is_shown(stage: Stage) -> None:
    request = await asked(stage, auth={"type": "basic", "username": "ada", "password": "hush-hush"})
    assert "hush" not in repr(request)
    assert "YWRh" not in repr(request)


@pytest.mark.parametrize(
    ("given", "body"),
    [
        (answer(b'{"a": [1, "x"]}'), {"a": [1, "x"]}),
        (answer(b"\xef\xbb\xbf[1]", "application/problem+json; charset=utf-8"), [1]),
        (answer(b"<a/>", "text/html"), "<a/>"),
        (answer("é".encode("latin-1"), "text/plain", charset="latin-1"), "é"),
        (answer(b"\xff", "text/plain"), "\ufffd"),
        (answer(b"a", "text/plain", charset="nonsense"), "a"),
        (answer(b""), None),
    ],
)
async def test_an_answer_becomes_a_value_or_text(stage: Stage, given: HttpAnswer, body: Any) -> None:
    stage.web.answer = given
    outcome = done(await stage.run(HTTP, {"url": URL}))
    assert outcome.output == {"statusCode": 200, "headers": dict(given.headers), "body": body}


async def test_an_answer_stays_text_where_it_is_not_to_be_parsed(stage: Stage) -> None:
    stage.web.answer = answer(b"[1]")
    assert done(await stage.run(HTTP, {"url": URL, "parseResponse": False})).output["body"] == "[1]"


@pytest.mark.parametrize(
    "body", [b'{"a": ', b'{"a": 1, "a": 2}', b"[" * 100 + b"]" * 100, b'{"a": 99999999999999999999}']
)
async def test_an_answer_that_says_it_is_json_and_is_not_fails(stage: Stage, body: bytes) -> None:
    stage.web.answer = answer(body)
    problem = await failure(stage)
    assert problem.error.code == "RESPONSE_NOT_JSON"
    assert problem.error.details == {"statusCode": 200, "body": body.decode()}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (301, "3XX", ErrorType.PERMANENT),
        (404, "4XX", ErrorType.PERMANENT),
        (429, "RATE_LIMIT", ErrorType.RATE_LIMIT),
        (503, "5XX", ErrorType.TRANSIENT),
    ],
)
async def test_any_other_status_is_a_failure_with_what_was_answered(
    stage: Stage, status: int, code: str, kind: ErrorType
) -> None:
    stage.web.answer = answer(b'{"why": "no"}', status=status)
    problem = await failure(stage)
    assert (problem.error.code, problem.error.type) == (code, kind)
    assert problem.error.details == {"statusCode": status, "body": {"why": "no"}}
    assert problem.error.message == f"GET to api.example.com was answered {status}"


async def test_the_log_keeps_the_beginning_of_a_long_refusal(stage: Stage) -> None:
    stage.web.answer = answer(b"x" * 100_000, "text/plain", status=500)
    assert (await failure(stage)).error.details["body"] == "x" * 8192


async def test_a_redirect_is_a_success_where_it_is_not_to_be_followed(stage: Stage) -> None:
    stage.web.answer = HttpAnswer(302, {"location": "/x"}, b"", "utf-8", None)
    outcome = done(await stage.run(HTTP, {"url": URL, "followRedirects": False}))
    assert outcome.output["statusCode"] == 302
    assert stage.web.asked[-1].max_redirects is None


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"url": "nowhere"}, "url"),
        ({"auth": {"type": "basic", "username": "a"}}, "auth.password"),
        (
            {"auth": {"type": "oauth2", "oauth2Url": "x", "oauth2ClientId": "a", "oauth2ClientSecret": "b"}},
            "auth.oauth2Url",
        ),
        ({"auth": {"type": "apikey", "token": "a", "headerName": "a b"}}, "auth.headerName"),
        ({"headers": {"Host": "a"}}, "headers.Host"),
        ({"method": "POST", "body": "{nonsense"}, "body"),
    ],
)
def test_the_validator_finds_what_can_be_known_before(findings: Findings, config: Any, field: str) -> None:
    assert ("INVALID_NODE_CONFIG", field) in findings(HTTP, {"url": URL, **config})


@pytest.mark.parametrize(
    ("body", "warned"),
    [
        ('{"name": "{{name}}"}', True),
        ('{"name": {{name | json}}, "b": {{b}}}', True),
        ('{"name": {{name | upper | json }}, "b": {{b|json}}}', False),
        ("{{order}}", False),
        ({"name": "{{name}}"}, False),
    ],
)
def test_a_text_of_json_that_a_value_could_break_is_warned_of(findings: Findings, body: Any, warned: bool) -> None:
    found = findings(HTTP, {"url": URL, "method": "POST", "body": body})
    assert found == ([("UNSAFE_JSON_BODY", "body")] if warned else [])


@pytest.mark.parametrize(("top", "expected"), [({}, 60_000), ({"timeout": 5000}, 5000)])
def test_the_timeout_of_the_config_holds_unless_the_node_has_its_own(top: Any, expected: int) -> None:
    ask = {"type": "HTTP_REQUEST", "config": {"url": URL, "timeout": 60_000}, **top}
    graph = program_of(document("sms", {"ask": ask}, ["start > ask"])).graph
    assert graph.nodes["ask"].timeout_ms == expected


def test_the_validator_leaves_templates_alone(findings: Findings) -> None:
    config = {"url": "{{url}}", "headers": {"X-A": "{{a}}"}, "body": '{"a": {{a | json}}}', "method": "POST"}
    assert findings(HTTP, config) == []
