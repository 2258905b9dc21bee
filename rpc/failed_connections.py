"""Why a connection could not be made."""

import os
import ssl


def reason(error: BaseException) -> str:
    """
    Says why in the words of the system or of TLS. What asyncio and aiohttp say instead is longer and names the address.

    Args:
        error: Of aiohttp, which keeps the error of the system in `os_error`, or that itself.
    """
    inner = getattr(error, "os_error", error)
    if isinstance(inner, ssl.SSLError):
        # Its errno is none of the system's.
        return f"TLS failed: {inner.reason}"
    number = getattr(inner, "errno", None)
    return os.strerror(number) if number else type(inner).__name__
