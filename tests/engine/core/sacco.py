"""A savings society as people build it: a PIN with three tries, a server behind every choice, a receipt by SMS."""

from typing import Any

from tests.engine.core.flow_dicts import ask, bye, condition, document, node, sms, switch

SERVER = "https://sacco.example.com"
MENU = [{"option": "1", "text": "Balance"}, {"option": "2", "text": "Loan"}, {"option": "0", "text": "Leave"}]

SACCO: dict[str, Any] = document(
    "ussd",
    {
        "ask-pin": ask("Umoja SACCO\\nYour PIN?", menuType="input", sensitive=True),
        "check": node("HTTP_REQUEST", method="POST", url=f"{SERVER}/pin", body={"pin": "{{input}}"}),
        # Texts do not calculate, so tries are counted in letters.
        "count": node("SESSION_WRITE", data={"tries": '{{session.data.tries | default("")}}x'}),
        "refused": condition("{{node_check.error.details.statusCode}} == 403"),
        "once-more": condition("{{session.data.tries | length}} < 3"),
        "again": ask("Wrong PIN. Again?", menuType="input", sensitive=True),
        "locked": bye("Please visit your branch."),
        "menu": ask("Account {{node_check.output.body.status}}", menuType="menu", menuItems=MENU),
        "choice": switch("1", "2", "0"),
        "balance": node("HTTP_REQUEST", url=f"{SERVER}/balances/{{{{msisdn | urlencode}}}}"),
        "show": ask("Balance: {{node_balance.output.body.status}}\\n0. Back"),
        "ask-amount": ask("How much? KES 500 to 50000\\n0. Back", menuType="input"),
        "way-back": switch("0"),
        "amount-fits": condition("{{input}} matches '^[0-9]{3,5}$' && {{input}} >= 500 && {{input}} <= 50000"),
        "keep": node("SESSION_WRITE", data={"amount": "{{input}}"}),
        "confirm": ask('Borrow {{session.data.amount | currency("KES", 0)}}?\\n1. Yes\\n2. No'),
        "sure": condition("{{input}} == '1'"),
        "loan": node(
            "HTTP_REQUEST", method="POST", url=f"{SERVER}/loans", body='{"amount": {{session.data.amount}}}'
        ),
        "asked": bye("Your request is with us."),
        "receipt": sms(
            "{{msisdn}}",
            'Loan of {{session.data.amount | currency("KES", 0)}} asked at {{execution.startedAt | date("%H:%M")}}.',
        ),
        "no-loan": bye("No loan today ({{node_loan.error.code}})."),
        "bye": bye("Stay well."),
        "down": bye("We cannot be reached. Try later."),
    },
    [
        "start > ask-pin", "ask-pin > check", "again > check", "check:success > menu", "check:error > refused",
        "refused:true > count", "refused:false > down", "count > once-more", "once-more:true > again",
        "once-more:false > locked", "menu > choice", "choice:1 > balance", "choice:2 > ask-amount", "choice:0 > bye",
        "choice > menu", "balance:success > show", "balance:error > down", "show > menu", "ask-amount > way-back",
        "way-back:0 > menu", "way-back > amount-fits", "amount-fits:true > keep", "amount-fits:false > ask-amount",
        "keep > confirm", "confirm > sure", "sure:true > loan", "sure:false > menu", "loan:success > asked",
        "loan:success > receipt", "loan:error > no-loan",
    ],
    settings={"timezone": "Africa/Nairobi"},
)  # fmt: skip
