"""What a person dials, split into the service code and what is typed ahead."""

import re

_DIALLED = re.compile(r"\*[0-9]+(\*[0-9*]*)?#", re.ASCII)


class NotDiallable(Exception):
    """The code cannot be dialled, or does not belong to the service code. The message says which."""


def split_dialled(code: str, service_code: str | None) -> tuple[str, str]:
    """
    Splits a dialled code such as *384*1*2*3# into the service code and the text typed ahead.

    Args:
        code: What was dialled.
        service_code: The code that the platform rents, such as *384*1#; without it the whole of `code` is that.

    Raises:
        NotDiallable: Either is no USSD code, or the one does not begin with the other.
    """
    for given in (code, service_code or code):
        if not _DIALLED.fullmatch(given):
            raise NotDiallable(f"{given!r} is no USSD code; one looks like *384*1#")
    if service_code is None or service_code == code:
        return code, ""
    shortcut = f"{service_code[:-1]}*"
    if not code.startswith(shortcut):
        raise NotDiallable(f"{code} does not begin with the service code {service_code}")
    return service_code, code[len(shortcut) : -1]
