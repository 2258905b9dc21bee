"""
The flows of the kill test.

Every text that they send is its own: it begins with the execution's id and the node's, so that a second one shows.
`{{session.data.trail}}` holds all that a person typed; an update that is lost or applied twice shows in it.
"""

from typing import Any

from tests.e2e.flows import ask, bye, dialled, flow, node, sms, texted

ORDERS, SURVEY, ANSWERS = "chaos-orders", "chaos-survey", "chaos-answers"

SURVEY_CODE = "*384*99#"
ANSWERS_KEYWORD = "PING"
SHORT_CODE = "22384"

ANSWER_SECONDS = 300
"""How long the survey waits for a person, the longest that there is."""

APOLOGY = "Sorry, that took too long."

SENDS = {
    ORDERS: ("first", "second", "small", "sorry", "last"),
    SURVEY: ("note", "before", "farewell"),
    ANSWERS: ("answer", "again"),
}
"""The nodes of each flow that send."""

QUICK = {"maxAttempts": 3, "initialDelayMs": 200, "backoffMultiplier": 2}


def all_flows() -> list[dict[str, Any]]:
    """The flows to publish."""
    return [orders(), survey(), answers()]


def orders() -> dict[str, Any]:
    """Runs through: two branches side by side or a small one, an error edge from each, a join, a last text."""
    return flow(
        ORDERS,
        texted(keyword="ORDER"),
        [
            node("big", "CONDITION", {"expression": "{{triggerPayload.amount}} >= 50"}),
            _text("first", retry=QUICK),
            _text("second", retry=QUICK),
            _text("small"),
            _text("sorry", retry=QUICK),
            node("joined", "MERGE", {"strategy": "merge"}),
            _text("last", retry=QUICK),
        ],
        [
            *("start>big", "big:true>first", "big:true>second", "big:false>small"),
            *("first>joined", "second>joined", "small>joined", "joined>last"),
            *("first:error>sorry", "second:error>sorry", "sorry>joined"),
        ],
    )


def survey() -> dict[str, Any]:
    """
    Asks again and again; what is typed is kept in the trail.

    1 sends a text behind the next screen, 2 sends one before it, 9 ends the session and sends one behind the end.
    """
    trail = "{{session.data.trail}}"
    return flow(
        SURVEY,
        dialled(SURVEY_CODE),
        [
            ask("ask", 'So far: {{session.data.trail | default("nothing")}}', sessionTimeout=ANSWER_SECONDS),
            node("keep", "SESSION_WRITE", {"data": {"trail": '{{session.data.trail | default("")}}{{input}}'}}),
            node(
                "way",
                "SWITCH",
                {"value": "{{input}}", "cases": [{"value": value, "label": value} for value in ("1", "2", "9")]},
            ),
            _text("note", trail, retry=QUICK),
            _text("before", trail),
            node("failed", "SESSION_WRITE", {"data": {"failed": trail}}),
            bye("end", f"Bye {trail}"),
            _text("farewell", trail, retry=QUICK),
        ],
        [
            *("start>ask", "ask>keep", "keep>way", "way:default>ask"),
            *("way:1>note", "way:1>ask", "note:error>failed"),
            *("way:2>before", "before>ask", "before:error>ask"),
            *("way:9>end", "way:9>farewell", "farewell:error>failed"),
        ],
        settings={"ussd": {"apology": APOLOGY}},
    )


def answers() -> dict[str, Any]:
    """Answers an SMS with one text, and with a second one after the first, whatever became of that."""
    return flow(
        ANSWERS,
        texted(keyword=ANSWERS_KEYWORD, shortCode=SHORT_CODE),
        [_text("answer", "{{message}}", retry=QUICK), _text("again", "{{message}}", retry=QUICK)],
        ["start>answer", "answer>again", "answer:error>again"],
    )


def _text(node_id: str, more: str = "", **keys: Any) -> dict[str, Any]:
    return sms(node_id, f"{{{{execution.id}}}} {node_id} {more}".strip(), **keys)
