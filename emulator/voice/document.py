"""Reads what the platform wants done in a call: an XML document of actions, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from emulator.callbacks import CallbackAnswer

DEFAULT_DIGITS_SECONDS = 30.0
DEFAULT_SILENCE_SECONDS = 3600.0
MAX_ACTIONS = 200


class BadDocument(Exception):
    """The answer is no document that a call could go on with. The message says why."""


@dataclass(frozen=True, slots=True)
class Heard:
    """
    What the person hears.

    Attributes:
        kind: say or play.
        text: The text, or the address of the recording.
        voice: Who reads a text.
    """

    kind: str
    text: str
    voice: str = ""


@dataclass(frozen=True, slots=True)
class GetDigits:
    """Waits for keys; None and empty texts mean that the document does not say."""

    prompt: Heard | None
    num_digits: int | None
    timeout_seconds: float
    finish_on_key: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class Record:
    """Records what the person says, until a key, silence or the longest time; one without attributes until the end."""

    prompt: Heard | None
    finish_on_key: str
    timeout_seconds: float
    callback_url: str
    until_hangup: bool


@dataclass(frozen=True, slots=True)
class Dial:
    """Joins the call to another phone; nothing behind it is done."""

    numbers: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another address says what is done next, and goes on being asked."""

    url: str


@dataclass(frozen=True, slots=True)
class Reject:
    """The call is not taken."""


Action = Heard | GetDigits | Record | Dial | Redirect | Reject


def read_document(answer: CallbackAnswer) -> Sequence[Action]:
    """Returns the actions of an answer. Raises BadDocument."""
    if not 200 <= answer.status < 300:
        raise BadDocument(f"HTTP {answer.status}")
    # The platform is trusted as little as the original would trust it; entities are not declared in such a document.
    if b"<!" in answer.body:
        raise BadDocument("a document has no declarations")
    try:
        root = ET.fromstring(answer.body)  # noqa: S314 (declarations were refused above)
    except ET.ParseError as error:
        raise BadDocument(f"no XML: {error}") from error
    if root.tag != "Response":
        raise BadDocument(f"the root is {root.tag}, not Response")
    actions = [_action(element) for element in root]
    if len(actions) > MAX_ACTIONS:
        raise BadDocument(f"more than {MAX_ACTIONS} actions")
    if len(actions) > 1 and any(isinstance(action, Reject) for action in actions):
        raise BadDocument("Reject must be the only action")
    return actions


def _action(element: ET.Element) -> Action:
    given = element.attrib
    match element.tag:
        case "Say" | "Play":
            return _heard(element)
        case "GetDigits":
            digits = given.get("numDigits", "")
            return GetDigits(
                _prompt(element),
                int(digits) if digits.isdecimal() else None,
                _seconds(given.get("timeout", ""), DEFAULT_DIGITS_SECONDS),
                given.get("finishOnKey", ""),
                given.get("callbackUrl", ""),
            )
        case "Record":
            return Record(
                _prompt(element),
                given.get("finishOnKey", ""),
                _seconds(given.get("maxLength", given.get("timeout", "")), DEFAULT_SILENCE_SECONDS),
                given.get("callbackUrl", ""),
                until_hangup=not given and not len(element),
            )
        case "Dial":
            if not given.get("phoneNumbers"):
                raise BadDocument("Dial needs phoneNumbers")
            return Dial(given["phoneNumbers"])
        case "Redirect":
            return Redirect((element.text or "").strip())
        case "Reject":
            return Reject()
    raise BadDocument(f"the emulator does not know the action {element.tag}")


def _prompt(element: ET.Element) -> Heard | None:
    children = list(element)
    if len(children) > 1:
        raise BadDocument(f"{element.tag} has one Say or Play at the most")
    return _heard(children[0]) if children else None


def _heard(element: ET.Element) -> Heard:
    if element.tag == "Say":
        return Heard("say", "".join(element.itertext()), element.attrib.get("voice", ""))
    if element.tag != "Play" or not element.attrib.get("url"):
        raise BadDocument(f"{element.tag} cannot be heard: Say, or Play with a url")
    return Heard("play", element.attrib["url"])


def _seconds(text: str, default: float) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return default
