"""USSD_SCREEN_TOO_LONG: a screen fits on the phone, as far as its text and what is known of its variables tell."""

from collections.abc import Iterator

from services.validator.flow import Flow, FlowNode
from services.validator.literals import literal_config
from workflow.issues import Issue
from workflow.screens import AIRTEL_CHARACTERS, SCREEN_CHARACTERS, screen_size
from workflow.voice import VOICE

AIRTEL_NETWORKS = frozenset({"62006", "62120", "63514", "63903", "64005", "64101", "64501"})
"""Network codes of Airtel in Ghana, Nigeria, Rwanda, Kenya, Tanzania, Uganda and Zambia."""


def check(flow: Flow) -> Iterator[Issue]:
    """Yields each node of which a screen is too long with the shortest values that its variables can have."""
    if flow.trigger_type is not None and flow.trigger_type.session_type == VOICE:
        # What is said in a call fits.
        return
    limit = AIRTEL_CHARACTERS if _network(flow) in AIRTEL_NETWORKS else SCREEN_CHARACTERS
    for node in flow.nodes.values():
        for screen in _screens(node):
            size = screen_size(screen, limit)
            if not size.fits:
                why = "" if size.is_gsm else ", since it holds characters beyond the GSM alphabet"
                message = (
                    f"{node.id} shows at least {size.taken} characters; a phone shows {size.room}{why}: "
                    "shorten it or use pagination"
                )
                yield Issue("USSD_SCREEN_TOO_LONG", message, node.id, path=f"{node.path}.config", is_warning=True)
                break


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
