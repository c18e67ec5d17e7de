"""The command line: exit codes, one clear error each, no traceback, quick help."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import kit.cli
from kit.cli.options import TOPICS
from kit.errors import ERRORS, EXIT_INTERRUPTED, ImageError, KitError


@pytest.fixture(autouse=True)
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here may meet a real engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.delenv("KIT_DEBUG", raising=False)


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """A command ``break`` that raises."""

    def callback() -> None:
        raise error

    monkeypatch.setitem(kit.cli.cli.commands, "break", click.Command("break", callback=callback))


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_ends_with_its_code_and_says_problem_and_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: type[KitError]
) -> None:
    raising(monkeypatch, error("it is broken", "mend it"))
    assert kit.cli.run(["break"]) == error.exit_code
    out, err = capsys.readouterr()
    assert err == "kit: it is broken\n     remedy: mend it\n"
    assert out == ""


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_build_that_ends_the_command_shows_what_it_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrapped: bool
) -> None:
    error = ImageError("it is broken", "correct it")
    error.output = ("Step 1/1 : RUN x", "\x1b[31mE: no package")
    last = ImageError("the image is missing", "correct it")
    last.__cause__ = error
    raising(monkeypatch, last if wrapped else error)
    assert kit.cli.run(["break"]) == ImageError.exit_code
    *shown, _, _ = capsys.readouterr().err.splitlines()
    assert [line.strip(" |") for line in shown] == ["Step 1/1 : RUN x", "E: no package"]


def test_an_unexpected_error_is_one_line_without_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, ZeroDivisionError("by zero"))
    assert kit.cli.run(["break"]) == 1
    err = capsys.readouterr().err
    assert "unexpected failure: ZeroDivisionError: by zero" in err
    assert "KIT_DEBUG=1" in err
    assert "Traceback" not in err


def test_a_programs_output_gives_the_runner_of_a_workflow_no_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, KitError("t0 failed\n::add-mask::1", "mend it"))
    assert kit.cli.run(["break"]) == 1
    assert "stop-commands" not in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert kit.cli.run(["break"]) == 1
    first, *said, last = capsys.readouterr().err.splitlines()
    assert first == f"::stop-commands::{last.strip(':')}"
    assert said == ["kit: t0 failed ::add-mask::1", "     remedy: mend it"]


def test_a_message_that_quotes_a_container_stays_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, KitError("versions.\x1b]0;owned\x07\x1b[31m\u202e: broken", "mend it"))
    assert kit.cli.run(["break"]) == 1
    assert capsys.readouterr().err == "kit: versions.: broken\n     remedy: mend it\n"


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_DEBUG", "1")
    raising(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        kit.cli.run(["break"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_has_its_own_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    raising(monkeypatch, error)
    assert kit.cli.run(["break"]) == EXIT_INTERRUPTED


BAD = {
    "unknown arm": (["--arms", "java-cpu"], "'java-cpu'"),
    "unknown claim": (["--fail-on", "C9=OPPOSITE"], "no claim is called C9"),
    "unknown budget": (["--budget", "huge"], "--budget"),
    "no minutes": (["--budget", "1m"], "--budget"),
    "bad memory": (["--memory", "much"], "--memory"),
    "no memory": (["--memory", "0"], "--memory"),
    "bad seed": (["--seed", "-1"], "--seed"),
    "no cpus": (["--cpus", "0"], "--cpus"),
    "unknown option": (["--frobnicate"], "--frobnicate"),
    "no mirror": (["--mirror", "https://mirror.example"], "--mirror"),
    "unknown setting": (["--set", "colour=red"], "nuget_source"),
    "no setting": (["--set", "nuget_source"], "NAME=VALUE"),
    "a setting twice": (["--set", "nuget_source=a", "--nuget-source", "b"], "nuget_source"),
    "no folder": (["--resume", "/nowhere"], "--resume"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_before_an_engine_is_looked_for(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    arguments, words = BAD[name]
    assert kit.cli.run(["reproduce", *arguments]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err
    assert "engine" not in err


@pytest.mark.parametrize("command", ["reproduce", "setup", "doctor"])
def test_a_bad_mirror_in_the_environment_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.setenv("KIT_MIRROR", "good.example,http://bad.example")
    assert kit.cli.run([command]) == 2
    assert "KIT_MIRROR: 'http://bad.example'" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["0.5", "9" * 400], ids=["below a byte", "beyond a float"])
def test_an_absurd_memory_is_bad_input(size: str) -> None:
    assert kit.cli.run(["reproduce", "--memory", size]) == 2


@pytest.mark.parametrize(
    "option",
    [
        "--budget=quick", "--design=duet", "--blocks=2", "--shard=1/2", "--study=.", "--gpu",
        "--arms=python-cpu", "--gpu-device=0", "--seed=1", "--cpus=1", "--memory=8g", "--out=x",
    ],
)  # fmt: skip
def test_resuming_refuses_options_that_would_change_the_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert kit.cli.run(["reproduce", "--resume", str(tmp_path), option]) == 2
    err = capsys.readouterr().err
    assert f"{option.partition('=')[0]}: cannot be given with --resume" in err


@pytest.mark.slow
def test_no_engine_is_the_host_s_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit.cli.run(["reproduce", "--out", str(tmp_path / "out")]) == 3
    err = capsys.readouterr().err
    assert "no container engine answers" in err
    assert "no.sock" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [None, b"", b"{half", b"{}\n", b"\x00\xff\n"])
def test_a_report_of_a_broken_folder_names_the_log_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "runlog.jsonl").write_bytes(content)
    before = sorted(tmp_path.iterdir())
    assert kit.cli.run(["report", str(tmp_path)]) == 2
    assert str(tmp_path / "runlog.jsonl") in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "said", "remedy"),
    [
        (
            ["verify", "no-such-folder"],
            "kit verify: Invalid value for 'FOLDER'",
            "kit verify --help",
        ),
        (["verify"], "kit verify: Missing argument 'FOLDER'", "kit verify --help"),
        (["reproduce", "--blocks", "0"], "kit reproduce: Invalid value for '--blocks'", "kit rep"),
        (["reproduce", "--what"], "kit reproduce: No such option", "kit reproduce --help"),
        (["what"], "kit: No such command 'what'", "kit --help"),
        (["bundle", "what"], "kit bundle: No such command 'what'", "kit bundle --help"),
    ],
)
def test_a_wrong_command_line_is_two_lines_like_every_error(
    arguments: list[str], said: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit.cli.run(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("kit: ") and len(err.splitlines()) == 2
    assert said in err and f"remedy: see `{remedy}" in err


def test_a_group_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    kit.cli.run(["bundle"])
    captured = capsys.readouterr()
    assert "save" in captured.out + captured.err and "remedy" not in captured.err


def test_help_lists_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert kit.cli.run(["--help"]) == 0
    out = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for error in ERRORS:
        assert f"{error.exit_code} {error.meaning}" in " ".join(lines)
    assert "130 interrupted; the session can be resumed" in lines
    for command in ("reproduce", "setup", "doctor", "report", "clean"):
        assert any(line.startswith(command) for line in lines)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert kit.cli.run(["--version"]) == 0
    assert kit.__version__ in capsys.readouterr().out


@pytest.mark.slow
def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, kit.cli; kit.cli.run(['--help']);"
        "heavy = {'docker', 'scipy', 'numpy', 'rich', 'jsonschema', 'yaml', 'requests'};"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.slow
def test_a_closed_pipe_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m kit --help | head -c 1; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_doctor_refuses_a_tier_that_the_study_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert kit.cli.run(["doctor", "--budget", "huge"]) == 2
    err = capsys.readouterr().err
    assert "--budget" in err and "quick" in err


@pytest.mark.slow
def test_doctor_without_an_engine(capsys: pytest.CaptureFixture[str]) -> None:
    code = kit.cli.run(["doctor", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert code == 3
    assert answer["ready"] is False
    assert set(answer) == {"ready", "counts", "rows"}
    assert all(set(row) >= {"name", "status", "found", "remedy"} for row in answer["rows"])
    failed = [row for row in answer["rows"] if row["status"] == "fail"]
    assert any("engine" in row["name"] for row in failed)
    assert all(row["remedy"] for row in failed)
    assert sum(answer["counts"].values()) == len(answer["rows"])


@pytest.mark.slow
def test_a_first_signal_interrupts_and_further_ones_are_ignored() -> None:
    script = (
        "import os, signal, time\n"
        "from kit.cli.process import stop_within\n"
        "stop_within(1)\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)\n"
        "except KeyboardInterrupt:\n"
        "    os.kill(os.getpid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('cleaning', flush=True); time.sleep(20)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, timeout=10, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert done.stdout == "cleaning\n"
    assert done.returncode == EXIT_INTERRUPTED
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("old", "new"), [("explain", "ablate"), ("gather", "merge")])
def test_an_old_name_of_a_command_is_told_and_still_works(old, new, capsys):
    assert kit.cli.run([old, "--help"]) == 0
    told = capsys.readouterr()
    assert f"kit {new}" in told.err
    assert f"Usage: kit {old}" in told.out
    assert old not in kit.cli.cli.commands


@pytest.mark.parametrize("columns", ["60", "80", "120"])
@pytest.mark.parametrize("command", ["reproduce", "ablate"])
def test_help_names_every_option_once_under_a_topic_and_in_one_column(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert kit.cli.run([command, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    options = [line for line in lines if re.match(r"  -", line)]
    (texts,) = {re.match(r"  \S+(?:, \S+)*(?: \S+)? {2,}", line).end() for line in options}
    assert max(map(len, lines)) <= int(columns) and texts <= 32
    named = [re.findall(r"--[a-z-]+", line[:texts])[0] for line in options]
    parameters = kit.cli.cli.commands[command].params
    known = [p.opts[-1] for p in parameters if isinstance(p, click.Option) and not p.hidden]
    assert sorted(named) == sorted({*known, "--help"})
    headings = [line for line in lines if re.fullmatch(r"[A-Z][\w ]+:", line)]
    assert headings == [f"{topic}:" for topic in TOPICS if f"{topic}:" in headings]
    assert len(headings) > 4


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_says_what_to_type_first(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    kit.cli.run(arguments)
    begin = "".join(capsys.readouterr()).partition("Options:")[0]
    typed = re.findall(r"^ +kit ([\w-]+)  ", begin, re.MULTILINE)
    assert typed and set(typed) < set(kit.cli.cli.commands)


def test_kit_alone_says_what_to_type_first_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert kit.cli.run([]) == 0
    out, err = capsys.readouterr()
    typed = re.findall(r"^  kit ([\w-]+)", out, re.MULTILINE)
    assert typed and set(typed) < set(kit.cli.cli.commands)
    assert len(out.splitlines()) < 10 and err == ""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert kit.cli.run([]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Commands:" in err


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_the_script_that_completes_commands(shell: str) -> None:
    program = (sys.executable, "-m", "kit")
    asked = {**os.environ, "_KIT_COMPLETE": f"{shell}_source"}
    done = subprocess.run(program, env=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "_KIT_COMPLETE" in done.stdout


@pytest.mark.slow
def test_commands_are_completed() -> None:
    asked = {**os.environ, "_KIT_COMPLETE": "bash_complete", "COMP_WORDS": "kit rep",
             "COMP_CWORD": "1"}  # fmt: skip
    program = (sys.executable, "-m", "kit")
    done = subprocess.run(program, env=asked, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["plain,report", "plain,reproduce"]


def test_no_command_is_cut_in_the_list_of_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    kit.cli.run(["--help"])
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


def test_the_help_of_reproduce_fits_on_a_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert kit.cli.run(["reproduce", "--help"]) == 0
    assert len(capsys.readouterr().out.splitlines()) <= 60
