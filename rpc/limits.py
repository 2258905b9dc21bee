"""Bounds that both ends of a gRPC connection must agree on."""

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Largest message in either direction."""

KEEPALIVE_INTERVAL_MS = 20_000
"""A client asks a silent connection so often whether it lives. A dead peer is noticed without a call."""

KEEPALIVE_TIMEOUT_MS = 5_000
"""A connection that does not answer for so long is closed."""

SHORTEST_PING_INTERVAL_MS = 10_000
"""A server closes connections that ask more often; must be below KEEPALIVE_INTERVAL_MS."""

LONGEST_CONNECTION_MS = 30_000
"""
A server asks its clients to connect anew so often, about. They look the name up again then, and so find replicas that
were added. No call notices.
"""

LONGEST_CALL_MS = 960_000
"""What goes on on a connection that was asked to end may take so long: a stream that is followed lives 15 minutes."""
