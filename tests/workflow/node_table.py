"""What the config of each node type may hold: what must be there, its defaults, the edges of each range."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CURRENCIES = ("KES", "UGX", "TZS", "RWF", "ETB", "ZAR", "NGN", "GHS", "XOF", "XAF")


@dataclass(frozen=True)
class Row:
    """
    One node type.

    Attributes:
        least: A config of nothing but what must be there.
        defaults: What stands where a field is absent.
        accepted: Values by the path of their field, such as auth.type.
        refused: Values by the path of their field.
    """

    least: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    accepted: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    refused: Mapping[str, Sequence[Any]] = field(default_factory=dict)


URLS = ("https://example.com/a?b=c",)
NO_URLS = ("example", 5)
NO_FLAG = ("yes", 1)

TABLE: Mapping[str, Row] = {
    "SMS_RECEIVED": Row(
        defaults={"caseSensitive": False, "requireDeliveryReport": False},
        accepted={
            "phoneNumber": ("+254711000001", "+2547*"),
            "keyword": ("PRICE",),
            "regexPattern": ("^[0-9]+$",),
            "shortCode": ("22384",),
            "deliveryReportUrl": URLS,
        },
        refused={"caseSensitive": NO_FLAG, "deliveryReportUrl": NO_URLS, "keyword": ("", "two words")},
    ),
    "USSD_SESSION_START": Row(
        defaults={"sessionTimeout": 60, "requireSessionId": True},
        accepted={"serviceCode": ("*384*1#",), "networkCode": ("63902",), "sessionTimeout": (10, 300)},
        refused={"sessionTimeout": (9, 301, "60"), "requireSessionId": NO_FLAG},
    ),
    "INCOMING_CALL": Row(
        defaults={"requireCallerId": True},
        accepted={"maxCallDuration": (10, 3600), "calledNumber": ("+254711000001",)},
        refused={"maxCallDuration": (9, 3601), "requireCallerId": NO_FLAG},
    ),
    "PAYMENT_CALLBACK": Row(
        defaults={"validateSignature": True},
        accepted={
            "transactionType": ("checkout", "b2c", "b2b"),
            "status": ("Success", "Failed", "Pending"),
            "currency": ("KES",),
            "productName": ("shop", "Duka la Asha"),
            "minAmount": (0, 10.5),
            "maxAmount": (10,),
        },
        refused={
            "transactionType": ("c2b",),
            "status": ("success",),
            "minAmount": ("10",),
            "productName": ("", " shop"),
        },
    ),
    "SCHEDULED": Row(
        least={"cronExpression": "0 6 * * *"},
        defaults={"timezone": "UTC", "skipMissed": False},
        accepted={
            "cronExpression": ("*/5 * * * *", "30 0 6 * * *"),
            "timezone": ("Africa/Nairobi",),
            "startDate": ("2026-01-01T00:00:00Z",),
            "maxExecutions": (1,),
        },
        refused={"maxExecutions": (0,), "skipMissed": NO_FLAG, "cronExpression": (5,)},
    ),
    "HTTP_WEBHOOK": Row(
        least={"path": "/orders"},
        defaults={
            "method": "POST",
            "timeoutMs": 5000,
            "validateSignature": False,
            "signatureHeader": "X-Signature",
            "auth.type": "none",
            "retry.attempts": 0,
            "retry.backoffMs": 1000,
        },
        accepted={
            "method": ("GET", "POST", "PUT", "PATCH", "DELETE"),
            "path": ("/a-b/c_d/9",),
            "timeoutMs": (100, 30000),
            "retry.attempts": (0, 5),
            "retry.backoffMs": (100, 10000),
        },
        refused={
            "method": ("HEAD", "get"),
            "path": ("orders", "/a b", "/a?b"),
            "timeoutMs": (99, 30001),
            "retry.attempts": (-1, 6),
            "retry.backoffMs": (99, 10001),
            "auth.type": ("digest",),
        },
    ),
    "SEND_SMS": Row(
        least={"to": "+254711000001", "message": "Hello"},
        defaults={
            "encoding": "auto",
            "deliveryReport": False,
            "enqueue": False,
            "bulkSMSMode": 1,
            "retryOnFailure": True,
        },
        accepted={
            "to": ("+254711000001,+254711000002", ["+254711000001"], "{{msisdn}}"),
            "encoding": ("GSM7", "UCS2", "auto"),
            "from": ("22384",),
            "deliveryReportUrl": URLS,
        },
        refused={"encoding": ("gsm7",), "bulkSMSMode": (2, "1"), "enqueue": NO_FLAG, "deliveryReportUrl": NO_URLS},
    ),
    "WAIT_FOR_SMS": Row(
        defaults={"timeout": 86_400},
        accepted={"timeout": (1, 604_800), "keyword": ("YES",)},
        refused={"timeout": (0, 604_801, "60"), "keyword": ("", "two words")},
    ),
    "SEND_USSD_RESPONSE": Row(
        least={"message": "Hello"},
        defaults={
            "expectInput": False,
            "menuType": "text",
            "sessionTimeout": 60,
            "autoEndSession": False,
            "pagination.enabled": False,
            "pagination.itemsPerPage": 5,
            "pagination.nextKey": "99",
            "pagination.prevKey": "98",
        },
        accepted={
            "menuType": ("text", "menu", "input"),
            "menuItems": ([{"option": "1", "text": "One"}],),
            "sessionTimeout": (10, 300),
            "pagination.itemsPerPage": (1, 10),
        },
        refused={
            "menuType": ("list",),
            "menuItems": ([{"option": "1"}], [{"text": "One"}]),
            "sessionTimeout": (9, 301),
            "pagination.itemsPerPage": (0, 11),
        },
    ),
    "INITIATE_CALL": Row(
        least={"to": "+254711000001"},
        defaults={"maxCallDuration": 300, "recordCall": False, "enableDtmf": True, "timeout": 30},
        accepted={"maxCallDuration": (10, 3600), "timeout": (5, 60), "callHoldMusic": URLS, "ringbackTone": URLS},
        refused={"maxCallDuration": (9, 3601), "timeout": (4, 61), "recordingUrl": NO_URLS},
    ),
    "PLAY_IVR": Row(
        least={"text": "Hello"},
        defaults={
            "language": "en",
            "voice": "default",
            "loop": 1,
            "timeout": 30,
            "interruptOnDtmf": False,
            "bargeIn": False,
            "audioFormat": "mp3",
        },
        accepted={
            "language": ("en", "sw", "fr", "ar", "am", "rw", "so", "zu", "xh", "af"),
            "voice": ("default", "male", "female", "child"),
            "loop": (1, 10),
            "timeout": (1, 300),
            "audioFormat": ("mp3", "wav", "gsm"),
            "sampleRate": (8000,),
        },
        refused={
            "language": ("de",),
            "voice": ("robot",),
            "loop": (0, 11),
            "timeout": (0, 301),
            "audioFormat": ("ogg",),
        },
    ),
    "COLLECT_DTMF": Row(
        defaults={
            "maxDigits": 10,
            "timeout": 10,
            "invalidKeyTone": True,
            "retryOnInvalid": True,
            "maxRetries": 3,
        },
        accepted={"maxDigits": (1, 20), "minDigits": (1, 10), "timeout": (1, 60), "maxRetries": (0, 5)},
        refused={"maxDigits": (0, 21), "minDigits": (0, 21), "timeout": (0, 61), "maxRetries": (-1, 6)},
    ),
    "SEND_AIRTIME": Row(
        least={"to": "+254711000001", "amount": "10"},
        defaults={"currency": "KES"},
        accepted={"amount": ("10.50", "{{input}}"), "currency": ("KES", "UGX")},
        refused={"currency": ("kes",)},
    ),
    "REQUEST_PAYMENT": Row(
        least={
            "transactionType": "checkout",
            "amount": "100",
            "phoneNumber": "+254711000001",
            "productName": "shop",
        },
        defaults={"currency": "KES"},
        accepted={
            "transactionType": ("checkout", "b2c", "b2b"),
            "currency": CURRENCIES,
            "provider": ("AT", "M-Pesa", "Airtel", "MTN", "Orange"),
            "validityPeriod": (1, 1440),
            "metadata": ({"order": "17"},),
            "callbackUrl": URLS,
        },
        refused={
            "transactionType": ("c2b",),
            "currency": ("EUR",),
            "provider": ("Mpesa",),
            "validityPeriod": (0, 1441),
            "callbackUrl": NO_URLS,
        },
    ),
    "REFUND_PAYMENT": Row(
        least={"transactionId": "ATPid_1"},
        defaults={"currency": "KES"},
        accepted={"currency": CURRENCIES, "amount": ("10.50",), "metadata": ({"order": "17"},)},
        refused={"currency": ("EUR",), "callbackUrl": NO_URLS},
    ),
    "HTTP_REQUEST": Row(
        least={"url": "https://example.com"},
        defaults={
            "method": "GET",
            "bodyType": "json",
            "timeout": 30000,
            "followRedirects": True,
            "maxRedirects": 5,
            "validateSSL": True,
            "parseResponse": True,
            "auth.type": "none",
        },
        accepted={
            "method": ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
            "bodyType": ("json", "form", "raw", "xml"),
            "body": ("text", {"a": [1]}),
            "timeout": (100, 300_000),
            "maxRedirects": (0, 10),
            "retry.attempts": (0, 5),
            "retry.backoffMs": (100, 10000),
            "retry.backoffMultiplier": (0.5,),
        },
        refused={
            "method": ("TRACE",),
            "bodyType": ("yaml",),
            "timeout": (99, 300_001),
            "maxRedirects": (-1, 11),
            "retry.attempts": (-1, 6),
            "retry.backoffMs": (99, 10001),
            "retry.backoffMultiplier": (0,),
            "auth.type": ("digest",),
        },
    ),
    "CONDITION": Row(least={"expression": "{{amount}} > 100"}, refused={"expression": (True,)}),
    "SWITCH": Row(
        least={"value": "{{input}}", "cases": [{"value": "1", "label": "One"}]},
        refused={"cases": ([], [{"value": "1"}], [{"label": "One"}])},
    ),
    "DELAY": Row(
        least={"duration": 1}, accepted={"duration": (2_592_000_000, "{{pause}}")}, refused={"duration": (0, -1)}
    ),
    "RETRY": Row(
        defaults={"maxAttempts": 3, "initialDelayMs": 1000, "backoffMultiplier": 2},
        accepted={
            "maxAttempts": (1, 10),
            "initialDelayMs": (0,),
            "backoffMultiplier": (0.5,),
            "retryableErrors": (["TIMEOUT"],),
        },
        refused={"maxAttempts": (0, 11), "initialDelayMs": (-1,), "backoffMultiplier": (0, -1)},
    ),
    "RATE_LIMIT": Row(
        least={"maxRequests": 1, "windowMs": 1000},
        defaults={"strategy": "fixed"},
        accepted={"windowMs": (1,), "strategy": ("fixed", "sliding"), "key": ("{{msisdn}}",)},
        refused={"maxRequests": (0,), "windowMs": (0,), "strategy": ("leaky",)},
    ),
    "MERGE": Row(
        defaults={"strategy": "last"},
        accepted={"strategy": ("first", "last", "all", "merge")},
        refused={"strategy": ("any",)},
    ),
    "SESSION_READ": Row(
        defaults={"mergeWithInput": True, "outputKey": "sessionData"},
        accepted={"keys": (["name"],), "defaultValue": ({"name": "friend"},)},
        refused={"keys": ("name", [5]), "mergeWithInput": NO_FLAG},
    ),
    "SESSION_WRITE": Row(
        least={"data": {"name": "Amina"}},
        defaults={"merge": True, "overwrite": True, "scope": "session", "encrypt": False},
        accepted={"ttl": (1, 86_400), "scope": ("session", "workflow", "global")},
        refused={"ttl": (0, 86_401), "scope": ("all",), "encrypt": NO_FLAG},
    ),
    "SESSION_END": Row(
        defaults={"clearData": False, "saveData": False},
        accepted={"message": ("Bye",), "reason": ("done",), "redirectUrl": URLS},
        refused={"clearData": NO_FLAG, "redirectUrl": NO_URLS},
    ),
}
