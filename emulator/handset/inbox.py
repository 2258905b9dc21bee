"""Watches the phone's inbox."""

import time

from emulator.handset.control_client import ControlClient, InboxMessage

POLL_SECONDS = 0.1

QUIET_SECONDS = 1.0
"""No further message for so long means that no more is on the way."""


class Inbox:
    """Messages that arrived since the phone was taken up."""

    def __init__(self, client: ControlClient, msisdn: str) -> None:
        self._client = client
        self._msisdn = msisdn
        self._seen = {message.message_id for message in client.inbox(msisdn)}

    def new(self) -> list[InboxMessage]:
        """Returns the messages that were not returned before."""
        arrived = [message for message in self._client.inbox(self._msisdn) if message.message_id not in self._seen]
        self._seen.update(message.message_id for message in arrived)
        return arrived

    def wait(self, longest_seconds: float) -> list[InboxMessage]:
        """Returns the first messages that arrive, none when the time runs out before."""
        deadline = time.monotonic() + longest_seconds
        while not (arrived := self.new()) and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(POLL_SECONDS, left))
        return arrived
