"""Several processes of one service, behind one target that names them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from launcher import addresses
from launcher.valkey import free_port

LISTENS_OF: Mapping[str, Sequence[str]] = {
    "validator": ("NJIA_VALIDATOR_LISTEN",),
    "engine": ("NJIA_ENGINE_LISTEN",),
    "sessions": ("NJIA_SESSIONS_LISTEN",),
    "at_adapter": ("NJIA_AT_ADAPTER_LISTEN", "NJIA_AT_ADAPTER_CALLBACKS_LISTEN"),
    "gateway": ("NJIA_GATEWAY_LISTEN",),
}
"""Addresses of a replica of its own, by service; the first one takes gRPC calls, but for the gateway's."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """
    Arguments of a Stack. The first replica of a service has the service's name, the second is called name-2.

    Attributes:
        layout: A process for each replica.
        environ: Variables of all of them: targets name all replicas of a service. The gateway has none.
        own: Variables of the second replicas and those after them: where they listen.
    """

    layout: Mapping[str, Sequence[str]]
    environ: Mapping[str, str]
    own: Mapping[str, Mapping[str, str]]


def replicated(layout: Mapping[str, Sequence[str]], counts: Mapping[str, int]) -> Replicas:
    """
    Returns how to run several processes of some services on free ports of 127.0.0.1.

    Args:
        layout: One process of each service, by the service's name.
        counts: How many of each are wanted, by a name of LISTENS_OF; one where nothing is said.
    """
    listens = addresses.free_listens()
    processes, environ, own = dict(layout), dict(listens), dict[str, Mapping[str, str]]()
    for service, count in counts.items():
        grpc_listen = LISTENS_OF[service][0]
        replicas = [listens[grpc_listen]]
        for number in range(2, count + 1):
            name = f"{service}-{number}"
            processes[name] = layout[service]
            own[name] = {variable: f"127.0.0.1:{free_port()}" for variable in LISTENS_OF[service]}
            replicas.append(own[name][grpc_listen])
        if service != "gateway":
            environ[f"NJIA_{service.upper()}_TARGET"] = f"ipv4:///{','.join(replicas)}"
    return Replicas(processes, environ, own)
