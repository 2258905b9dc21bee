"""Patterns of texts in a flow, each with what people are told when a text does not fit."""

from collections.abc import Mapping

NODE_ID = r"^[A-Za-z0-9_-]{1,64}$"
WORKFLOW_ID = r"^[A-Za-z0-9._-]{1,128}$"
COUNTRY = r"^[A-Z]{2}$"
SERVICE_CODE = r"^[*#0-9]{1,32}$"
NETWORK_CODE = r"^[0-9]{1,8}$"
SENDER = r"^\+?[0-9*]{1,32}$"
KEYWORD = r"^\S{1,160}$"
OUTPUT_KEY = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"
WEBHOOK_PATH = r"^/[a-zA-Z0-9/_-]*$"

WORDS: Mapping[str, str] = {
    NODE_ID: "1 to 64 letters, digits, _ or -, such as menu-1",
    WORKFLOW_ID: "1 to 128 letters, digits, dots, _ or -, such as balance-menu",
    COUNTRY: "two capital letters, such as KE",
    SERVICE_CODE: "digits, * and # as they are dialled, such as *384*1#",
    NETWORK_CODE: "digits, such as 63902",
    SENDER: "a phone number such as +254711000001, in which * stands for any digits",
    KEYWORD: "one word, such as PRICE",
    OUTPUT_KEY: "a letter or _, then up to 63 letters, digits, _ or -, such as sessionData",
    WEBHOOK_PATH: "/ and then letters, digits, /, _ or -, such as /orders",
}
"""What a text looks like that fits."""
