"""A menu as people build them: languages, ways back, a PIN, pages, texts behind the last screen."""

from typing import Any

from tests.engine.core.flow_dicts import ask, bye, condition, document, merge, node, say, sms, switch

DAYS = [{"option": str(number), "text": day} for number, day in enumerate(["Mon", "Tue", "Wed", "Thu", "Fri"], 1)]

CLINIC: dict[str, Any] = document(
    "ussd",
    {
        "home": ask(
            "Afya clinic",
            menuType="menu",
            menuItems=[
                {"option": "1", "text": "Book a visit"},
                {"option": "2", "text": "My visit"},
                {"option": "3", "text": "Leave"},
            ],
        ),
        "choice": switch("1", "2", "3"),
        "unknown": say("There is no {{input}}."),
        "day": ask(
            "Which day?",
            menuType="menu",
            menuItems=[*DAYS, {"option": "0", "text": "Back"}],
            pagination={"enabled": True, "itemsPerPage": 3},
        ),
        "went-back": condition("{{input}} == '0'"),
        "good-day": condition("{{input}} in ['1', '2', '3', '4', '5']"),
        "keep-day": node("SESSION_WRITE", data={"day": "{{node_day.output.input}}", "to": "{{msisdn}}"}),
        "name": ask("Your name?", menuType="input"),
        "keep-name": node("SESSION_WRITE", data={"name": "{{input | trim}}"}),
        "pin": ask("Choose a PIN of 4 digits"),
        "good-pin": condition("{{input}} matches '^[0-9]{4}$'"),
        "keep-pin": node("SESSION_WRITE", data={"pin": "{{input}}"}, encrypt=True),
        "confirm": ask("{{session.data.name | upper}}, day {{session.data.day}}?\\n1. Yes\\n2. No"),
        "sure": condition("{{input}} == '1'"),
        "booked": bye("Booked. PIN {{session.data.pin}}.", saveData=True, reason="booked"),
        "to-patient": sms("{{session.data.to}}", "{{session.data.name}}, see you on day {{session.data.day}}."),
        "to-clinic": sms("+254711999999", "{{session.data.name}} comes on day {{session.data.day}}."),
        "told": merge("all"),
        "read": node("SESSION_READ", keys=["day"], defaultValue={"day": "no day"}, outputKey="visit"),
        "visit": ask("Your visit: {{node_read.output.visit.day}}\\n0. Back"),
        "leave": bye("Stay well"),
    },
    [
        "start > home", "home > choice", "choice:1 > day", "choice:2 > read", "choice:3 > leave",
        "choice > unknown", "unknown > home", "day > went-back", "went-back:true > home", "went-back:false > good-day",
        "good-day:false > day", "good-day:true > keep-day", "keep-day > name", "name > keep-name", "keep-name > pin",
        "pin > good-pin", "good-pin:false > pin", "good-pin:true > keep-pin", "keep-pin > confirm", "confirm > sure",
        "sure:false > home", "sure:true > booked", "sure:true > to-patient", "sure:true > to-clinic",
        "to-patient > told:input1", "to-clinic > told:input2", "read > visit", "visit > home",
        "pin:timeout > leave", "home:timeout > leave",
    ],
)  # fmt: skip
