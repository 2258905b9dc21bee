"""What Africa's Talking posts."""

from tests.e2e.rows.row import Callback

SCREEN = {"sessionId": "$new", "phoneNumber": "$phone", "serviceCode": "$code", "networkCode": "63902", "text": ""}
CALL = {
    "sessionId": "$new",
    "isActive": "1",
    "direction": "Inbound",
    "callerNumber": "$phone",
    "destinationNumber": "+254711082099",
}
PAID = {
    "transactionId": "$new",
    "category": "MobileCheckout",
    "provider": "Mpesa",
    "status": "Success",
    "value": "KES 10.0000",
    "source": "$phone",
    "sourceType": "PhoneNumber",
    "productName": "shop",
}
ASKED = {
    "transactionId": "$new",
    "phoneNumber": "$phone",
    "sourceIpAddress": "127.0.0.1",
    "currencyCode": "KES",
    "amount": "500.00",
}

CALLBACKS = [
    Callback(path="/ussd", why="a dialled code", says="CON Hi", fields=SCREEN),
    Callback(
        path="/ussd", why="a code that nobody claims", says="END ", fields=SCREEN | {"serviceCode": "*384*999999#"}
    ),
    Callback(path="/ussd", why="nothing in it", says="END ", fields={"text": ""}),
    Callback(
        path="/ussd/events",
        why="an end",
        says="OK",
        fields={
            "sessionId": "$new",
            "serviceCode": "$code",
            "networkCode": "63902",
            "phoneNumber": "$phone",
            "status": "Incomplete",
            "cost": "KES 0",
            "durationInMillis": "1",
            "hopsCount": "1",
            "input": "",
            "lastAppResponse": "",
        },
    ),
    Callback(
        path="/sms",
        why="nobody claims it",
        says="OK",
        fields={"id": "$new", "from": "$phone", "to": "22998", "text": "hello", "date": "2026-01-31 08:00:00"},
    ),
    Callback(
        path="/sms/delivery",
        why="a report",
        says="OK",
        fields={"id": "$new", "status": "Success", "phoneNumber": "$phone", "networkCode": "63902"},
    ),
    Callback(path="/sms/opt-out", why="an opt-out", says="OK", fields={"phoneNumber": "$phone", "senderId": "22997"}),
    Callback(
        path="/sms/subscriptions",
        why="a subscription",
        says="OK",
        fields={"phoneNumber": "$phone", "shortCode": "22997", "keyword": "news", "updateType": "addition"},
    ),
    Callback(
        path="/voice",
        why="nobody claims it",
        says='<?xml version="1.0" encoding="UTF-8"?><Response><Reject/>',
        fields=CALL,
    ),
    Callback(
        path="/voice/events",
        why="an end",
        says="OK",
        fields=CALL | {"isActive": "0", "status": "Completed", "durationInSeconds": "3"},
    ),
    Callback(
        path="/airtime/status",
        why="a report",
        says="OK",
        fields={"requestId": "$new", "phoneNumber": "$phone", "value": "KES 10.00", "status": "Success"},
    ),
    Callback(path="/airtime/validation", why="nobody asked for it", says='{"status":"Failed"}', fields=ASKED),
    Callback(path="/payments", why="a payment", says="OK", fields=PAID),
    Callback(path="/payments/validation", why="nobody asked for it", says='{"status":"Failed"}', fields=ASKED),
    Callback(
        path="/payments/validation",
        why="of their own accord",
        says='{"status":"Validated"}',
        fields={"phoneNumber": "$phone", "value": "KES 10.0000", "provider": "Mpesa"},
    ),
    *(
        Callback(path=path, why="nothing in it", status=400, says="", fields={"text": "x"})
        for path in (
            "/ussd/events",
            "/sms",
            "/sms/delivery",
            "/sms/opt-out",
            "/sms/subscriptions",
            "/voice/events",
            "/airtime/status",
            "/payments",
        )
    ),
]
