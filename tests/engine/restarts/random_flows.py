"""Random valid flows with what the outside does to them, for hypothesis."""

from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import strategies as st

from services.engine.triggers.redials import CONTINUE
from tests.engine.core.flow_dicts import ask, bye, condition, document, merge, node, say, sms, switch, write
from tests.engine.core.outside import HANGS, Answer, failing, lost, slow, unknown

TIMEOUT_MS = 4000
ENTRIES = ["0", "0", "1", "2", "x"]
PAUSES_SECONDS = [1, 20]
"""Shorter by far than a session lives, so that no restart changes which of both is over first."""

Cause = Literal["ussd", "sms", "call"]


@dataclass
class Story:
    """
    A flow, how the network answers each number, and what a person does.

    Attributes:
        begun_by: A phone that dials, an SMS, or a call of the API.
        first: What is dialled behind the code, entries joined by *; or the text of the message.
        entries: What is typed at later screens; the dialogue ends with them or with the session.
        think_seconds: How long the person takes for an entry.
        hangs_up_after: After how many entries the phone drops the session; None: never. Where the flow may be
            continued the person dials again, makes the choice and types the rest.
        choice: What the person types who is asked whether to go on.
        is_reported: Whether a delivery report comes for each message whose answer was lost for good.
    """

    flow: dict[str, Any]
    script: dict[str, list[Answer]]
    begun_by: Cause
    first: str
    entries: list[str] = field(default_factory=list)
    think_seconds: float = 0
    hangs_up_after: int | None = None
    choice: str = CONTINUE
    is_reported: bool = False


@dataclass
class _Canvas:
    """
    A flow while it is drawn.

    Attributes:
        ends: Sources of the edges to the next node, as `id:handle`.
        screens: Those on the main line.
        typed: Where the payload has what somebody typed.
        texts: What messages say.
    """

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: list[str] = field(default_factory=list)
    script: dict[str, list[Answer]] = field(default_factory=dict)
    ends: list[str] = field(default_factory=lambda: ["start"])
    screens: list[str] = field(default_factory=list)
    typed: str = "triggerPayload.text"
    texts: list[str] = field(default_factory=lambda: TEXTS)

    def name(self, kind: str) -> str:
        return f"{kind}{len(self.nodes)}"

    def put(self, kind: str, content: dict[str, Any], ends: list[str]) -> str:
        name = self.name(kind)
        self.nodes[name] = content
        self.edges += [f"{end} > {name}" for end in ends]
        return name


# What an SMS meets: each kind gives the same final outcome however often a lost attempt is repeated.
FATES: list[list[Answer]] = [
    [Answer()],
    [slow(1)],
    [slow(2.5)],
    [failing(), Answer()],
    [failing("RATE_LIMIT", "rate_limit", retry_after_ms=300), failing(), slow(0.7)],
    [failing()],
    [failing("REJECTED", "permanent", after=0.5)],
    [HANGS],
    [lost(), Answer()],
    [failing(), lost(), failing()],
    [unknown(), Answer()],
]
KNOWN_SOON = FATES[:-1]
"""Those of which no report is waited for: it comes behind a screen, and where that takes long a repetition is first."""

TEXTS: list[str] = [
    "hello",
    "{{triggerPayload.text}}",
    "{{message}}",
    "{{session.data.note | default('nothing')}}",
    "{{input}}",
]


def stories() -> st.SearchStrategy[Story]:
    """Any flow of menus, messages, pauses, branches, joins and ways back."""
    return st.one_of(dialogues(), dialogues(), background())


