"""USSD_SCREEN_TOO_LONG: a screen fits on the phone, as far as its text and what is known of its variables tell."""

from collections.abc import Iterator

from services.validator.flow import Flow, FlowNode
from services.validator.literals import literal_config
from workflow import gsm
from workflow.issues import Issue
from workflow.screens import AIRTEL_CHARACTERS, SCREEN_CHARACTERS, ScreenSize, screen_size
from workflow.voice import VOICE

AIRTEL_NETWORKS = frozenset({"62006", "62120", "63514", "63903", "64005", "64101", "64501"})
"""Network codes of Airtel in Ghana, Nigeria, Rwanda, Kenya, Tanzania, Uganda and Zambia."""


def check(flow: Flow) -> Iterator[Issue]:
    """Yields each node of which a screen is too long with the shortest values that its variables can have."""
    if flow.trigger_type is not None and flow.trigger_type.session_type == VOICE:
        # What is said in a call fits.
        return
    network = _network(flow)
    limit = AIRTEL_CHARACTERS if network in AIRTEL_NETWORKS else SCREEN_CHARACTERS
    for node in flow.nodes.values():
        for screen in _screens(node):
            size = screen_size(screen, limit)
            if not size.fits:
                message = (
                    f"{node.id} shows at least {size.taken} characters; {_shown(screen, size, network)}: "
                    "shorten it or use pagination"
                )
                yield Issue("USSD_SCREEN_TOO_LONG", message, node.id, path=f"{node.path}.config", is_warning=True)
                break


def _shown(screen: str, size: ScreenSize, network: object) -> str:
    """Says how much of a screen a phone shows, on which network, and why it is no more."""
    where = " on Airtel" if network in AIRTEL_NETWORKS else ""
    on_airtel = screen_size(screen, AIRTEL_CHARACTERS).room
    elsewhere = f" ({on_airtel} on Airtel, for a trigger with its networkCode)" if network is None else ""
    strange = gsm.strange_character(screen)
    why = "" if strange is None else f", since {strange!r} is not in the GSM alphabet"
    return f"a phone{where} shows {size.room}{elsewhere}{why}"


def _network(flow: Flow) -> object:
    """The network that the trigger is for, None for all."""
    if flow.trigger is None or flow.trigger.draft.config is None:
        return None
    code = flow.trigger.draft.config.get("networkCode")
    return code if isinstance(code, str) else None


def _screens(node: FlowNode) -> tuple[str, ...]:
    if not node.shows or node.type is None:
        return ()
    config = literal_config(node)
    return () if config is None else tuple(node.type.screens(config))
