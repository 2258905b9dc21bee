"""Settings of the gateway, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from rpc.config import Environment


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
    """

    listen: str
    validator_target: str
    engine_target: str
    sessions_target: str
    at_adapter_target: str
    max_body_bytes: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "GatewayConfig":
        """Raises rpc.config.ConfigError with every problem at once."""
        variables = Environment(environ)
        config = cls(
            listen=variables.listen("NJIA_GATEWAY_LISTEN", "127.0.0.1:8080"),
            validator_target=variables.target("NJIA_VALIDATOR_TARGET", "127.0.0.1:50051"),
            engine_target=variables.target("NJIA_ENGINE_TARGET", "127.0.0.1:50052"),
            sessions_target=variables.target("NJIA_SESSIONS_TARGET", "127.0.0.1:50053"),
            at_adapter_target=variables.target("NJIA_AT_ADAPTER_TARGET", "127.0.0.1:50054"),
            max_body_bytes=variables.integer("NJIA_MAX_BODY_BYTES", 1_048_576, 1024, 4_194_304),
        )
        variables.check()
        return config
