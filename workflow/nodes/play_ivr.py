"""PLAY_IVR: says a text or plays a recording in a call."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from workflow.errors import invalid
from workflow.fields import NodeConfig, TemplateMessage, WebAddress
from workflow.node_type import ERROR, SUCCESS, Category, Finding, NodeContext, NodeType
from workflow.outcome import Done
from workflow.unsupported import UNSUPPORTED, without_effect
from workflow.voice import NO_CALL, VOICE, CallState, Play, Say

LONGEST_TEXT = 4000
"""Some five minutes of speech."""


class Config(NodeConfig):
    """
    What is heard. One of text and audioUrl is needed.

    Attributes:
        text: Read out by the network.
        audio_url: Address of a recording, mp3 or wav, that Africa's Talking can fetch.
        language: Of the text.
        voice: Who reads it.
        loop: How often it is heard.
        timeout: Seconds; no effect: a recording is played to its end.
        interrupt_on_dtmf: Whether a key that is pressed meanwhile counts for the COLLECT_DTMF that follows directly and
            has no prompt of its own; the rest is not heard then.
        barge_in: The same.
        audio_format: No effect: what the address delivers counts, mp3 or wav.
        sample_rate: Hz; no effect: a recording is played as it is.
    """

    text: TemplateMessage | None = None
    audio_url: WebAddress | None = None
    language: Literal["en", "sw", "fr", "ar", "am", "rw", "so", "zu", "xh", "af"] = "en"
    voice: Literal["default", "male", "female", "child"] = "default"
    loop: Annotated[int, Field(ge=1, le=10)] = 1
    timeout: Annotated[int, Field(ge=1, le=300)] = 30
    interrupt_on_dtmf: bool = False
    barge_in: bool = False
    audio_format: Literal["mp3", "wav", "gsm"] = "mp3"
    sample_rate: int | None = None

    @property
    def interruptible(self) -> bool:
        """Whether a key ends it."""
        return self.interrupt_on_dtmf or self.barge_in


class Output(BaseModel):
    """`played` is false where the call was over already."""

    played: bool


class PlayIvr(NodeType[Config]):
    type = "PLAY_IVR"
    title = "Say or play"
    category = Category.ACTION
    description = "Says a text, or plays a recording, in a call."
    config = Config
    output = Output
    outputs = (SUCCESS, ERROR)
    timeout_ms = 30_000
    requires_session = True

    def shows(self, config: Config) -> bool:
        return True

    def speaks_on(self, config: Config) -> frozenset[str]:
        return frozenset({VOICE})

    def findings(self, config: Config) -> Iterable[Finding]:
        if (config.text is None) == (config.audio_url is None):
            yield Finding("INVALID_NODE_CONFIG", "one of text and audioUrl is needed, and not both", "text")
        if config.voice == "child":
            why = "Africa's Talking has a man's and a woman's voice; hers reads the text"
            yield Finding(UNSUPPORTED, why, "voice", is_warning=True)
        if config.text is not None and config.language != "en":
            why = f"Africa's Talking reads each text as English: record what is said in {config.language}, set audioUrl"
            yield Finding(UNSUPPORTED, why, "language", is_warning=True)
        if config.audio_format != "mp3":
            why = "Africa's Talking plays mp3 and wav; what the address delivers counts, whatever stands here"
            yield Finding(UNSUPPORTED, why, "audioFormat", is_warning=True)
        instead = "Africa's Talking plays a recording as it is, and to its end"
        yield from without_effect(config, {"sample_rate": instead, "timeout": instead})

    async def run(self, config: Config, context: NodeContext) -> Done:
        if context.call is CallState.NONE:
            raise invalid("NO_CALL", NO_CALL)
        if context.call is CallState.OVER:
            return Done(output={"played": False})
        if config.audio_url is not None:
            heard: Say | Play = Play(config.audio_url, interruptible=config.interruptible)
        elif config.text and config.text.strip():
            if len(config.text) > LONGEST_TEXT:
                raise invalid("INVALID_MESSAGE", f"the text has {len(config.text)} characters, at most {LONGEST_TEXT}")
            heard = Say(config.text, config.voice, interruptible=config.interruptible)
        else:
            raise invalid("INVALID_MESSAGE", "the text is empty: there is nothing to say")
        return Done(output={"played": True}, actions=[heard] * config.loop)
