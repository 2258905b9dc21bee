"""Settings of the validator, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from rpc.config import Environment
from rpc.protection import Protection, read_protection


@dataclass(frozen=True, slots=True)
class ValidatorConfig:
    """
    Attributes:
        listen: Where gRPC is served, host:port. NJIA_VALIDATOR_LISTEN, default 127.0.0.1:50051.
        protection: Who may call, and the certificates. See rpc.protection.
    """

    listen: str
    protection: Protection

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "ValidatorConfig":
        """Raises ConfigError with every problem."""
        variables = Environment(environ)
        listen = variables.listen("NJIA_VALIDATOR_LISTEN", "127.0.0.1:50051")
        config = cls(
            listen=listen, protection=read_protection(variables, grpc={"NJIA_VALIDATOR_LISTEN": listen}, http={})
        )
        variables.check()
        return config
