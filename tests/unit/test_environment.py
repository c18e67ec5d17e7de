"""The environment: what is settled before a command, and the folders of a user without a home."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from kit.cli import run
from kit.environment import cache_folder, data_folder, home, settle, state_folder, variables
from kit.errors import InputError
from kit.images.bundle.load import loaded
from kit.images.inspect.describe import Description, user_cache


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user id that the system's list does not hold, without HOME."""

    def unknown(_number: int) -> Any:
        raise KeyError

    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.parametrize(
    "name, values",
    [
        ("COLUMNS", ("", "0", "19", "1001", "-80", "8e1", "٨٠", "9" * 5000)),
        ("LINES", ("", "0", "x", "1001")),
        ("HOME", ("", "0", "~", "relative/place")),
        ("XDG_CACHE_HOME", ("", "0", "./cache")),
        ("MPLBACKEND", ("", "agg", "module://matplotlib_inline.backend_inline")),
        ("MPLCONFIGDIR", ("", "0")),
        ("SOURCE_DATE_EPOCH", ("", "0", "now")),
        ("NO_COLOR", ("",)),
    ],
)
def test_values_that_nothing_could_use_count_as_unset(name: str, values: tuple[str, ...]) -> None:
    for value in values:
        environ = {name: value, "OTHER": ""}
        settle(environ)
        assert environ == {"OTHER": "", "MATPLOTLIBRC": os.devnull}


def test_values_that_can_be_used_stay() -> None:
    given = {
        "COLUMNS": "20", "LINES": "1000", "HOME": "/home/a", "XDG_DATA_HOME": "/d",
        "MPLCONFIGDIR": "/m", "NO_COLOR": "1", "KIT_MIRROR": "::", "LANG": "",
    }  # fmt: skip
    environ = {**given, "MATPLOTLIBRC": "/home/a/rc"}
    settle(environ)
    assert environ == {**given, "MATPLOTLIBRC": os.devnull}


def test_only_what_is_listed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_MIRROR", "a.example")
    monkeypatch.setenv("KIT_OTHER", "x")
    assert variables()["KIT_MIRROR"] == "a.example" and "KIT_OTHER" not in variables()


def test_a_relative_home_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "0")
    assert home() == Path(pwd.getpwuid(os.getuid()).pw_dir)


@pytest.mark.usefixtures("homeless")
def test_a_user_without_a_home_has_no_cache_and_no_loaded_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert home() is cache_folder() is data_folder() is None
    cache = user_cache()
    cache.put("sha256:1", Description("2", ()))
    assert cache.get("sha256:1") is None and loaded(data_folder()) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("homeless")
def test_what_must_be_kept_needs_a_folder_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="HOME"):
        state_folder()
    (tmp_path / "a.tar").touch()
    assert run(["bundle", "load", str(tmp_path / "a.tar")]) == InputError.exit_code
    assert "XDG_DATA_HOME" in capsys.readouterr().err
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "kit"


def test_a_command_settles_the_environment_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MPLBACKEND", "MATPLOTLIBRC", "COLUMNS"):
        monkeypatch.setenv(name, "0")
    assert run(["--version"]) == 0
    assert "MPLBACKEND" not in os.environ and "COLUMNS" not in os.environ
    assert os.environ["MATPLOTLIBRC"] == os.devnull
