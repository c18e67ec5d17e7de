"""Old names of options: they work, say the new one, and are not shown."""

from __future__ import annotations

import re

import click
import pytest

import kit.cli
from kit.cli.options import ImageOptions, build_options, image_options, measuring_options
from kit.images.build.binding import NAMES

BUILDING = ("reproduce", "ablate", "build", "bundle save")
RENAMED = [
    *((command, "--noisy", "--allow-busy-host") for command in ("reproduce", "ablate")),
    *((command, "--wait", "--wait-for-lock") for command in BUILDING),
    *((command, "--setup", "--install-engine") for command in BUILDING),
    ("setup", "--stop", "--stop-engine"),
    ("build", "--verify", "--check-reproducible"),
]


def command(name: str) -> click.Command:
    """The command of that name."""
    found: click.Command = kit.cli.cli
    for word in name.split():
        assert isinstance(found, click.Group)
        found = found.commands[word]
    return found


def parsed(name: str, *options: str) -> dict[str, object]:
    """What the command receives for these options."""
    words = [*options, *(["out.bundle"] if name == "bundle save" else [])]
    # Below the group, as when it runs: a command keeps the help option of its first context.
    top = kit.cli.cli.make_context("kit", [], resilient_parsing=True)
    return command(name).make_context(name, words, parent=top).params


@pytest.mark.parametrize(("name", "old", "new"), RENAMED)
def test_an_old_name_is_the_new_one_and_says_so_in_one_line(
    capsys: pytest.CaptureFixture[str], name: str, old: str, new: str
) -> None:
    wanted = parsed(name, new)
    assert capsys.readouterr() == ("", "")
    assert wanted != parsed(name)
    for given in ([old], [old, old], [old, new], [new, old]):
        assert parsed(name, *given) == wanted
        out, err = capsys.readouterr()
        (line,) = err.splitlines()
        assert out == "" and line.startswith("kit: ")
        assert {old, new} <= set(line.replace(";", "").split())


@pytest.mark.parametrize(("name", "old", "new"), RENAMED)
def test_help_shows_the_new_name_alone(
    capsys: pytest.CaptureFixture[str], name: str, old: str, new: str
) -> None:
    assert kit.cli.run([*name.split(), "--help"]) == 0
    shown = re.findall(r"--[a-z-]+", capsys.readouterr().out)
    assert new in shown and old not in shown


@pytest.mark.parametrize("given", [["--design", "sequential"], ["--design=sequential"]])
def test_an_old_design_is_the_new_one_and_says_so_in_one_line(
    capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    assert parsed("reproduce", *given)["design"] == "alternating"
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == "" and "--design sequential" in line and "--design alternating" in line
    assert parsed("reproduce")["design"] == "alternating"
    assert parsed("reproduce", *given, "--design", "duet")["design"] == "duet"
    assert capsys.readouterr() == ("", "")
    assert kit.cli.run(["reproduce", "--help"]) == 0
    assert "sequential" not in capsys.readouterr().out
    assert kit.cli.run(["reproduce", "--design", "serial"]) == 2
    assert "sequential" not in capsys.readouterr().err


def nuget_source(*options: str) -> str:
    """The feed that the builder gets for these options."""
    received: list[str] = []

    def receive(images: ImageOptions) -> None:
        received.append(build_options(images).nuget_source)

    click.command()(image_options(receive)).main(list(options), standalone_mode=False)
    return received[0]


def test_the_old_option_of_a_feed_sets_it(capsys: pytest.CaptureFixture[str]) -> None:
    feed = "https://feed.example/v3?a=b"
    assert nuget_source() == nuget_source("--set", "nuget_source=") == ""
    assert nuget_source("--set", f"nuget_source={feed}") == feed
    assert capsys.readouterr() == ("", "")
    assert nuget_source("--nuget-source", feed) == feed
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == "" and "--set nuget_source=FEED" in line


@pytest.mark.parametrize(
    ("given", "busy"), [([], False), (["--allow-busy-host"], True), (["--noisy"], True)]
)
def test_a_command_that_measures_gets_whether_the_host_may_be_busy(
    given: list[str], busy: bool
) -> None:
    received: list[ImageOptions] = []

    def receive(images: ImageOptions) -> None:
        received.append(images)

    click.command()(measuring_options(receive)).main(given, standalone_mode=False)
    assert [images.allow_busy_host for images in received] == [busy]


@pytest.mark.parametrize("name", BUILDING)
def test_help_names_every_setting(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert kit.cli.run([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--set NAME=VALUE" in shown and "--nuget-source" not in shown
    assert [setting for setting in NAMES if setting not in shown] == []


def test_an_unknown_option_is_never_answered_with_an_old_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert kit.cli.run(["build", "--setu"]) == 2
    said = capsys.readouterr().err
    assert "--set" in said and "'--setup'" not in said
