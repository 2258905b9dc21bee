"""The command line of the handset."""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from emulator.config import DEFAULT_LISTEN
from emulator.handset.control_client import ControlClient, EmulatorUnreachable, RequestRefused
from emulator.handset.display import Display
from emulator.handset.keypad import Keypad
from emulator.handset.phone import HANG_UP, Phone
from emulator.handset.voice import VoicePhone
from rpc.listening import parse_listen, reachable

EXIT_ENDED, EXIT_FAILED, EXIT_WRONG_USE, EXIT_INTERRUPTED = 0, 1, 2, 130

_IDLE_SECONDS = 0.5
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """
    Dials, texts, opts out, calls, or waits for a call.

    Returns:
        0 when the session or the call ended properly, the SMS was answered or the opt-out noted, 1 otherwise, 2 when
        the arguments are wrong, 130 after Ctrl-C.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.sms is not None and options.to is None:
        parser.error("--sms needs --to")
    display = Display()
    try:
        client = ControlClient(options.emulator or _default_url(environ))
    except ValueError as error:
        parser.error(f"NJIA_EMULATOR_LISTEN: {error}")
    try:
        return EXIT_ENDED if _use(client, display, options) else EXIT_FAILED
    except EmulatorUnreachable as error:
        display.say(f"The emulator does not answer at {error}.")
        display.say("Start everything with `make run`, or the emulator alone with `python -m emulator`.")
        return EXIT_FAILED
    except RequestRefused as error:
        display.say(f"The emulator refused: {error}.")
        return EXIT_FAILED
    except KeyboardInterrupt:
        display.end_line()
        display.say("Hung up.")
        return EXIT_INTERRUPTED
    finally:
        client.close()


def _use(client: ControlClient, display: Display, options: argparse.Namespace) -> bool:
    keypad = Keypad(sys.stdin.fileno(), _IDLE_SECONDS)
    if options.call is not None:
        return VoicePhone(client, display, keypad, options.msisdn).call(options.call, options.wait)
    if options.answer:
        return VoicePhone(client, display, keypad, options.msisdn).wait_for_call(options.wait)
    phone = Phone(client, display, keypad, options.msisdn)
    if options.opt_out is not None:
        return phone.opt_out(options.opt_out)
    if options.sms is not None:
        return phone.text(options.to, options.sms, options.wait)
    return phone.call(options.code, options.service_code, options.network, options.wait)


def _phone_number(text: str) -> str:
    if not _E164.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no phone number; one looks like +254711000001")
    return text


class _Parser(argparse.ArgumentParser):
    """Says what is wrong alone: `make dial` and the like call this, and their options are others."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_WRONG_USE, f"{message.removeprefix('argument ')}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m emulator.handset",
        description=f"A phone in the terminal. While a session runs, every line is sent; {HANG_UP} or Ctrl-C hangs up.",
    )
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--code", help="dial this USSD code, such as '*384*1#'")
    action.add_argument("--sms", metavar="TEXT", help="send this SMS and wait for the answer; needs --to")
    action.add_argument(
        "--opt-out", metavar="SENDER", help="want no more messages of this sender; of every sender where it is ''"
    )
    action.add_argument("--call", metavar="NUMBER", type=_phone_number, help="call this number of the account")
    action.add_argument("--answer", action="store_true", help="wait for a call from the platform and pick up")
    parser.add_argument(
        "--from", dest="msisdn", type=_phone_number, default="+254711000001", help="the phone's number (%(default)s)"
    )
    parser.add_argument("--to", help="the short code that the SMS goes to")
    parser.add_argument("--service-code", help="the rented code, when --code has more typed behind it")
    parser.add_argument("--network", metavar="CODE", help="the phone's network, such as 63902 for Safaricom")
    parser.add_argument(
        "--wait", type=float, default=10.0, help="longest wait for SMS or a call, seconds (%(default)g)"
    )
    parser.add_argument("--emulator", metavar="URL", help="the emulator (http:// and NJIA_EMULATOR_LISTEN)")
    return parser


def _default_url(environ: Mapping[str, str]) -> str:
    listen = environ.get("NJIA_EMULATOR_LISTEN", "").strip() or DEFAULT_LISTEN
    parse_listen(listen)
    return f"http://{reachable(listen)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
