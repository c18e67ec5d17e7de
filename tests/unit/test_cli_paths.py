"""Files and folders named on a command line: nothing makes a command wait, by any option."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import kit.cli
from kit.cli.values import FOLDER, NEW_FOLDER, SMALL_FILE, NamedPath
from kit.errors import InputError
from kit.host.network import CA_VARIABLES, read_network


def _commands(group: click.Group, name: str = "") -> Iterator[tuple[str, click.Command]]:
    for command in group.commands.values():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{name}{command.name} ")
        else:
            yield f"{name}{command.name}", command


COMMANDS = dict(_commands(kit.cli.cli))
NAMED = [
    (name, parameter.name)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if isinstance(parameter.type, click.Path | click.File)
]


def _line(name: str, wanted: str, path: Path, place: Path) -> list[str]:
    """A command line with that path, and something usable for what else is needed."""
    (place / "folder").mkdir()
    (place / "file").touch()
    words = name.split()
    for parameter in COMMANDS[name].params:
        folder = parameter.type in (FOLDER, NEW_FOLDER)
        value = path if parameter.name == wanted else place / ("folder" if folder else "file")
        if parameter.name == wanted or parameter.required:
            is_option = isinstance(parameter, click.Option)
            words += [parameter.opts[0], str(value)] if is_option else [str(value)]
            words += [str(value)] if parameter.nargs == -1 else []
    return words


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    """A test that waits for the other end of a pipe would wait for ever."""
    signal.alarm(20)
    yield
    signal.alarm(0)


def test_every_option_of_a_path_has_the_type_that_refuses() -> None:
    assert len(NAMED) > 15
    for name, parameter in NAMED:
        (found,) = (p for p in COMMANDS[name].params if p.name == parameter)
        assert isinstance(found.type, NamedPath), (name, parameter)


@pytest.mark.parametrize(("name", "parameter"), NAMED)
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to a pipe"])
def test_what_is_no_file_or_folder_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, parameter: str, kind: str
) -> None:
    path = tmp_path / "odd"
    if kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind == "device":
        path = Path("/dev/zero")
    else:
        os.mkfifo(path if kind == "pipe" else tmp_path / "pipe")
        if kind != "pipe":
            path.symlink_to("pipe")
    assert kit.cli.run(_line(name, parameter, path, tmp_path)) == InputError.exit_code
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize(("name", "parameter"), NAMED)
def test_a_folder_for_a_file_and_a_file_for_a_folder_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, parameter: str
) -> None:
    (found,) = (p for p in COMMANDS[name].params if p.name == parameter)
    path = tmp_path / "other"
    path.touch() if found.type in (FOLDER, NEW_FOLDER) else path.mkdir()
    assert kit.cli.run(_line(name, parameter, path, tmp_path)) == InputError.exit_code
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "parameter"), [("sign", "key"), ("verify", "allowed_signers"), ("lock", "nuget_lock")]
)
def test_a_file_larger_than_any_such_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, parameter: str
) -> None:
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(SMALL_FILE + 1)
    line = _line(name, parameter, tmp_path / "large", tmp_path)
    assert kit.cli.run(line) == InputError.exit_code
    assert str(tmp_path / "large") in capsys.readouterr().err


@pytest.mark.parametrize("name", CA_VARIABLES)
def test_a_pipe_for_certificates_is_refused(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=name):
        read_network({name: str(tmp_path / "pipe")})