@st.composite
def dialogues(draw: st.DrawFn) -> Story:
    """
    What a phone user goes through.

    A loop asks for its side branches once more while a pause in them may still last, and then time decides how often
    they run. So a flow has ways back or pauses.
    """
    # Who checks again types more, so such a flow reads nothing of all that was typed so far.
    settings: dict[str, Any] = draw(st.sampled_from([{}, {}, {"ussd": {"whenBusy": "checkAgain"}}]))
    canvas = _Canvas(typed="input", texts=["hello", "{{input}}"]) if settings else _Canvas()
    # How long checking takes decides what a pause beside the main line still meets.
    aside = [] if settings else [[*DIALOGUE, _pause_aside]]
    pieces = draw(st.sampled_from([[*DIALOGUE, *LOOPS], *aside]))
    _screen(draw, canvas)
    _pieces(draw, canvas, pieces)
    last = draw(st.sampled_from([bye("Bye {{session.data.note | default('you')}}"), condition("1 == 1")]))
    canvas.put("last", last, canvas.ends)
    hangs_up_after = draw(st.none() | st.integers(0, 4))
    continues = hangs_up_after is not None and draw(st.booleans())
    return Story(
        _document("ussd", canvas, **settings, **({"resumeWithinMs": 300_000} if continues else {})),
        canvas.script,
        "ussd",
        "*".join(draw(st.lists(st.sampled_from(ENTRIES), max_size=2))),
        draw(st.lists(st.sampled_from(ENTRIES), min_size=3, max_size=9)),
        draw(st.sampled_from([0, 2, 30])),
        hangs_up_after,
        draw(st.sampled_from([CONTINUE, "2"])),
        draw(st.booleans()),
    )


@st.composite
def background(draw: st.DrawFn) -> Story:
    """What nobody watches."""
    canvas = _Canvas(typed="message")
    if draw(st.booleans()):
        # A session that lives as long as the flow may take.
        canvas.ends = [canvas.put("keep", node("SESSION_WRITE", data={"note": "first"}, ttl=86_400), canvas.ends)]
        _pieces(draw, canvas, [*BACKGROUND, _note])
    else:
        _pieces(draw, canvas, BACKGROUND)
    canvas.put("last", condition("1 == 1"), canvas.ends)
    begun_by: Cause = draw(st.sampled_from(["sms", "call"]))
    return Story(
        _document("sms", canvas),
        canvas.script,
        begun_by,
        draw(st.sampled_from(["1", "hello"])),
        is_reported=draw(st.booleans()),
    )


def _pieces(draw: st.DrawFn, canvas: _Canvas, pieces: list[Any]) -> None:
    for _ in range(draw(st.integers(2, 7))):
        draw(st.sampled_from(pieces))(draw, canvas)


def _document(kind: str, canvas: _Canvas, **settings: Any) -> dict[str, Any]:
    # Each number may take the longest time that it has, visit after visit.
    return document(kind, canvas.nodes, canvas.edges, settings={"maxExecutionTimeMs": 3_600_000, **settings})


def _sms(
    draw: st.DrawFn, canvas: _Canvas, texts: list[str] | None = None, fates: list[list[Answer]] = FATES
) -> dict[str, Any]:
    number = f"+2547110{len(canvas.nodes):05d}"
    canvas.script[number] = draw(st.sampled_from(fates))
    return sms(number, draw(st.sampled_from(texts or canvas.texts)), top={"timeout": TIMEOUT_MS})


def _message(draw: st.DrawFn, canvas: _Canvas) -> None:
    """An SMS; what becomes of it is caught, for a failure that ends the flow makes the order of others count."""
    name = canvas.put("sms", _sms(draw, canvas), canvas.ends)
    canvas.ends = [name, f"{name}:error"]


def _note(draw: st.DrawFn, canvas: _Canvas) -> None:
    name = canvas.put("keep", write(note=draw(st.sampled_from(["a", f"{{{{{canvas.typed}}}}}"]))), canvas.ends)
    canvas.ends = [name]


def _line(draw: st.DrawFn, canvas: _Canvas) -> None:
    canvas.ends = [canvas.put("line", say("Noted {{session.data.note | default('-')}}"), canvas.ends)]


def _screen(draw: st.DrawFn, canvas: _Canvas) -> None:
    name = canvas.name("ask")
    canvas.put(
        "ask", ask(f"{name}?", sessionTimeout=300, sensitive=draw(st.sampled_from([False, False, True]))), canvas.ends
    )
    canvas.screens.append(name)
    canvas.ends = [name]
    if draw(st.booleans()):
        gone = canvas.put("gone", _sms(draw, canvas, ["You were gone"]), [f"{name}:timeout"])
        canvas.put("log", condition("1 == 1"), [gone, f"{gone}:error"])


def _fork(draw: st.DrawFn, canvas: _Canvas) -> None:
    _branch(draw, canvas, [_message, _note, _screen, _line])


