"""
What is done next in a call, as Africa's Talking reads it: an XML document (https://developers.africastalking.com/docs/voice/actions).

Their own builders do not escape texts. Here & < > " are, and what XML 1.0 cannot hold (control characters, halves of
surrogate pairs, U+FFFE and U+FFFF) is left out: nobody can hear it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from njia.engine.v1.voice_pb2 import GetDigitsAction, PlayAction, SayAction, VoiceAction

ANSWERS, NOTHING, CHECK = "answers", "nothing", "check"
"""
How our own addresses carry on which answer a callback comes, in place of the number that callbacks lack: keys were
pressed, none was, or the answer is asked for again.
"""

_VOICES: Mapping[str, str] = {"male": "man", "female": "woman", "child": "woman"}
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class VoiceAddress:
    """Where Africa's Talking reaches this callback, without a query."""

    def __init__(self, url: str) -> None:
        self._url = url

    def of(self, what: str, turn: str) -> str:
        """Returns the address that says what comes of the answer to a turn."""
        return f"{self._url}?{urlencode({what: turn})}"


def document(actions: Sequence[VoiceAction], turn: str, address: VoiceAddress) -> str:
    """
    Returns the document of one answer; one without actions ends the call.

    Where keys are waited for, what comes of it leads back here: with the keys, or, since no key makes Africa's Talking
    go on with the next element and tell nobody, by a redirect that stands behind.
    """
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(_elements(actions, turn, address))}</Response>'


def spoken(text: str) -> str:
    """Returns the document that says a text and ends the call."""
    return document([VoiceAction(say=SayAction(text=text))], "", VoiceAddress(""))


def _elements(actions: Sequence[VoiceAction], turn: str, address: VoiceAddress) -> Iterator[str]:
    pending = list(actions)
    while pending:
        action = pending.pop(0)
        match action.WhichOneof("action"):
            case "say" | "play":
                if _is_prompt_of(action, pending):
                    yield from _get_digits(pending.pop(0).get_digits, _prompt(action), turn, address)
                else:
                    yield _prompt(action)
            case "get_digits":
                asked = action.get_digits
                yield from _get_digits(asked, "".join(_prompts(asked)), turn, address)
            case "redirect":
                yield _element("Redirect", {}, _text(action.redirect.url))
            case "hold":
                yield _element("Redirect", {}, _text(address.of(CHECK, turn)))
            case "reject":
                yield "<Reject/>"


def _is_prompt_of(action: VoiceAction, behind: Sequence[VoiceAction]) -> bool:
    """Whether a key may be pressed while this is heard: then it must stand inside of what waits for the keys."""
    heard = action.say if action.WhichOneof("action") == "say" else action.play
    if not (heard.interruptible and behind and behind[0].WhichOneof("action") == "get_digits"):
        return False
    return not any(_prompts(behind[0].get_digits))


def _prompts(asked: GetDigitsAction) -> Iterator[str]:
    if asked.HasField("say"):
        yield _say(asked.say)
    if asked.HasField("play"):
        yield _play(asked.play)


def _prompt(action: VoiceAction) -> str:
    return _say(action.say) if action.WhichOneof("action") == "say" else _play(action.play)


def _get_digits(asked: GetDigitsAction, prompt: str, turn: str, address: VoiceAddress) -> Iterable[str]:
    attributes = {
        "numDigits": str(asked.max_digits),
        "timeout": str(asked.timeout_seconds),
        "finishOnKey": asked.finish_on_key,
        "callbackUrl": address.of(ANSWERS, turn),
    }
    yield _element("GetDigits", attributes, prompt)
    yield _element("Redirect", {}, _text(address.of(NOTHING, turn)))


def _say(say: SayAction) -> str:
    return _element("Say", {"voice": _VOICES.get(say.voice, "")}, _text(say.text))


def _play(play: PlayAction) -> str:
    return _element("Play", {"url": play.url}, "")


def _element(name: str, attributes: Mapping[str, str], content: str) -> str:
    written = "".join(f" {key}={quoteattr(_allowed(value))}" for key, value in attributes.items() if value)
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def _text(text: str) -> str:
    return escape(_allowed(text), {'"': "&quot;"})


def _allowed(text: str) -> str:
    return _FORBIDDEN.sub("", text)
