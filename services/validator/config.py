"""Settings of the validator, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from rpc.config import Environment


@dataclass(frozen=True, slots=True)
class ValidatorConfig:
    """
    Attributes:
        listen: Where gRPC is served, host:port. NJIA_VALIDATOR_LISTEN, default 127.0.0.1:50051.
    """

    listen: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "ValidatorConfig":
        """Raises ConfigError with every problem."""
        variables = Environment(environ)
        config = cls(listen=variables.listen("NJIA_VALIDATOR_LISTEN", "127.0.0.1:50051"))
        variables.check()
        return config
