"""COLLECT_DTMF: asks for keys in a call."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field

from workflow.errors import NodeFailure, invalid, permanent
from workflow.fields import NodeConfig, TemplateMessage, WebAddress
from workflow.node_type import ERROR, SUCCESS, TIMEOUT, Category, Finding, NodeContext, NodeType, Resumption
from workflow.outcome import Done, Outcome, Wait, WaitKind
from workflow.sealing import SEALED
from workflow.unsupported import without_effect
from workflow.voice import DOCUMENT_SECONDS, MAX_DIGITS, NO_CALL, VOICE, CallState, GetDigits, Play, Say

KEYS = r"^[0-9*#]{1,12}$"
KEY = r"^[0-9*#]$"


class Config(NodeConfig):
    """
    Attributes:
        max_digits: The row ends with so many keys.
        min_digits: A shorter row is invalid. Default 1.
        timeout: How long nothing may be pressed, seconds; then the edge `timeout` is taken.
        finish_on_key: The key that ends the row and is no part of it.
        play_prompt: Said first; a key that is pressed meanwhile counts.
        play_prompt_url: Played first, instead.
        invalid_key_tone: No effect: Africa's Talking has no such tone; invalidKeyMessage is said.
        valid_keys: The keys that a row may have; any where it is left out.
        invalid_key_message: Said before keys are asked for again.
        retry_on_invalid: Whether an invalid row is asked for again.
        max_retries: How often.
        sensitive: Whether the keys are a secret, such as a PIN: stored encrypted, masked in logs.
    """

    max_digits: Annotated[int, Field(ge=1, le=MAX_DIGITS)] = 10
    min_digits: Annotated[int, Field(ge=1, le=MAX_DIGITS)] | None = None
    timeout: Annotated[int, Field(ge=1, le=60)] = 10
    finish_on_key: Annotated[str, Field(pattern=KEY)] | None = None
    play_prompt: TemplateMessage | None = None
    play_prompt_url: WebAddress | None = None
    invalid_key_tone: bool = True
    valid_keys: Annotated[str, Field(pattern=KEYS)] | None = None
    invalid_key_message: str | None = None
    retry_on_invalid: bool = True
    max_retries: Annotated[int, Field(ge=0, le=5)] = 3
    sensitive: bool = False


class Output(BaseModel):
    """The keys in their order, masked in logs where they are a secret, and how many they are."""

    digits: str
    length: int


class CollectDtmf(NodeType[Config]):
    type = "COLLECT_DTMF"
    title = "Collect keys"
    category = Category.ACTION
    description = "Asks for keys in a call and waits for them."
    config = Config
    output = Output
    outputs = (SUCCESS, TIMEOUT, ERROR)
    timeout_ms = 60_000
    requires_session = True

    def waits(self, config: Config) -> bool:
        return True

    def shows(self, config: Config) -> bool:
        return True

    def speaks_on(self, config: Config) -> frozenset[str]:
        return frozenset({VOICE})

    def is_sensitive(self, config: Config) -> bool:
        return config.sensitive

    def findings(self, config: Config) -> Iterable[Finding]:
        if config.min_digits is not None and config.min_digits > config.max_digits:
            yield Finding("INVALID_NODE_CONFIG", "minDigits is larger than maxDigits", "minDigits")
        if config.play_prompt is not None and config.play_prompt_url is not None:
            yield Finding("INVALID_NODE_CONFIG", "one of playPrompt and playPromptUrl, not both", "playPromptUrl")
        if config.finish_on_key is not None and config.finish_on_key in (config.valid_keys or ""):
            why = f"{config.finish_on_key} ends the row, so it is never part of it: take it out of validKeys"
            yield Finding("INVALID_NODE_CONFIG", why, "validKeys")
        if config.invalid_key_tone:
            yield from without_effect(
                config, {"invalid_key_tone": "Africa's Talking has no such tone; invalidKeyMessage is said"}
            )

    async def run(self, config: Config, context: NodeContext) -> Outcome:
        if context.call is CallState.NONE:
            raise invalid("NO_CALL", NO_CALL)
        if context.call is CallState.OVER:
            raise NodeFailure(permanent("CALL_ENDED", "the call is over: nobody can press a key"))
        if config.sensitive:
            # Fails before the secret is asked for where it could not be kept.
            context.ports.cipher.seal("")
        return _asked(config, context, 0)

    async def resume(self, config: Config, context: NodeContext, resumption: Resumption) -> Outcome:
        digits, tries = (resumption.input or "").strip(), int(resumption.memory["tries"])
        fault = _fault(config, digits)
        if fault is None:
            kept: Any = {SEALED: context.ports.cipher.seal(digits)} if config.sensitive else digits
            return Done(output={"digits": kept, "length": len(digits)})
        if not config.retry_on_invalid or tries >= config.max_retries:
            raise invalid("INVALID_INPUT", f"{fault}, {tries + 1} times" if tries else fault)
        return _asked(config, context, tries + 1)


def _asked(config: Config, context: NodeContext, tries: int) -> Wait:
    assert context.session is not None
    waits_seconds = config.timeout + DOCUMENT_SECONDS
    context.session.live_for(waits_seconds + DOCUMENT_SECONDS)
    prompt: Say | Play | None = None
    if config.play_prompt_url is not None:
        prompt = Play(config.play_prompt_url)
    elif config.play_prompt:
        prompt = Say(config.play_prompt)
    asked = GetDigits(config.max_digits, config.timeout, config.finish_on_key or "", prompt)
    again = [Say(config.invalid_key_message)] if tries and config.invalid_key_message else []
    return Wait(WaitKind.INPUT, waits_seconds * 1000, {"tries": tries}, actions=[*again, asked])


def _fault(config: Config, digits: str) -> str | None:
    """What is wrong with a row of keys; the row itself may be a secret."""
    if len(digits) < (config.min_digits or 1):
        return f"{len(digits)} keys were pressed, at least {config.min_digits or 1} are needed"
    if len(digits) > config.max_digits:
        return f"{len(digits)} keys were pressed, at most {config.max_digits} are taken"
    if config.valid_keys is not None and not set(digits) <= set(config.valid_keys):
        return f"a key was pressed that is not one of {config.valid_keys}"
    return None
