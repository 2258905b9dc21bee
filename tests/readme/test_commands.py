"""What the documentation has people type is there to be typed: targets, commands, options, modules, services."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
import yaml
from starlette.routing import Match

from cli.__main__ import app
from gateway.routes import admin, events, executions, flows, health, metrics, registry, sessions, unclaimed, webhooks

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "emulator/README.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
ROUTERS = [
    routes.router
    for routes in (health, metrics, flows, executions, events, registry, unclaimed, sessions, webhooks, admin)
]
COMPOSE_FILES = ("docker-compose.yml", "docker-compose.tls.yml")


def typed() -> Iterator[str]:
    """Every line of a block of commands, continued ones as one, and everything between backquotes elsewhere."""
    for page in PAGES:
        block: str | None = None
        for line in re.sub(r" *\\\n *", " ", page.read_text(encoding="utf-8")).splitlines():
            if line.startswith("```"):
                block = None if block is not None else line
            elif block == "```":
                yield line
            elif block is None:
                yield from re.findall(r"`([^`]+)`", line)


def commands(pattern: str) -> list[pytest.param]:  # type: ignore[valid-type]
    """Those that match, without comments behind them."""
    found = {re.split(r"\s#\s|\s{2,}", line)[0].strip() for line in typed() if re.search(pattern, line)}
    assert found
    return [pytest.param(command, id=command) for command in sorted(found)]


@pytest.mark.parametrize("command", commands(r"^make [a-z]"))
def test_a_target_of_make_is_one(command: str) -> None:
    target = command.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", commands(r"^(\S+=\S+ )*(\.venv/bin/)?njia [a-z-]"))
def test_a_command_of_njia_takes_what_it_is_given(command: str) -> None:
    words = shlex.split(command.partition(" >> ")[0])
    arguments = words[words.index(next(word for word in words if word.endswith("njia"))) + 1 :]
    if arguments in (["--help"], ["…"], ["keys", "new"]):
        return
    parse(typer.main.get_command(app), arguments)


def test_an_option_that_is_not_there_would_be_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse(typer.main.get_command(app), ["keys", "new", "name", "--scopes", "read"])


def parse(command: Any, arguments: list[str]) -> None:
    """Parses the arguments of a command and of those below it; nothing is run."""
    context = command.make_context("njia", arguments)
    if hasattr(command, "resolve_command"):
        _, below, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        parse(below, rest)


@pytest.mark.parametrize("command", commands(r"^curl .*localhost:8080/"))
def test_an_address_of_the_rest_api_is_served(command: str) -> None:
    words = shlex.split(command)
    url = next(word for word in words if "localhost:8080/" in word)
    method = words[words.index("-X") + 1] if "-X" in words else "POST" if "-d" in words else "GET"
    path = urlsplit(url if "://" in url else f"http://{url}").path
    scope = {"type": "http", "method": method, "path": path}
    assert any(route.matches(scope)[0] is Match.FULL for router in ROUTERS for route in router.routes)


@pytest.mark.parametrize("command", commands(r"(^|\s)(\.venv/bin/)?python3? -m [a-z]"))
def test_a_module_that_is_run_is_there(command: str) -> None:
    module = re.search(r"python3? -m ([a-z_.]+)", command)
    assert module is not None
    found = importlib.util.find_spec(module[1])
    assert found is not None
    assert not found.submodule_search_locations or importlib.util.find_spec(f"{module[1]}.__main__")


@pytest.mark.parametrize("command", commands(r"docker-compose "))
def test_containers_are_asked_for_what_there_is(command: str) -> None:
    files = [yaml.safe_load((ROOT / name).read_text()) for name in COMPOSE_FILES]
    services = files[0]["services"]
    profiles = {profile for service in services.values() for profile in service.get("profiles", [])}
    variables = set(re.findall(r"\$\{(\w+)", (ROOT / COMPOSE_FILES[0]).read_text()))

    words = shlex.split(command)
    asked = words[words.index("docker-compose") + 1 :]
    assert {word.partition("=")[0] for word in words[: words.index("docker-compose")]} <= variables
    while asked:
        word = asked.pop(0)
        match word:
            case "--profile":
                assert asked.pop(0) in profiles
            case "-f":
                assert asked.pop(0) in COMPOSE_FILES
            case "--scale":
                assert asked.pop(0).partition("=")[0] in services
            case "up" | "build" | "stop" | "--build":
                pass
            case _:
                assert word in services


def test_services_of_the_second_file_are_those_of_the_first() -> None:
    first, second = (yaml.safe_load((ROOT / name).read_text())["services"] for name in COMPOSE_FILES)
    assert set(second) == {
        name for name, service in first.items() if "NJIA_TLS_CERT_FILE" in service.get("environment", {})
    }