def _branch(draw: st.DrawFn, canvas: _Canvas, pieces: list[Any]) -> None:
    fork = canvas.put("if", condition(f"{{{{{canvas.typed}}}}} contains '1'"), canvas.ends)
    canvas.ends = [f"{fork}:true"]
    if draw(st.booleans()):
        draw(st.sampled_from(pieces))(draw, canvas)
    canvas.ends.append(f"{fork}:false")


def _silent_fork(draw: st.DrawFn, canvas: _Canvas) -> None:
    _branch(draw, canvas, [_message, _pause])


def _choice(draw: st.DrawFn, canvas: _Canvas) -> None:
    _screen(draw, canvas)
    choice = canvas.put("switch", switch("1", "2"), canvas.ends)
    ends = []
    for handle in ("1", "2", "default"):
        canvas.ends = [f"{choice}:{handle}"]
        if draw(st.booleans()):
            draw(st.sampled_from([_message, _note, _line, _screen]))(draw, canvas)
        ends += canvas.ends
    canvas.ends = ends


def _side_by_side(draw: st.DrawFn, canvas: _Canvas) -> None:
    """Branches of messages that a join waits for."""
    forked, arrivals = canvas.ends, []
    split = canvas.put("split", condition("1 == 1"), forked)
    for _ in range(draw(st.integers(2, 3))):
        canvas.ends = [f"{split}:true"]
        for _ in range(draw(st.integers(1, 2))):
            _message(draw, canvas)
        arrivals += canvas.ends
    canvas.ends = [canvas.put("merge", merge(draw(st.sampled_from(["all", "last", "merge"]))), arrivals)]


def _way_back(draw: st.DrawFn, canvas: _Canvas) -> None:
    """A screen that leads back to itself or to an earlier one."""
    _screen(draw, canvas)
    back = canvas.put("back", condition("{{input}} == '0'"), canvas.ends)
    # Only to screens on the main line: every way here passes them.
    canvas.edges.append(f"{back}:true > {draw(st.sampled_from(canvas.screens))}")
    canvas.ends = [f"{back}:false"]


def _tail(draw: st.DrawFn, canvas: _Canvas) -> None:
    """A message beside the main line that nothing waits for."""
    canvas.put("tail", _sms(draw, canvas), canvas.ends)
    tail = list(canvas.nodes)[-1]
    canvas.put("log", condition("1 == 1"), [tail, f"{tail}:error"])


def _tried_again(draw: st.DrawFn, canvas: _Canvas) -> None:
    """Messages whose failures nothing catches but that they are tried again together."""
    tries = node("RETRY", maxAttempts=draw(st.integers(1, 3)), initialDelayMs=draw(st.sampled_from([0, 3000])))
    head = canvas.put("retry", tries, canvas.ends)
    canvas.ends = [f"{head}:success"]
    for _ in range(draw(st.integers(1, 2))):
        canvas.ends = [canvas.put("sms", _sms(draw, canvas), canvas.ends)]
    canvas.ends.append(f"{head}:max_retries")


def _limit(_: st.DrawFn, canvas: _Canvas) -> None:
    """A rate that has room: what counts is that no restart takes a second turn."""
    canvas.ends = [canvas.put("limit", node("RATE_LIMIT", maxRequests=1, windowMs=1000), canvas.ends)]


def _pause(draw: st.DrawFn, canvas: _Canvas) -> None:
    canvas.ends = [canvas.put("pause", _delay(draw), canvas.ends)]


def _pause_aside(draw: st.DrawFn, canvas: _Canvas) -> None:
    """A message some time later, beside the main line. It is the same whatever happened there meanwhile."""
    split = canvas.put("split", condition("1 == 1"), canvas.ends)
    pause = canvas.put("pause", _delay(draw), [f"{split}:true"])
    later = canvas.put("later", _sms(draw, canvas, ["later"], KNOWN_SOON), [pause])
    canvas.put("log", condition("1 == 1"), [later, f"{later}:error"])
    canvas.ends = [f"{split}:true"]


def _delay(draw: st.DrawFn) -> dict[str, Any]:
    return node("DELAY", duration=draw(st.sampled_from(PAUSES_SECONDS)) * 1000)


DIALOGUE = [_message, _note, _fork, _choice, _choice, _side_by_side, _tried_again, _limit, _line, _tail]
LOOPS = [_way_back, _way_back, _way_back]
BACKGROUND = [_message, _message, _silent_fork, _side_by_side, _tried_again, _limit, _tail, _pause, _pause_aside]
