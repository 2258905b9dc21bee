"""The account at Africa's Talking and where its requests go."""

from dataclasses import dataclass, field
from enum import StrEnum

SANDBOX_USERNAME = "sandbox"
"""The one user name of the sandbox; the SDK also chooses its hosts by it."""

API_PREFIX = "/api/version1"
CONTENT_PREFIX = "/content/version1"
VOICE_PREFIX = "/voice"
PAYMENTS_PREFIX = "/payments"
"""The emulator has one port for all of their hosts and tells them apart by a prefix."""


class AtEnvironment(StrEnum):
    """Which Africa's Talking is meant."""

    EMULATOR = "emulator"
    SANDBOX = "sandbox"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class AtAccount:
    """
    One account.

    Attributes:
        environment: Which Africa's Talking it belongs to.
        username: Name of the application; always `sandbox` in the sandbox.
        api_key: Its secret; never shown.
        emulator_url: Address of the emulator without a trailing slash; empty for the real hosts, which the SDK knows.
    """

    environment: AtEnvironment
    username: str
    api_key: str = field(repr=False)
    emulator_url: str = ""
