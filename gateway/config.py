"""Settings of the gateway, read once from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rpc.config import Environment
from rpc.protection import Protection, read_protection
from rpc.tls import HttpTls, read_http_tls

_ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """
    Attributes:
        listen: Where HTTP is served, host:port. NJIA_GATEWAY_LISTEN, default 127.0.0.1:8080.
        validator_target: NJIA_VALIDATOR_TARGET, default 127.0.0.1:50051.
        engine_target: NJIA_ENGINE_TARGET, default 127.0.0.1:50052.
        sessions_target: NJIA_SESSIONS_TARGET, default 127.0.0.1:50053.
        at_adapter_target: Asked for its health alone. NJIA_AT_ADAPTER_TARGET, default 127.0.0.1:50054.
        max_body_bytes: Largest request body. NJIA_MAX_BODY_BYTES, 1024 to 4194304, default 1048576.
        cors_origins: Web pages elsewhere that may call, such as https://canvas.example.org; * stands for all.
            NJIA_GATEWAY_CORS_ORIGINS, commas between them, default none.
        tls: NJIA_GATEWAY_TLS_CERT_FILE and NJIA_GATEWAY_TLS_KEY_FILE, and NJIA_GATEWAY_TLS_CA_FILE where clients
            must show a certificate; None: plain HTTP.
        protection: Who may call, and what the services are called with. See rpc.protection.
    """

    listen: str
    validator_target: str
    engine_target: str
    sessions_target: str
    at_adapter_target: str
    max_body_bytes: int
    cors_origins: tuple[str, ...]
    tls: HttpTls | None
    protection: Protection

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "GatewayConfig":
        """Raises rpc.config.ConfigError with every problem at once."""
        variables = Environment(environ)
        listen = variables.listen("NJIA_GATEWAY_LISTEN", "127.0.0.1:8080")
        config = cls(
            listen=listen,
            validator_target=variables.target("NJIA_VALIDATOR_TARGET", "127.0.0.1:50051"),
            engine_target=variables.target("NJIA_ENGINE_TARGET", "127.0.0.1:50052"),
            sessions_target=variables.target("NJIA_SESSIONS_TARGET", "127.0.0.1:50053"),
            at_adapter_target=variables.target("NJIA_AT_ADAPTER_TARGET", "127.0.0.1:50054"),
            max_body_bytes=variables.integer("NJIA_MAX_BODY_BYTES", 1_048_576, 1024, 4_194_304),
            cors_origins=_origins(variables),
            tls=read_http_tls(variables, "NJIA_GATEWAY_TLS"),
            protection=read_protection(variables, grpc={}, http={"NJIA_GATEWAY_LISTEN": listen}),
        )
        variables.check()
        return config


def _origins(variables: Environment) -> tuple[str, ...]:
    origins = tuple(origin.strip().rstrip("/") for origin in variables.text("NJIA_GATEWAY_CORS_ORIGINS", "").split(","))
    wrong = [origin for origin in origins if origin and not _ORIGIN.fullmatch(origin)]
    if wrong:
        variables.problem("NJIA_GATEWAY_CORS_ORIGINS", f"must be origins such as https://example.org, not {wrong[0]!r}")
    return tuple(origin for origin in origins if origin)
