"""SEND_USSD_RESPONSE: shows a screen, and may ask for an answer."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from workflow.errors import invalid
from workflow.fields import NodeConfig, TemplateMessage, Text
from workflow.menu_options import chosen, options_in
from workflow.node_type import ERROR, SUCCESS, Category, Finding, NodeContext, NodeType, Resumption
from workflow.outcome import Done, Outcome, Wait, WaitKind
from workflow.screens import cut, wrapped
from workflow.sealing import SEALED
from workflow.session import USSD

SESSION_GRACE_SECONDS = 60
"""The session outlives the wait of a screen by so much, so that an answer at the last moment still finds it."""


class MenuItem(NodeConfig):
    """
    One line of a menu: what to type, and what it means.

    Attributes:
        option: What is typed to choose it.
        text: What the line says.
    """

    option: Annotated[Text, Field(min_length=1, max_length=16)]
    text: TemplateMessage


class Pagination(NodeConfig):
    """
    How a long list is cut into screens.

    Attributes:
        enabled: Whether it is cut.
        items_per_page: Menu items, or lines of the message where there are no items; fewer where a phone has no room.
        next_key: What is typed for the next screen.
        prev_key: What is typed for the screen before.
    """

    enabled: bool = False
    items_per_page: Annotated[int, Field(ge=1, le=10)] = 5
    next_key: Annotated[str, Field(min_length=1, max_length=16)] = "99"
    prev_key: Annotated[str, Field(min_length=1, max_length=16)] = "98"


class Config(NodeConfig):
    r"""
    Attributes:
        message: The text of the screen; a written \n is a new line.
        expect_input: Whether the screen asks for an answer.
        menu_type: text: any answer goes; menu: the items stand below the message; input: an empty answer asks again.
        menu_items: Lines below the message, where menuType is menu.
        session_timeout: How long the person has to answer, seconds.
        auto_end_session: Whether the session ends with this screen.
        sensitive: Whether the answer is a secret, such as a PIN: stored encrypted, masked in logs.
    """

    message: TemplateMessage
    expect_input: bool = False
    menu_type: Literal["text", "menu", "input"] = "text"
    menu_items: list[MenuItem] = Field(default_factory=list)
    pagination: Pagination = Pagination()
    session_timeout: Annotated[int, Field(ge=10, le=300)] = 60
    auto_end_session: bool = False
    sensitive: bool = False


class Output(BaseModel):
    """
    `message` is the screen as shown last; `input` is the answer where one was asked for, masked in logs
    where it is a secret.
    """

    sessionId: str
    message: str
    input: str | None = None


class SendUssdResponse(NodeType[Config]):
    type = "SEND_USSD_RESPONSE"
    title = "USSD screen"
    category = Category.ACTION
    description = "Shows a USSD screen and may wait for the answer."
    config = Config
    output = Output
    outputs = (SUCCESS, ERROR)
    timeout_ms = 10_000
    requires_session = True

    def waits(self, config: Config) -> bool:
        return config.expect_input

    def shows(self, config: Config) -> bool:
        return True

    def speaks_on(self, config: Config) -> frozenset[str]:
        return frozenset({USSD})

    def screens(self, config: Config) -> Sequence[str]:
        return _pages(config)

    def offered_entries(self, config: Config) -> Sequence[str]:
        if config.menu_items:
            return [item.option for item in config.menu_items]
        return options_in(config.message)

    def meant(self, config: Config, typed: str) -> str:
        pagination = config.pagination
        keys = [pagination.next_key, pagination.prev_key] if pagination.enabled else []
        return chosen(typed, [*self.offered_entries(config), *keys])

    def ends_session(self, config: Config) -> bool:
        return config.auto_end_session

    def is_sensitive(self, config: Config) -> bool:
        return config.sensitive

    def findings(self, config: Config) -> Iterable[Finding]:
        asks = config.expect_input or config.pagination.enabled
        if config.auto_end_session and asks:
            yield Finding(
                "INVALID_NODE_CONFIG",
                "a screen that ends the session cannot wait for an answer: drop autoEndSession or expectInput",
                "autoEndSession",
            )
        if not config.message.strip() and not config.menu_items:
            yield Finding("INVALID_NODE_CONFIG", "the screen is blank: write what the person is to read", "message")
        if config.menu_type == "menu" and not config.menu_items:
            yield Finding("INVALID_NODE_CONFIG", "a menu needs at least one entry in menuItems", "menuItems")
        if config.menu_type != "menu" and config.menu_items:
            yield Finding("INVALID_NODE_CONFIG", "menuItems are shown only where menuType is menu", "menuItems")
        if config.menu_type != "text" and not config.expect_input:
            yield Finding(
                "SCREEN_WITHOUT_INPUT",
                f"a screen of menuType {config.menu_type} waits for no answer here: set expectInput to true",
                "expectInput",
                is_warning=True,
            )
        if config.sensitive and not config.expect_input:
            yield Finding(
                "INVALID_NODE_CONFIG",
                "sensitive is about the answer, and this screen waits for none: set expectInput or drop sensitive",
                "sensitive",
            )
        yield from _key_findings(config)

    async def run(self, config: Config, context: NodeContext) -> Outcome:
        if config.sensitive:
            # Fails before the secret is asked for where it could not be kept.
            context.ports.cipher.seal("")
        pages = _pages(config)
        if not any(page.strip() for page in pages):
            raise invalid("INVALID_MESSAGE", "the screen is blank: the person would see nothing")
        return _screen(config, context, pages, 0)

    async def resume(self, config: Config, context: NodeContext, resumption: Resumption) -> Outcome:
        # The pages are those that were shown; what their texts name may have changed since.
        pages, page = list(resumption.memory["pages"]), int(resumption.memory["page"])
        typed = resumption.input or ""
        if len(pages) > 1:
            if typed == config.pagination.next_key and page + 1 < len(pages):
                return _screen(config, context, pages, page + 1)
            if typed == config.pagination.prev_key and page > 0:
                return _screen(config, context, pages, page - 1)
        if config.menu_type == "input" and not typed.strip():
            return _screen(config, context, pages, page)
        kept = {SEALED: context.ports.cipher.seal(typed)} if config.sensitive else typed
        return Done(output={**_output(context, pages[page]), "input": kept})


def _screen(config: Config, context: NodeContext, pages: Sequence[str], page: int) -> Outcome:
    session = context.session
    assert session is not None
    text = pages[page]
    if config.expect_input or page + 1 < len(pages):
        session.live_for(config.session_timeout + SESSION_GRACE_SECONDS)
        return Wait(WaitKind.INPUT, config.session_timeout * 1000, {"page": page, "pages": list(pages)}, text)
    if config.auto_end_session:
        session.end()
    return Done(output=_output(context, text), text=text)


def _output(context: NodeContext, text: str) -> dict[str, Any]:
    assert context.session is not None
    return {"sessionId": context.session.session_id, "message": text}


def _pages(config: Config) -> Sequence[str]:
    """The screens of this node; one where nothing is paginated or all fits."""
    items = [f"{item.option}. {item.text}" for item in config.menu_items]
    pagination = config.pagination
    if not pagination.enabled:
        return ["\n".join([config.message, *items] if config.message or not items else items)]
    next_line, back_line = f"{pagination.next_key}. Next", f"{pagination.prev_key}. Back"

    def keys(has_previous: bool, has_next: bool) -> Sequence[str]:
        # The last page of a screen that expects no input waits for none, so it offers none.
        back = [back_line] if has_previous and (has_next or config.expect_input) else []
        return [next_line, *back] if has_next else back

    if items:
        return cut([config.message] if config.message else [], items, pagination.items_per_page, keys)
    return cut([], list(wrapped(config.message, [next_line, back_line])), pagination.items_per_page, keys)


def _key_findings(config: Config) -> Iterable[Finding]:
    seen: set[str] = set()
    if config.pagination.enabled:
        seen = {config.pagination.next_key, config.pagination.prev_key}
        if len(seen) == 1:
            yield Finding("INVALID_NODE_CONFIG", "nextKey and prevKey must differ", "pagination.prevKey")
    for index, item in enumerate(config.menu_items):
        if item.option in seen:
            yield Finding(
                "INVALID_NODE_CONFIG",
                f"option {item.option!r} is taken by another item or a page key",
                f"menuItems[{index}].option",
            )
        seen.add(item.option)
