"""Options with a structure: commands receive their values parsed, or the line is refused."""

from __future__ import annotations

from typing import Any

import click
import pytest

import kit.cli
from kit.cli import values
from kit.errors import InputError
from kit.judge.rules import FailRule
from kit.plan.model import MAX_BLOCKS
from kit.plan.shard import Shard


def given(command: str, *arguments: str) -> dict[str, Any]:
    """What a command would receive."""
    top = kit.cli.cli.make_context("kit", [], resilient_parsing=True)
    found = kit.cli.cli.commands[command]
    return found.make_context(command, list(arguments), parent=top).params


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        ([], "arms", ()),
        (["--arms", ""], "arms", ()),
        (["--arms", "a, b ,,c"], "arms", ("a", "b", "c")),
        ([], "memory", None),
        (["--memory", ""], "memory", None),
        (["--memory", "1.5k"], "memory", 1500),
        ([], "shard", None),
        (["--shard", ""], "shard", None),
        (["--shard", "2/4"], "shard", Shard(2, 4)),
        ([], "fail_on", ()),
        (["--fail-on", ""], "fail_on", ()),
        (["--fail-on", "C5!=reproduced"], "fail_on", (FailRule("C5", "REPRODUCED", True),)),
    ],
)
def test_a_command_receives_the_parsed_value(
    arguments: list[str], name: str, value: object
) -> None:
    assert given("reproduce", *arguments)[name] == value


def test_a_command_receives_the_labels_of_each_runner() -> None:
    found = given("matrix", "--runner", "a", "--runner", "[b, c]")
    assert found["runners"] == (("a",), ("b", "c")) and found["gpu_runners"] == ()


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("reproduce", "--memory", "much"),
        ("reproduce", "--shard", "4/2"),
        ("reproduce", "--fail-on", "nonsense"),
        ("matrix", "--runner", "a,b"),
        ("matrix", "--gpu-runner", "[]"),
    ],
)
def test_what_is_no_such_value_is_refused_by_the_name_of_its_option(
    command: str, option: str, value: str
) -> None:
    with pytest.raises(InputError, match=f"^{option}: "):
        given(command, option, value)


@pytest.mark.parametrize("command", ["reproduce", "ablate"])
def test_there_may_be_as_many_blocks_as_a_plan_may_have(command: str) -> None:
    assert values.MAX_BLOCKS == MAX_BLOCKS
    assert given(command, "--blocks", str(MAX_BLOCKS))["blocks"] == MAX_BLOCKS
    with pytest.raises(click.BadParameter):
        given(command, "--blocks", str(MAX_BLOCKS + 1))


COMMANDS = [
    [*name.split(), "--help"]
    for name in (*kit.cli.cli.commands, *(f"bundle {part}" for part in ("save", "load")))
]


@pytest.mark.parametrize("columns", ["60", "80", "120"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_a_help(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    columns: str,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert kit.cli.run(words) == 0
    assert "--help" in capsys.readouterr().out
