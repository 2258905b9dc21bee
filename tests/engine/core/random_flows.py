"""Random valid flows with what the outside does to them, for hypothesis."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.engine.core.flow_dicts import ask, bye, condition, document, merge, say, sms, switch, write
from tests.engine.core.outside import HANGS, Answer, failing, slow

TIMEOUT_MS = 4000
ENTRIES = ["0", "0", "1", "2", "x"]


@dataclass
class Story:
    """
    A flow, how the network answers each number, and what a person does.

    Attributes:
        shortcut: Entries that were dialled at once.
        entries: What is typed at later screens; the dialogue ends with them or with the session.
    """

    flow: dict[str, Any]
    script: dict[str, list[Answer]]
    shortcut: list[str]
    entries: list[str]


@dataclass
class _Canvas:
    """A flow while it is drawn; `ends` are the sources of the edges to the next node, as `id:handle`."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: list[str] = field(default_factory=list)
    script: dict[str, list[Answer]] = field(default_factory=dict)
    ends: list[str] = field(default_factory=lambda: ["start"])
    screens: list[str] = field(default_factory=list)

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
]
TEXTS = ["hello", "{{triggerPayload.text}}", "{{session.data.note | default('nothing')}}", "{{input}}"]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Any flow of menus, messages, branches, joins and ways back."""
    canvas = _Canvas()
    _screen(draw, canvas)
    for _ in range(draw(st.integers(2, 7))):
        piece = draw(st.sampled_from(PIECES))
        piece(draw, canvas)
    last = draw(st.sampled_from([bye("Bye {{session.data.note | default('you')}}"), condition("1 == 1")]))
    canvas.put("last", last, canvas.ends)
    return Story(
        document("ussd", canvas.nodes, canvas.edges),
        canvas.script,
        draw(st.lists(st.sampled_from(ENTRIES), max_size=2)),
        draw(st.lists(st.sampled_from(ENTRIES), min_size=3, max_size=9)),
    )


def _sms(draw: st.DrawFn, canvas: _Canvas) -> dict[str, Any]:
    number = f"+2547110{len(canvas.nodes):05d}"
    canvas.script[number] = draw(st.sampled_from(FATES))
    return sms(number, draw(st.sampled_from(TEXTS)), top={"timeout": TIMEOUT_MS})


def _message(draw: st.DrawFn, canvas: _Canvas) -> None:
    """An SMS; what becomes of it is caught, for a failure that ends the flow makes the order of others count."""
    name = canvas.put("sms", _sms(draw, canvas), canvas.ends)
    canvas.ends = [name, f"{name}:error"]


def _note(draw: st.DrawFn, canvas: _Canvas) -> None:
    name = canvas.put("keep", write(note=draw(st.sampled_from(["a", "{{triggerPayload.text}}"]))), canvas.ends)
    canvas.ends = [name]


def _line(draw: st.DrawFn, canvas: _Canvas) -> None:
    canvas.ends = [canvas.put("line", say("Noted {{session.data.note | default('-')}}"), canvas.ends)]


def _screen(draw: st.DrawFn, canvas: _Canvas) -> None:
    name = canvas.name("ask")
    canvas.put("ask", ask(f"{name}?"), canvas.ends)
    canvas.screens.append(name)
    canvas.ends = [name]


def _fork(draw: st.DrawFn, canvas: _Canvas) -> None:
    fork = canvas.put("if", condition("{{triggerPayload.text}} contains '1'"), canvas.ends)
    canvas.ends = [f"{fork}:true"]
    if draw(st.booleans()):
        draw(st.sampled_from([_message, _note, _screen, _line]))(draw, canvas)
    canvas.ends.append(f"{fork}:false")


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


PIECES = [_message, _note, _fork, _choice, _choice, _side_by_side, _way_back, _way_back, _way_back, _line, _tail]
