"""Why a connection could not be made, in words for people."""

import errno
import ssl

import pytest

from rpc import failed_connections


class _OfAiohttp(Exception):
    def __init__(self, os_error: OSError) -> None:
        super().__init__("Cannot connect to host example.com:443 ssl:default")
        self.os_error = os_error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('10.1.2.3', 443)"), "Connection refused"),
        (_OfAiohttp(OSError(errno.EHOSTUNREACH, "Connect call failed")), "No route to host"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_it_is_said_in_the_words_of_the_system(error: Exception, said: str) -> None:
    assert failed_connections.reason(error) == said


def test_the_number_of_a_tls_error_is_none_of_the_systems() -> None:
    answered, asked = ssl.MemoryBIO(), ssl.MemoryBIO()
    answered.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError) as caught:
        ssl.create_default_context().wrap_bio(answered, asked, server_hostname="example.com").do_handshake()
    assert failed_connections.reason(_OfAiohttp(caught.value)) == "TLS failed: WRONG_VERSION_NUMBER"
