"""Settings of the engine, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.fernet import Fernet

from rpc.config import Environment
from rpc.protection import Protection, read_protection
from services.engine.adapters.http.addresses import AllowList
from storage.settings import redis_url

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """
    Attributes:
        listen: Where gRPC is served, host:port. NJIA_ENGINE_LISTEN, default 127.0.0.1:50052.
        redis_url: NJIA_REDIS_URL, default redis://127.0.0.1:6379/0; a cluster is
            redis+cluster://host:port[,host:port…].
        validator_target: NJIA_VALIDATOR_TARGET, default 127.0.0.1:50051.
        sessions_target: NJIA_SESSIONS_TARGET, default 127.0.0.1:50053.
        at_adapter_target: NJIA_AT_ADAPTER_TARGET, default 127.0.0.1:50054.
        lease_ms: How long an engine that died keeps its executions from the others. NJIA_ENGINE_LEASE_MS, 1000 to
            600000, default 5000: less than a phone waits for a screen.
        scan_ms: How often due timers and dead engines' executions are looked for. NJIA_ENGINE_SCAN_MS, 50 to 60000,
            default 500.
        max_live: Executions that run at once in this process; more are refused. NJIA_ENGINE_MAX_LIVE, 1 to 100000,
            default 1000.
        settle_ms: How long the outside may take to report a send whose outcome is unknown, before it is repeated.
            NJIA_ENGINE_SETTLE_MS, 2000 to 86400000, default 600000.
        ussd_budget_ms: A screen leaves after so long, ready or not. NJIA_USSD_BUDGET_MS, 500 to 9000, default 8000;
            Africa's Talking waits 10000.
        max_output_bytes: Largest output of a node as JSON. NJIA_ENGINE_MAX_OUTPUT_BYTES, 1024 to 4194304, default
            262144.
        retention_ms: How long ended executions are kept. NJIA_ENGINE_RETENTION_DAYS, 0.00001 (about 1 s) to 3650,
            default 30.
        retention_margin_ms: How long there may be no engine before an execution that waits loses anything that it
            needs. NJIA_ENGINE_RETENTION_MARGIN_DAYS, 0.00001 to 365, default 8.
        unclaimed_ms: How long what nobody claimed is listed. NJIA_ENGINE_UNCLAIMED_DAYS, 0.00001 to 365, default 7.
        http_allow: What HTTP requests of flows may reach beside public addresses. NJIA_HTTP_ALLOW: hosts, addresses and
            networks, separated by commas; default none.
        encryption_keys: Fernet keys of what is stored encrypted: the first encrypts, every one decrypts.
            NJIA_ENCRYPTION_KEY (or NJIA_ENCRYPTION_KEY_FILE), keys with commas or line breaks between them. None: flows
            with secrets are refused, and those that encrypt session values fail at that node.
        drain_seconds: How long a stopping engine lets its executions go on. NJIA_ENGINE_DRAIN_SECONDS, 0 to 15,
            default 10; what runs then is handed over to another engine. With the time of a screen behind it, a drain
            ends before the process is ended.
        protection: Who may call, and the certificates. See rpc.protection.
    """

    listen: str
    redis_url: str = field(repr=False)
    validator_target: str
    sessions_target: str
    at_adapter_target: str
    lease_ms: int
    scan_ms: int
    max_live: int
    settle_ms: int
    ussd_budget_ms: int
    max_output_bytes: int
    retention_ms: int
    retention_margin_ms: int
    unclaimed_ms: int
    http_allow: AllowList
    encryption_keys: tuple[str, ...] = field(repr=False)
    drain_seconds: float
    protection: Protection

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "EngineConfig":
        """Raises rpc.config.ConfigError with every problem at once."""
        variables = Environment(environ)
        listen = variables.listen("NJIA_ENGINE_LISTEN", "127.0.0.1:50052")
        config = cls(
            listen=listen,
            redis_url=redis_url(variables),
            validator_target=variables.target("NJIA_VALIDATOR_TARGET", "127.0.0.1:50051"),
            sessions_target=variables.target("NJIA_SESSIONS_TARGET", "127.0.0.1:50053"),
            at_adapter_target=variables.target("NJIA_AT_ADAPTER_TARGET", "127.0.0.1:50054"),
            lease_ms=variables.integer("NJIA_ENGINE_LEASE_MS", 5000, 1000, 600_000),
            scan_ms=variables.integer("NJIA_ENGINE_SCAN_MS", 500, 50, 60_000),
            max_live=variables.integer("NJIA_ENGINE_MAX_LIVE", 1000, 1, 100_000),
            settle_ms=variables.integer("NJIA_ENGINE_SETTLE_MS", 600_000, 2000, 86_400_000),
            ussd_budget_ms=variables.integer("NJIA_USSD_BUDGET_MS", 8000, 500, 9000),
            max_output_bytes=variables.integer("NJIA_ENGINE_MAX_OUTPUT_BYTES", 262_144, 1024, 4_194_304),
            retention_ms=round(variables.decimal("NJIA_ENGINE_RETENTION_DAYS", 30, 0.00001, 3650) * DAY_MS),
            retention_margin_ms=round(variables.decimal("NJIA_ENGINE_RETENTION_MARGIN_DAYS", 8, 0.00001, 365) * DAY_MS),
            unclaimed_ms=round(variables.decimal("NJIA_ENGINE_UNCLAIMED_DAYS", 7, 0.00001, 365) * DAY_MS),
            http_allow=_http_allow(variables),
            encryption_keys=_encryption_keys(variables),
            drain_seconds=variables.decimal("NJIA_ENGINE_DRAIN_SECONDS", 10.0, 0.0, 15.0),
            protection=read_protection(variables, grpc={"NJIA_ENGINE_LISTEN": listen}, http={}),
        )
        variables.check()
        return config


def _http_allow(variables: Environment) -> AllowList:
    try:
        return AllowList.parse(variables.text("NJIA_HTTP_ALLOW", ""))
    except ValueError as problem:
        variables.problem("NJIA_HTTP_ALLOW", str(problem))
        return AllowList()


def _encryption_keys(variables: Environment) -> tuple[str, ...]:
    keys = tuple((variables.secret("NJIA_ENCRYPTION_KEY") or "").replace(",", " ").split())
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            which = f"key {number} " if len(keys) > 1 else ""
            variables.problem("NJIA_ENCRYPTION_KEY", f"{which}is no Fernet key: it must be 32 bytes in url-safe base64")
    return keys
