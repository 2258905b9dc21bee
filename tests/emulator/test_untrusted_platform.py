"""A platform whose certificate nobody vouches for: the phone does not say that it should be started."""

import asyncio
import ssl
from pathlib import Path

import pytest

from emulator.callbacks import CallbackFailed, CallbackSender, form_callback
from emulator.handset.phone import remedy
from tests.rpc.certificates import Authority


async def test_a_certificate_that_is_not_trusted_is_told_with_what_to_do(tmp_path: Path) -> None:
    signed = Authority(tmp_path, "nobody").signed("platform")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(signed.certificate, signed.key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    sender = CallbackSender(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", None, 1)
    await sender.open()
    try:
        with pytest.raises(CallbackFailed) as failed:
            await sender.post(form_callback("/ussd", []), 30.0)
    finally:
        await sender.close()
        server.close()
    assert "its certificate is not trusted" in str(failed.value)
    assert "SSL_CERT_FILE" in remedy(str(failed.value))


def test_a_platform_that_is_not_there_is_to_be_started() -> None:
    assert "make run" in remedy("http://127.0.0.1:8090/at/ussd gave no answer: Connection refused")
