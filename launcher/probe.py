"""
Asks whatever services run beside it whether they are well: `python -m launcher.probe`. Exit code 0: they are; 1: not.

For the health check of the image, which does not know which service its container runs. It reads what they read:
NJIA_<SERVICE>_LISTEN and the variables of TLS. Who knows the service asks it with `rpc.probe` or `gateway.probe`, as
docker-compose.yml does.
"""

import os
import sys
from collections.abc import Mapping

from gateway.probe import lives
from launcher import addresses
from rpc.listening import reachable
from rpc.probe import is_serving

GATEWAY = "NJIA_GATEWAY_LISTEN"
GRPC = ("NJIA_VALIDATOR_LISTEN", "NJIA_ENGINE_LISTEN", "NJIA_SESSIONS_LISTEN", "NJIA_AT_ADAPTER_LISTEN")


def are_well(environ: Mapping[str, str]) -> bool:
    """Tells whether at least one service listens on this machine, and each that does says that it serves."""
    listens = addresses.listens(environ)
    here = [name for name in (GATEWAY, *GRPC) if addresses.is_taken(listens[name])]
    return bool(here) and all(
        lives(environ) if name == GATEWAY else is_serving(reachable(listens[name])) for name in here
    )


if __name__ == "__main__":
    sys.exit(0 if are_well(os.environ) else 1)
