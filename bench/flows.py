"""The flows that are measured."""

from typing import Any

Document = dict[str, Any]

MENU_CODE = "*384*77#"
ECHO_SHORT_CODE = "22377"
ECHO_KEYWORD = "echo"

_METADATA = {"version": 1, "createdBy": "bench", "createdAt": "2026-01-01T00:00:00Z"}

MENU: Document = {
    "metadata": {"workflowId": "bench-menu", "name": "Orders", "description": "Takes orders in a loop.", **_METADATA},
    "trigger": {"id": "dial", "type": "USSD_SESSION_START", "config": {"serviceCode": MENU_CODE}},
    "nodes": [
        {
            "id": "menu",
            "type": "SEND_USSD_RESPONSE",
            "config": {
                "message": "Maize KES 55 a kilo\nLast order: {{session.data.bags | default('none')}}\n"
                "1 to 9. Order so many bags\n0. Leave",
                "expectInput": True,
            },
        },
        {"id": "leaves", "type": "CONDITION", "config": {"expression": "{{input}} == '0'"}},
        {"id": "keep", "type": "SESSION_WRITE", "config": {"data": {"bags": "{{input}}"}}},
        {"id": "bye", "type": "SESSION_END", "config": {"message": "Goodbye"}},
    ],
    "edges": [
        {"id": "e1", "source": "dial", "target": "menu"},
        {"id": "e2", "source": "menu", "target": "leaves"},
        {"id": "e3", "source": "leaves", "target": "bye", "sourceHandle": "true"},
        {"id": "e4", "source": "leaves", "target": "keep", "sourceHandle": "false"},
        {"id": "e5", "source": "keep", "target": "menu"},
    ],
}
"""Every turn is alike: the screen takes the input, a condition, a write to the session, the screen again."""


def screen(text: str) -> str:
    """What the menu answers to a cumulative USSD text."""
    last = text.rpartition("*")[2]
    if last == "0":
        return "END Goodbye"
    return f"CON Maize KES 55 a kilo\nLast order: {last or 'none'}\n1 to 9. Order so many bags\n0. Leave"


ECHO: Document = {
    "metadata": {"workflowId": "bench-echo", "name": "Echo", "description": "Sends an SMS back.", **_METADATA},
    "trigger": {
        "id": "sms",
        "type": "SMS_RECEIVED",
        "config": {"shortCode": ECHO_SHORT_CODE, "keyword": ECHO_KEYWORD},
    },
    "nodes": [{"id": "reply", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "You said: {{message}}"}}],
    "edges": [{"id": "e1", "source": "sms", "target": "reply"}],
}
