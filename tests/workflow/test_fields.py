"""Templates and expressions in configs: where they stand, and what may stand in their place."""

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from workflow.fields import (
    COMPILING,
    TEMPLATED,
    ExpressionText,
    NodeConfig,
    Role,
    Secret,
    SecretText,
    TemplateData,
    TemplateMessage,
    TemplateText,
    WebAddress,
    config_secrets,
    config_texts,
)


class Item(NodeConfig):
    text: TemplateMessage


class Sample(NodeConfig):
    count: Annotated[int, Field(ge=1), TEMPLATED, Role.VALUE] = 1
    title: TemplateText | None = None
    items: list[Item] = Field(default_factory=list)
    labels: dict[str, TemplateText] = Field(default_factory=dict)
    data: TemplateData = Field(default_factory=dict)
    check: ExpressionText | None = None
    address: WebAddress | None = None
    plain: str = ""


def test_a_template_may_stand_in_for_another_type_while_a_flow_is_compiled() -> None:
    config = Sample.model_validate({"count": "{{n}}"}, context=COMPILING)
    assert config.model_dump(mode="json", by_alias=True, warnings=False)["count"] == "{{n}}"


def test_a_rendered_value_is_checked_against_type_and_range() -> None:
    assert Sample.model_validate({"count": 3}).count == 3
    for value in ("{{n}}", "3", 0, 1.5):
        with pytest.raises(ValidationError):
            Sample.model_validate({"count": value})


@pytest.mark.parametrize("value", ["three", ["{{n}}"], {"a": "{{n}}"}, 0, None])
def test_only_a_template_gets_around_the_type(value: Any) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({"count": value}, context=COMPILING)


def test_numbers_count_as_text_where_text_is_wanted() -> None:
    assert Sample.model_validate({"title": 5}).title == "5"
    with pytest.raises(ValidationError):
        Sample.model_validate({"title": True})


def test_every_template_and_expression_is_found_with_its_place() -> None:
    document = {
        "count": "{{n}}",
        "title": "{{t}}",
        "items": [{"text": "plain"}, {"text": "{{i}}"}],
        "labels": {"a b": "{{l}}", "c": "plain"},
        "data": {"x": ["{{d}}", 5], "y": "plain"},
        "check": "a > 1",
        "plain": "{{not a template field}}",
    }
    found = [(text.path, text.role, text.text) for text in config_texts(Sample, document)]
    assert found == [
        (("count",), Role.VALUE, "{{n}}"),
        (("title",), Role.TEXT, "{{t}}"),
        (("items", 0, "text"), Role.MESSAGE, "plain"),
        (("items", 1, "text"), Role.MESSAGE, "{{i}}"),
        (("labels", "a b"), Role.TEXT, "{{l}}"),
        (("data", "x", 0), Role.VALUE, "{{d}}"),
        (("check",), Role.EXPRESSION, "a > 1"),
    ]


@pytest.mark.parametrize(
    "document",
    [{"items": 5}, {"items": [5]}, {"items": {"text": "{{x}}"}}, {"labels": []}, {"title": {}}, {"check": 5}],
)
def test_texts_of_a_faulty_config_are_looked_for_all_the_same(document: dict[str, Any]) -> None:
    assert list(config_texts(Sample, document)) == []


@pytest.mark.parametrize("address", ["https://example.com/x?y=1", "http://127.0.0.1:8090/"])
def test_a_web_address_stays_as_it_was_written(address: str) -> None:
    assert Sample.model_validate({"address": address}).address == address


@pytest.mark.parametrize("address", ["ftp://example.com", "example.com", "javascript:alert(1)", ""])
def test_what_is_no_web_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="must be an address that starts with"):
        Sample.model_validate({"address": address})


class Login(NodeConfig):
    user: str
    password: SecretText | None = None


class Guarded(NodeConfig):
    token: SecretText | None = None
    logins: list[Login] = Field(default_factory=list)
    headers: Annotated[dict[str, TemplateText], Secret()] = Field(default_factory=dict)
    values: Annotated[TemplateData, Secret(str.isupper)] = Field(default_factory=dict)


def test_secrets_are_found_wherever_a_config_holds_them() -> None:
    config = {
        "token": "Bearer {{session.data.token}}",
        "logins": [{"user": "ann", "password": 1234}, {"user": "bob", "password": ""}],
        "headers": {"X-Key": "k1"},
        "values": {"PIN": "0042", "name": "Asha", "GONE": None},
    }
    assert config_secrets(Guarded, config) == {
        ("token",): "Bearer {{session.data.token}}",
        ("logins", 0, "password"): 1234,
        ("headers", "X-Key"): "k1",
        ("values", "PIN"): "0042",
    }
    assert config_secrets(Guarded, {"values": "{{session.data.values}}"}) == {}


def test_a_secret_may_hold_templates() -> None:
    assert [text.path for text in config_texts(Guarded, {"token": "{{a}}", "headers": {"b": "{{b}}"}})] == [
        ("token",),
        ("headers", "b"),
    ]


def test_a_schema_tells_a_canvas_to_hide_a_secret() -> None:
    properties = Guarded.model_json_schema(by_alias=True)["properties"]
    assert properties["token"]["anyOf"][0] == {"type": "string", "format": "password", "writeOnly": True}
    assert properties["headers"]["writeOnly"] is True
    assert "writeOnly" not in properties["values"]
    assert "writeOnly" not in Sample.model_json_schema(by_alias=True)["properties"]["title"]
