"""`.env` is read as docker compose reads it."""

from pathlib import Path

import pytest

from launcher import env_file


def test_names_comments_and_quotes(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# a comment\n\nA=1\n B = two words \nC='quoted # text'\nD=\"\"\nE=a=b\n")

    assert env_file.read(file) == {"A": "1", "B": "two words", "C": "quoted # text", "D": "", "E": "a=b"}


def test_no_file_is_no_variables(tmp_path: Path) -> None:
    assert env_file.read(tmp_path / ".env") == {}


@pytest.mark.parametrize("line", ["export A=1", "A", "=1", "A-B=1"])
def test_a_line_that_is_something_else_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"A=1\n{line}\n")

    with pytest.raises(env_file.EnvFileError, match=r"\.env, line 2"):
        env_file.read(file)


def test_the_example_file_can_be_read() -> None:
    file = Path(__file__).parents[2] / ".env.example"

    assert file.exists()
    env_file.read(file)
