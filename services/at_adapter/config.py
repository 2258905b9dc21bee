"""Settings of the adapter, read once from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rpc.config import Environment
from rpc.protection import Protection, read_protection, refuse_beyond_loopback
from services.at_adapter.outgoing.account import SANDBOX_USERNAME, AtAccount, AtEnvironment
from services.at_adapter.outgoing.transport import Timeouts
from storage.settings import redis_url

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_ROOT = re.compile(r"https?://[^\s/?#]+")
_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


EMULATED_NUMBER = "+254711082000"
"""Any number will do for the emulator."""


@dataclass(frozen=True, slots=True)
class AtAdapterConfig:
    """
    Attributes:
        listen: Where gRPC is served, host:port. NJIA_AT_ADAPTER_LISTEN, default 127.0.0.1:50054.
        callbacks_listen: Where callbacks are taken, host:port. NJIA_AT_ADAPTER_CALLBACKS_LISTEN, default
            127.0.0.1:8090. Not opened without an engine.
        redis_url: NJIA_REDIS_URL (or NJIA_REDIS_URL_FILE), default redis://127.0.0.1:6379/0; a cluster is
            redis+cluster://host:port[,host:port…].
        engine_target: The engine that callbacks go to. NJIA_ENGINE_TARGET; None: outgoing calls alone.
        account: AT_ENVIRONMENT (emulator, sandbox or production; default emulator), AT_USERNAME (default sandbox
            outside of production), AT_API_KEY (or AT_API_KEY_FILE; needed outside of the emulator), AT_BASE_URL
            (address of the emulator, default http://127.0.0.1:8070; only there).
        timeouts: Of one request to Africa's Talking. NJIA_AT_CONNECT_TIMEOUT_MS, 10 to 30000, default 3000;
            NJIA_AT_READ_TIMEOUT_MS, 10 to 120000, default 9000.
        concurrent_sends: Requests to Africa's Talking at once in this process. NJIA_AT_CONCURRENT_SENDS, 1 to 1000,
            default 64.
        queued_sends: Sends that may wait for one of those places; more are refused. NJIA_AT_QUEUED_SENDS, 0 to
            100000, default 1000.
        sms_rate_per_second: SMS requests a second over all replicas of the account. NJIA_AT_SMS_RATE_PER_SECOND, 1 to
            100000; None: no limit of ours.
        call_rate_per_second: Requests that place calls a second over all replicas of the account.
            NJIA_AT_CALL_RATE_PER_SECOND, 1 to 100000; None: no limit of ours.
        voice_number: Number that calls come from whose flow names none. NJIA_AT_VOICE_NUMBER, default +254711082000
            with the emulator; empty: a flow must name one.
        public_url: Where Africa's Talking reaches the callbacks, http(s)://host[:port] and nothing behind.
            NJIA_PUBLIC_AT_URL; None: the address that a callback came to.
        idempotency_ttl_seconds: How long a key is remembered. NJIA_AT_IDEMPOTENCY_TTL_SECONDS, 60 to 2592000, default
            86400 (24 h).
        callback_token: Secret part of the callback addresses, 16 to 128 of [A-Za-z0-9_-]. NJIA_AT_CALLBACK_TOKEN (or
            NJIA_AT_CALLBACK_TOKEN_FILE); None: the addresses have none.
        ussd_budget_ms: How long the engine may take for a screen. NJIA_USSD_BUDGET_MS, 500 to 9000, default 8000;
            Africa's Talking waits 10000.
        outbox_capacity: Delivery reports that wait for an engine that does not answer. NJIA_AT_OUTBOX_CAPACITY, 1 to
            1000000, default 10000.
        airtime_rate_per_second: Airtime requests a second over all replicas. NJIA_AT_AIRTIME_RATE_PER_SECOND, 1 to
            100000; None: no limit of ours.
        payment_rate_per_second: Payment requests and refunds likewise. NJIA_AT_PAYMENT_RATE_PER_SECOND.
        money_ttl_seconds: How long a key of airtime, a payment or a refund is remembered: longer than an execution may
            wait for an engine. NJIA_AT_MONEY_IDEMPOTENCY_TTL_SECONDS, 86400 to 31536000, default 2592000 (30 days).
        payment_record_seconds: How long a payment may be paid back. NJIA_AT_PAYMENT_RECORD_DAYS, 1 to 3650, default 90.
        protection: Who may call, and the certificates. See rpc.protection.
    """

    listen: str
    callbacks_listen: str
    redis_url: str = field(repr=False)
    engine_target: str | None
    account: AtAccount
    timeouts: Timeouts
    concurrent_sends: int
    queued_sends: int
    sms_rate_per_second: int | None
    call_rate_per_second: int | None
    voice_number: str
    public_url: str | None
    idempotency_ttl_seconds: int
    callback_token: str | None = field(repr=False)
    ussd_budget_ms: int
    outbox_capacity: int
    airtime_rate_per_second: int | None
    payment_rate_per_second: int | None
    money_ttl_seconds: int
    payment_record_seconds: int
    protection: Protection

    @property
    def callbacks_are_protected(self) -> bool:
        """Whether only Africa's Talking can post callbacks; nobody else reaches a platform with the emulator."""
        return self.callback_token is not None or self.account.environment is AtEnvironment.EMULATOR

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "AtAdapterConfig":
        """Raises rpc.config.ConfigError with every problem at once."""
        variables = Environment(environ)
        listen = variables.listen("NJIA_AT_ADAPTER_LISTEN", "127.0.0.1:50054")
        callbacks_listen = variables.listen("NJIA_AT_ADAPTER_CALLBACKS_LISTEN", "127.0.0.1:8090")
        config = cls(
            listen=listen,
            callbacks_listen=callbacks_listen,
            redis_url=redis_url(variables),
            engine_target=variables.optional_target("NJIA_ENGINE_TARGET"),
            account=_account(variables),
            timeouts=Timeouts(
                connect=variables.integer("NJIA_AT_CONNECT_TIMEOUT_MS", 3000, 10, 30_000) / 1000,
                read=variables.integer("NJIA_AT_READ_TIMEOUT_MS", 9000, 10, 120_000) / 1000,
            ),
            concurrent_sends=variables.integer("NJIA_AT_CONCURRENT_SENDS", 64, 1, 1000),
            queued_sends=variables.integer("NJIA_AT_QUEUED_SENDS", 1000, 0, 100_000),
            sms_rate_per_second=_rate(variables, "NJIA_AT_SMS_RATE_PER_SECOND"),
            call_rate_per_second=_rate(variables, "NJIA_AT_CALL_RATE_PER_SECOND"),
            voice_number=_voice_number(variables),
            public_url=_public_url(variables),
            idempotency_ttl_seconds=variables.integer("NJIA_AT_IDEMPOTENCY_TTL_SECONDS", 86_400, 60, 2_592_000),
            callback_token=_token(variables),
            ussd_budget_ms=variables.integer("NJIA_USSD_BUDGET_MS", 8000, 500, 9000),
            outbox_capacity=variables.integer("NJIA_AT_OUTBOX_CAPACITY", 10_000, 1, 1_000_000),
            airtime_rate_per_second=_rate(variables, "NJIA_AT_AIRTIME_RATE_PER_SECOND"),
            payment_rate_per_second=_rate(variables, "NJIA_AT_PAYMENT_RATE_PER_SECOND"),
            money_ttl_seconds=variables.integer("NJIA_AT_MONEY_IDEMPOTENCY_TTL_SECONDS", 2_592_000, 86_400, 31_536_000),
            payment_record_seconds=variables.integer("NJIA_AT_PAYMENT_RECORD_DAYS", 90, 1, 3650) * 86_400,
            protection=read_protection(variables, grpc={"NJIA_AT_ADAPTER_LISTEN": listen}, http={}),
        )
        if config.engine_target is not None and config.callback_token is None:
            refuse_beyond_loopback(
                variables, "NJIA_AT_ADAPTER_CALLBACKS_LISTEN", callbacks_listen, "set NJIA_AT_CALLBACK_TOKEN"
            )
        variables.check()
        return config


def _account(variables: Environment) -> AtAccount:
    options = [environment.value for environment in AtEnvironment]
    environment = AtEnvironment(variables.choice("AT_ENVIRONMENT", AtEnvironment.EMULATOR, options))
    if environment is AtEnvironment.EMULATOR:
        base_url = variables.text("AT_BASE_URL", "http://127.0.0.1:8070").rstrip("/")
        if not _URL.fullmatch(base_url):
            variables.problem("AT_BASE_URL", "must be an address such as http://127.0.0.1:8070")
        return AtAccount(
            environment,
            variables.text("AT_USERNAME", SANDBOX_USERNAME),
            _api_key(variables, variables.secret("AT_API_KEY") or "emulator"),
            base_url,
        )
    if variables.optional_text("AT_BASE_URL") is not None:
        variables.problem("AT_BASE_URL", f"is for the emulator only, and AT_ENVIRONMENT is {environment}")
    return AtAccount(
        environment,
        _sandbox_username(variables) if environment is AtEnvironment.SANDBOX else _production_username(variables),
        _api_key(variables, variables.required_secret("AT_API_KEY")),
    )


def _sandbox_username(variables: Environment) -> str:
    username = variables.text("AT_USERNAME", SANDBOX_USERNAME)
    if username != SANDBOX_USERNAME:
        # The SDK goes by the user name: with another one it would send to the real hosts.
        variables.problem("AT_USERNAME", f"is always {SANDBOX_USERNAME} when AT_ENVIRONMENT is sandbox")
    return username


def _production_username(variables: Environment) -> str:
    username = variables.required_text("AT_USERNAME")
    if username == SANDBOX_USERNAME:
        variables.problem("AT_USERNAME", f"cannot be {SANDBOX_USERNAME} when AT_ENVIRONMENT is production")
    return username


def _api_key(variables: Environment, key: str) -> str:
    if not (key.isascii() and key.isprintable()):
        variables.problem("AT_API_KEY", "has characters that a header cannot carry")
    return key


def _rate(variables: Environment, name: str) -> int | None:
    return None if variables.optional_text(name) is None else variables.integer(name, 1, 1, 100_000)


def _voice_number(variables: Environment) -> str:
    emulated = variables.text("AT_ENVIRONMENT", AtEnvironment.EMULATOR) == AtEnvironment.EMULATOR
    return variables.text("NJIA_AT_VOICE_NUMBER", EMULATED_NUMBER if emulated else "")


def _public_url(variables: Environment) -> str | None:
    url = variables.optional_text("NJIA_PUBLIC_AT_URL")
    if url is None:
        return None
    if not _ROOT.fullmatch(url.rstrip("/")):
        variables.problem("NJIA_PUBLIC_AT_URL", "must be an address such as https://at.example.com, without a path")
    return url.rstrip("/")


def _token(variables: Environment) -> str | None:
    token = variables.secret("NJIA_AT_CALLBACK_TOKEN")
    if token is not None and not _TOKEN.fullmatch(token):
        variables.problem("NJIA_AT_CALLBACK_TOKEN", "must be 16 to 128 of the characters A-Z a-z 0-9 _ -")
    return token
