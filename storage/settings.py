"""Where the store is, read from the environment."""

from rpc.config import Environment
from storage.connection import check_url

DEFAULT_REDIS_URL = "redis://127.0.0.1:6379/0"


def redis_url(environment: Environment) -> str:
    """
    Returns NJIA_REDIS_URL (or the content of the file that NJIA_REDIS_URL_FILE names), default DEFAULT_REDIS_URL.

    One server is redis://host:port/0 (rediss:// with TLS, unix://path), a cluster is redis+cluster://host:port[,host:port…]
    (rediss+cluster:// with TLS); see storage.connection.connect.

    An address that cannot be used becomes a problem of the environment. The problem does not repeat the address,
    which may hold a password.
    """
    url = environment.secret("NJIA_REDIS_URL") or DEFAULT_REDIS_URL
    try:
        check_url(url)
    except ValueError as problem:
        environment.problem("NJIA_REDIS_URL", str(problem))
    return url
