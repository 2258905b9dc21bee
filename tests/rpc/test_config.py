"""Configuration is read whole, and every problem is reported at once."""

from pathlib import Path

import pytest

from rpc.config import ConfigError, Environment


def problems(environment: Environment) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        environment.check()
    return caught.value.problems


def test_values_are_read_and_what_is_not_set_has_its_default() -> None:
    environment = Environment({"A": " text ", "N": "5", "D": "2.5", "S": "Yes", "L": "[::1]:0", "C": "b", "EMPTY": ""})

    assert environment.text("A", "x") == "text"
    assert environment.text("EMPTY", "x") == "x"
    assert environment.optional_text("EMPTY") is None
    assert environment.integer("N", 1, 0, 10) == 5
    assert environment.integer("M", 1, 0, 10) == 1
    assert environment.decimal("D", 1.0, 0, 10) == 2.5
    assert environment.switch("S", default=False) is True
    assert environment.switch("T", default=True) is True
    assert environment.listen("L", "127.0.0.1:1") == "[::1]:0"
    assert environment.choice("C", "a", ("a", "b")) == "b"
    assert environment.target("X", "127.0.0.1:2") == "127.0.0.1:2"
    assert environment.optional_target("X") is None
    environment.check()


def test_all_problems_come_at_once() -> None:
    environment = Environment(
        {"N": "11", "M": "five", "D": "nan", "S": "perhaps", "L": "8080", "C": "z", "T": "::1:5", "P": "h:99999"}
    )
    environment.integer("N", 1, 0, 10)
    environment.integer("M", 1, 0, 10)
    environment.decimal("D", 1, 0, 10)
    environment.switch("S", default=False)
    environment.listen("L", "127.0.0.1:1")
    environment.choice("C", "a", ("a", "b"))
    environment.target("T", "127.0.0.1:1")
    environment.optional_target("P")
    environment.required_text("R")
    environment.required_secret("K")
    environment.problem("A", "does not go with B")

    assert [problem.split(":")[0] for problem in problems(environment)] == list("NMDSLCTPRKA")


def test_a_secret_comes_from_its_variable_or_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file\n")

    assert Environment({"K": "direct"}).secret("K") == "direct"
    assert Environment({"K_FILE": str(file)}).required_secret("K") == "from the file"
    assert Environment({}).secret("K") is None


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_secret_file_that_gives_nothing_is_a_problem(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    environment = Environment({"K_FILE": str(file)})
    environment.required_secret("K")

    (problem,) = problems(environment)
    assert problem.startswith("K_FILE: ")


def test_a_secret_given_twice_is_a_problem_that_does_not_show_it(tmp_path: Path) -> None:
    environment = Environment({"K": "hush", "K_FILE": str(tmp_path)})
    environment.secret("K")

    (problem,) = problems(environment)
    assert "hush" not in problem


@pytest.mark.parametrize("target", ["127.0.0.1:50051", "engine:1", "[::1]:1", "dns:///engine:50052", "dns:engine:1"])
def test_usual_targets_are_taken(target: str) -> None:
    environment = Environment({"T": target})

    assert environment.target("T", "x:1") == target
    environment.check()
