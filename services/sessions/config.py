"""Settings of the sessions service, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rpc.config import Environment
from rpc.protection import Protection, read_protection
from services.sessions.rules import MAX_TTL_SECONDS, MIN_TTL_SECONDS
from storage.settings import redis_url

DEFAULT_TTL_SECONDS = 300
"""Networks end a USSD session after about 180 s, and a screen of a flow may wait 300 s at most."""

DEFAULT_RETENTION_SECONDS = 3600
MAX_RETENTION_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class SessionsConfig:
    """
    Attributes:
        listen: Where gRPC is served, host:port. NJIA_SESSIONS_LISTEN, default 127.0.0.1:50053.
        redis_url: NJIA_REDIS_URL (or NJIA_REDIS_URL_FILE), default redis://127.0.0.1:6379/0; a cluster
            is redis+cluster://host:port[,host:port…].
        ttl_seconds: Life of a session whose request names none. NJIA_SESSIONS_TTL_SECONDS, 1 to 86400, default 300.
        retention_seconds: How long an ended session stays readable after its expiry.
            NJIA_SESSIONS_RETENTION_SECONDS, 0 to 2592000, default 3600.
        protection: Who may call, and the certificates. See rpc.protection.
    """

    listen: str
    redis_url: str = field(repr=False)
    ttl_seconds: int
    retention_seconds: int
    protection: Protection

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "SessionsConfig":
        """Raises rpc.config.ConfigError with every problem at once."""
        variables = Environment(environ)
        listen = variables.listen("NJIA_SESSIONS_LISTEN", "127.0.0.1:50053")
        config = cls(
            listen=listen,
            redis_url=redis_url(variables),
            ttl_seconds=variables.integer(
                "NJIA_SESSIONS_TTL_SECONDS", DEFAULT_TTL_SECONDS, MIN_TTL_SECONDS, MAX_TTL_SECONDS
            ),
            retention_seconds=variables.integer(
                "NJIA_SESSIONS_RETENTION_SECONDS", DEFAULT_RETENTION_SECONDS, 0, MAX_RETENTION_SECONDS
            ),
            protection=read_protection(variables, grpc={"NJIA_SESSIONS_LISTEN": listen}, http={}),
        )
        variables.check()
        return config
