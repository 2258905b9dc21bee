"""For each field of each node type: two values of which a flow can tell one from the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NUMBER, OTHER_NUMBER = "+254711000001", "+254711000002"
PAGE, OTHER_PAGE = "https://example.com/a", "https://example.com/b"
ITEMS = [{"option": str(index), "text": f"Item {index}"} for index in range(1, 8)]


@dataclass(frozen=True)
class Change:
    """
    Two values of a field.

    Attributes:
        beside: Fields that must be there for it to count, by their paths; those of the least config stand too.
    """

    one: Any
    other: Any
    beside: Mapping[str, Any] = field(default_factory=dict)


PAGES = {"menuType": "menu", "menuItems": ITEMS, "expectInput": True, "pagination.enabled": True}
ROW = {"validKeys": "12", "maxDigits": 1}
BASIC = {"auth.type": "basic", "auth.username": "asha", "auth.password": "secret"}
PREMIUM = {"bulkSMSMode": 0, "from": "22384"}
OAUTH2 = {
    "auth.type": "oauth2",
    "auth.oauth2Url": PAGE,
    "auth.oauth2ClientId": "njia",
    "auth.oauth2ClientSecret": "secret",
}

EFFECTS: Mapping[str, Mapping[str, Change]] = {
    "SMS_RECEIVED": {
        "phoneNumber": Change("+2547*", "+256*"),
        "keyword": Change("price", "help"),
        "caseSensitive": Change(False, True, {"keyword": "PRICE"}),
        "regexPattern": Change("maize", "beans"),
        "shortCode": Change("22384", "22385"),
        "requireDeliveryReport": Change(False, True),
        "deliveryReportUrl": Change(None, PAGE),
    },
    "USSD_SESSION_START": {
        "serviceCode": Change("*384*1#", "*384*2#"),
        "networkCode": Change("63902", "63903"),
        "sessionTimeout": Change(60, 61),
        "requireSessionId": Change(True, False),
    },
    "INCOMING_CALL": {
        "phoneNumber": Change("+2547*", "+256*"),
        "calledNumber": Change("+254711082000", "+254711082001"),
        "requireCallerId": Change(True, False),
        "maxCallDuration": Change(None, 60),
    },
    "PAYMENT_CALLBACK": {
        "productName": Change("shop", "another"),
        "transactionType": Change("checkout", "b2c"),
        "status": Change("Success", "Failed"),
        "currency": Change("KES", "UGX"),
        "minAmount": Change(100, 101),
        "maxAmount": Change(100, 99),
        "validateSignature": Change(True, False),
    },
    "SCHEDULED": {
        "cronExpression": Change("0 6 * * *", "0 7 * * *"),
        "timezone": Change("UTC", "Africa/Nairobi"),
        "startDate": Change("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        "endDate": Change("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        "maxExecutions": Change(1, 2),
        "skipMissed": Change(False, True),
    },
    "HTTP_WEBHOOK": {
        "method": Change("POST", "PUT"),
        "path": Change("/orders", "/order"),
        "headers": Change({"X-Shop": "njia"}, {"X-Shop": "other"}),
        "timeoutMs": Change(5000, 5001),
        "validateSignature": Change(False, True, {"signatureSecret": "wrong"}),
        "signatureHeader": Change("X-Signature", "X-Signed", {"validateSignature": True, "signatureSecret": "right"}),
        "signatureSecret": Change("right", "wrong", {"validateSignature": True}),
        "auth.type": Change("none", "basic", {"auth.username": "asha", "auth.password": "wrong"}),
        "auth.username": Change("asha", "amina", BASIC),
        "auth.password": Change("secret", "wrong", BASIC),
        "auth.token": Change("secret", "wrong", {"auth.type": "custom", "auth.headerName": "X-Key"}),
        "auth.headerName": Change("X-Key", "X-Lock", {"auth.type": "custom", "auth.token": "secret"}),
        "retry.attempts": Change(0, 1),
        "retry.backoffMs": Change(1000, 1001),
    },
    "SEND_SMS": {
        "to": Change(NUMBER, OTHER_NUMBER),
        "message": Change("Hello", "Jambo"),
        "from": Change("22384", "22385"),
        "encoding": Change("GSM7", "UCS2", {"message": "x" * 100}),
        "deliveryReport": Change(False, True),
        "deliveryReportUrl": Change(None, PAGE),
        "enqueue": Change(False, True),
        "bulkSMSMode": Change(1, 0, {"from": "22384"}),
        "keyword": Change("PRICE", "HELP", PREMIUM),
        "linkId": Change("1", "2", PREMIUM),
        "retryOnFailure": Change(True, False),
    },
    "WAIT_FOR_SMS": {"timeout": Change(60, 61), "keyword": Change(None, "YES")},
    "SEND_USSD_RESPONSE": {
        "message": Change("Hello", "Jambo"),
        "expectInput": Change(False, True),
        "menuType": Change("text", "input", {"expectInput": True}),
        "menuItems": Change(ITEMS[:1], ITEMS[:2], {"menuType": "menu"}),
        "menuItems.option": Change(ITEMS[:1], [{"option": "9", "text": "Item 1"}], {"menuType": "menu"}),
        "menuItems.text": Change(ITEMS[:1], [{"option": "1", "text": "Item 9"}], {"menuType": "menu"}),
        "pagination.enabled": Change(False, True, PAGES),
        "pagination.itemsPerPage": Change(2, 3, PAGES),
        "pagination.nextKey": Change("99", "98", {**PAGES, "pagination.prevKey": "0"}),
        "pagination.prevKey": Change("98", "0", PAGES),
        "sessionTimeout": Change(60, 61, {"expectInput": True}),
        "autoEndSession": Change(False, True),
        "sensitive": Change(False, True, {"expectInput": True}),
    },
    "INITIATE_CALL": {
        "to": Change(NUMBER, OTHER_NUMBER),
        "from": Change("+254711082000", "+254711082001"),
        "callHoldMusic": Change(None, PAGE),
        "maxCallDuration": Change(None, 60),
        "recordCall": Change(None, True),
        "recordingUrl": Change(None, PAGE),
        "enableDtmf": Change(None, False),
        "ringbackTone": Change(None, PAGE),
        "timeout": Change(None, 10),
    },
    "PLAY_IVR": {
        "text": Change("Hello", "Jambo"),
        "audioUrl": Change(PAGE, OTHER_PAGE, {"text": None}),
        "language": Change("en", "sw"),
        "voice": Change("male", "female"),
        "loop": Change(1, 2),
        "timeout": Change(None, 60),
        "interruptOnDtmf": Change(False, True),
        "bargeIn": Change(False, True),
        "audioFormat": Change(None, "wav", {"text": None, "audioUrl": PAGE}),
        "sampleRate": Change(None, 8000),
    },
    "COLLECT_DTMF": {
        "maxDigits": Change(1, 2),
        "minDigits": Change(1, 2),
        "timeout": Change(10, 11),
        "finishOnKey": Change("#", "*"),
        "playPrompt": Change("Your PIN", "Your age"),
        "playPromptUrl": Change(PAGE, OTHER_PAGE),
        "invalidKeyTone": Change(True, False),
        "validKeys": Change("79", "12"),
        "invalidKeyMessage": Change("No", "Not that", ROW),
        "retryOnInvalid": Change(True, False, ROW),
        "maxRetries": Change(1, 2, ROW),
        "sensitive": Change(False, True),
    },
    "SEND_AIRTIME": {
        "to": Change(NUMBER, OTHER_NUMBER),
        "amount": Change("10", "20"),
        "currency": Change("KES", "UGX"),
    },
    "REQUEST_PAYMENT": {
        "transactionType": Change("checkout", "b2c"),
        "amount": Change("10", "20"),
        "currency": Change("KES", "UGX"),
        "phoneNumber": Change(NUMBER, OTHER_NUMBER),
        "productName": Change("shop", "kiosk"),
        "metadata": Change({"order": "1"}, {"order": "2"}),
        "callbackUrl": Change(None, PAGE),
        "providerChannel": Change("1", "2"),
        "provider": Change(None, "MTN"),
        "narration": Change("rent", "food"),
        "validityPeriod": Change(None, 5),
        "checkoutToken": Change(None, "token"),
    },
    "REFUND_PAYMENT": {
        "transactionId": Change("ATPid_1", "ATPid_2"),
        "amount": Change("10", "20"),
        "currency": Change("KES", "UGX"),
        "reason": Change("late", "broken"),
        "callbackUrl": Change(None, PAGE),
        "metadata": Change({"order": "1"}, {"order": "2"}),
    },
    "HTTP_REQUEST": {
        "method": Change("GET", "PUT"),
        "url": Change(PAGE, OTHER_PAGE),
        "headers": Change({"X-Shop": "1"}, {"X-Shop": "2"}),
        "body": Change({"a": 1}, {"a": 2}, {"method": "POST"}),
        "bodyType": Change("json", "form", {"method": "POST", "body": {"a": 1}}),
        "auth.type": Change("none", "basic", {"auth.username": "asha", "auth.password": "secret"}),
        "auth.username": Change("asha", "amina", BASIC),
        "auth.password": Change("secret", "other", BASIC),
        "auth.token": Change("secret", "other", {"auth.type": "bearer"}),
        "auth.headerName": Change("X-Key", "X-Lock", {"auth.type": "apikey", "auth.token": "secret"}),
        "auth.oauth2Url": Change(PAGE, OTHER_PAGE, OAUTH2),
        "auth.oauth2ClientId": Change("njia", "other", OAUTH2),
        "auth.oauth2ClientSecret": Change("secret", "other", OAUTH2),
        "timeout": Change(1000, 1001),
        "retry.attempts": Change(0, 1),
        "retry.backoffMs": Change(1000, 1001),
        "retry.backoffMultiplier": Change(2, 3),
        "retry.retryableStatusCodes": Change([500], [503]),
        "followRedirects": Change(True, False),
        "maxRedirects": Change(1, 2),
        "validateSSL": Change(True, False),
        "parseResponse": Change(True, False),
    },
    "CONDITION": {"expression": Change("{{amount}} > 100", "{{amount}} < 100")},
    "SWITCH": {
        "value": Change("1", "2"),
        "cases": Change([{"value": "1", "label": "One"}], [{"value": "2", "label": "Two"}], {"value": "1"}),
        "cases.value": Change([{"value": "1", "label": "One"}], [{"value": "2", "label": "One"}], {"value": "1"}),
    },
    "DELAY": {"duration": Change(1000, 1001)},
    "RETRY": {
        "maxAttempts": Change(2, 3),
        "initialDelayMs": Change(1000, 1001),
        "backoffMultiplier": Change(2, 3),
        "maxDelayMs": Change(None, 5000),
        "retryableErrors": Change(None, ["TIMEOUT"]),
    },
    "RATE_LIMIT": {
        "maxRequests": Change(1, 2),
        "windowMs": Change(1000, 1001),
        "strategy": Change("fixed", "sliding"),
        "key": Change("a", "b"),
    },
    "MERGE": {"strategy": Change("last", "all")},
    "SESSION_READ": {
        "keys": Change(["name"], ["town"]),
        "defaultValue": Change({}, {"age": 30}),
        "mergeWithInput": Change(True, False),
        "outputKey": Change("sessionData", "known"),
    },
    "SESSION_WRITE": {
        "data": Change({"name": "Asha"}, {"name": "Zuri"}),
        "merge": Change(True, False, {"data": {"age": 30}}),
        "ttl": Change(60, 61),
        "overwrite": Change(True, False),
        "scope": Change("session", "global"),
        "encrypt": Change(False, True),
    },
    "SESSION_END": {
        "message": Change("Bye", "Kwaheri"),
        "clearData": Change(False, True),
        "saveData": Change(False, True),
        "redirectUrl": Change(None, PAGE),
        "reason": Change("done", "tired"),
    },
}

FOR_PEOPLE = {"SWITCH": {"cases.label"}}
"""Names that a canvas shows; the compiled graph keeps them, and a run has no use for them."""
