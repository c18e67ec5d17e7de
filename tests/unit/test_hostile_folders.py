"""Folders from strangers: links, pipes, sockets and devices stop no command and lead nowhere.

Sizes and counts have bounds. What lies outside such a folder stays as it was.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from support.bench import Bench, reported

import kit.cli
from kit.errors import ERRORS
from kit.results import folder as results
from kit.study.load import write_new_study

pytestmark = [pytest.mark.timeout(60), pytest.mark.made_once]
LOG = "runlog.jsonl"
KEYS = "ssh-ed25519 AAAA the reader's own key\n"


def link_to_file(place: Path) -> None:
    """To what was there before, so that all but the link is as it should be."""
    kept = place.with_name(f"{place.name}.kept")
    if place.exists():
        place.rename(kept)
        shutil.move(kept, aside(place) / "file")
    else:
        (aside(place) / "file").write_text(KEYS)
    place.symlink_to(aside(place) / "file")


def link_to_folder(place: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(aside(place))


def link_to_nothing(place: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to("nowhere")


def link_to_zeros(place: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to("/dev/zero")


def pipe(place: Path) -> None:
    place.unlink(missing_ok=True)
    os.mkfifo(place)


def folder_there(place: Path) -> None:
    place.unlink(missing_ok=True)
    place.mkdir()


def socket_there(place: Path) -> None:
    place.unlink(missing_ok=True)
    before = Path.cwd()
    os.chdir(place.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(place.name)
    finally:
        os.chdir(before)


def device(place: Path) -> None:
    place.unlink(missing_ok=True)
    os.mknod(place, 0o600 | stat.S_IFCHR, os.makedev(1, 5))


def unreadable(place: Path) -> None:
    place.touch()
    place.chmod(0)


# Root reads everything, and nobody else makes devices.
ANYWHERE = [
    pipe, socket_there, link_to_file, link_to_folder, link_to_nothing, link_to_zeros,
    device if os.geteuid() == 0 else unreadable,
]  # fmt: skip
ODD = [*ANYWHERE, folder_there]


def aside(place: Path) -> Path:
    """A folder outside, to which links lead."""
    while place.name != "here":
        place = place.parent
    outside = place.with_name("outside")
    outside.mkdir(exist_ok=True)
    return outside


@contextmanager
def nothing_outside_changes(folder: Path) -> Iterator[None]:
    """Files beside the folder, some with names that kit writes, keep their bytes."""
    for name in ("authorized_keys", "gains.svg", "fits.csv"):
        (aside(folder / "any") / name).write_text(KEYS)

    def around() -> dict[Path, bytes]:
        paths = folder.parent.rglob("*")
        return {
            path: path.read_bytes()
            for path in paths
            if folder not in path.parents and path.is_file()
        }

    before = around()
    yield
    assert around() == before


READERS: dict[str, Callable[[str], list[str]]] = {
    "judge": lambda folder: ["judge", folder],
    "report": lambda folder: ["report", folder],
    "verify": lambda folder: ["verify", folder],
    "diff": lambda folder: ["diff", folder, folder],
    "appendix": lambda folder: ["appendix", folder],
    "ablate": lambda folder: ["ablate", folder],
    "merge": lambda folder: ["merge", folder],
    "resume": lambda folder: ["reproduce", "--resume", folder],
}


Case = tuple[str, Callable[[Path], None]]


def cases(*commands: str, odd: list[Callable[[Path], None]]) -> list[Case]:
    """Every kind of odd file for the first command, and two for each other: they open alike."""
    first, *others = commands
    return [
        *((first, kind) for kind in odd),
        *((command, kind) for command in others for kind in (pipe, link_to_file)),
    ]


@pytest.fixture(autouse=True)
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here may meet a real engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Bench(tmp_path_factory.mktemp("made")).reproduce()
    reported(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "here"))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_new_study(tmp_path / "here")
    (tmp_path / "here" / "workload.schema.json").write_text("{}")
    return tmp_path / "here"


@pytest.mark.parametrize("command, odd", cases(*READERS, "verify-image", odd=ODD))
def test_a_log_that_is_no_plain_file_is_refused_by_every_command(
    folder: Path, command: str, odd: Callable[[Path], None], capsys
) -> None:
    arguments = READERS.get(command, lambda folder: [command, folder])
    for alone in (False, True):
        if alone:
            shutil.rmtree(folder)
            folder.mkdir()
        odd(folder / LOG)
        with nothing_outside_changes(folder):
            assert kit.cli.run(arguments(str(folder))) == 2
        assert f"{folder / LOG}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "command, odd",
    cases(
        *READERS, "verify-image", "sign",
        odd=[pipe, socket_there, link_to_file, link_to_nothing, ANYWHERE[-1]],
    ),
)  # fmt: skip
def test_a_folder_that_is_none_is_refused_by_every_command(
    tmp_path: Path, command: str, odd: Callable[[Path], None], capsys
) -> None:
    (tmp_path / "here").mkdir()
    place = tmp_path / "here" / "results"
    odd(place)
    (tmp_path / "key").touch()
    key = ["--key", str(tmp_path / "key")] if command == "sign" else []
    arguments = READERS.get(command, lambda folder: [command, folder])
    assert kit.cli.run([*arguments(str(place)), *key]) == 2
    assert str(place) in capsys.readouterr().err


@pytest.mark.parametrize(
    "command, name, odd",
    [
        *(
            (command, f"study/{name}.yaml", odd)
            for command, odd in cases(*READERS, odd=ODD)
            for name in ("study", "claims")
        ),
        *((command, "study/more", odd) for command in ("judge", "verify") for odd in ANYWHERE),
    ],
)
def test_a_kept_study_with_an_odd_file_is_refused_by_every_command(
    folder: Path, command: str, name: str, odd: Callable[[Path], None], capsys
) -> None:
    odd(folder / name)
    with nothing_outside_changes(folder):
        code = kit.cli.run(READERS[command](str(folder)))
    said = capsys.readouterr()
    assert code == (8 if command == "verify" else 2)
    assert name in (said.out if command == "verify" else said.err)


@pytest.mark.parametrize(
    "name, odd",
    [
        *((n, o) for n in ("study.yaml", "claims.yaml", "workload.schema.json") for o in ODD),
        *((n, o) for n in ("pins.yaml", "shared/record.py") for o in ANYWHERE),
    ],
)
def test_a_study_with_an_odd_file_is_refused(
    study: Path, name: str, odd: Callable[[Path], None], capsys
) -> None:
    odd(study / name)
    for command in ("matrix", "reproduce"):
        assert kit.cli.run([command, "--study", str(study)]) == 2
        assert name in capsys.readouterr().err


@pytest.mark.parametrize("odd", ODD)
def test_a_recipe_s_dockerfile_must_be_a_plain_file(
    study: Path, odd: Callable[[Path], None], capsys
) -> None:
    recipe = next(study.glob("arms/*/Dockerfile"))
    odd(recipe)
    assert kit.cli.run(["reproduce", "--study", str(study)]) == 2
    assert str(recipe.relative_to(study)) in capsys.readouterr().err


@pytest.mark.parametrize("named", ["arms", "arms/loop", "shared"])
def test_a_folder_of_a_study_that_is_a_link_is_refused(study: Path, named: str, capsys) -> None:
    place = study / named
    shutil.move(place, aside(place) / "moved")
    place.symlink_to(aside(place) / "moved")
    assert kit.cli.run(["reproduce", "--study", str(study)]) == 2
    assert str(place) in capsys.readouterr().err


@pytest.mark.parametrize("name", ["report.md", "results.json", "SHA256SUMS", "plots/gains.svg"])
@pytest.mark.parametrize("odd", ODD)
def test_verify_names_every_odd_file(
    folder: Path, name: str, odd: Callable[[Path], None], capsys
) -> None:
    odd(folder / name)
    assert kit.cli.run(["verify", str(folder)]) == 8
    assert name in capsys.readouterr().out


# Names that are answered alike are replaced together: one refusal would hide the others.
PLACES = {
    "folders": ["formats", "plots"],
    "files": [
        "report.md", "report.md.part", "results.json", "SHA256SUMS", "SHA256SUMS.part",
        "appendix.tex", "appendix.tex.part",
    ],
}  # fmt: skip
# These two read or write all of a folder's files; the others open the few they read alike.
THOROUGHLY = ("report", "verify")
DOCUMENTED = {0, *(error.exit_code for error in ERRORS if error.exit_code != 1)}


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("command", READERS)
def test_nothing_odd_among_the_reports_stops_a_command_or_leads_it_out(
    folder: Path, tmp_path: Path, command: str, places: str, capsys
) -> None:
    complete = folder.rename(tmp_path / "complete")
    for odd in ODD if command in THOROUGHLY else (pipe, link_to_file):
        shutil.copytree(complete, folder)
        for name in PLACES[places]:
            place = folder / name
            if place.is_dir():
                shutil.rmtree(place)
            place.unlink(missing_ok=True)
            odd(place)
        with nothing_outside_changes(folder):
            code = kit.cli.run(READERS[command](str(folder)))
        said = capsys.readouterr().err
        assert code in DOCUMENTED, f"{odd.__name__}: {code} {said}"
        assert "Traceback" not in said, odd.__name__
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["SHA256SUMS", "results.json"])
def test_verify_names_a_file_that_is_too_large(folder: Path, name: str, capsys) -> None:
    os.truncate(folder / name, 2_000_000_000)  # sparse: it takes no room
    assert kit.cli.run(["verify", str(folder)]) == 8
    assert name in capsys.readouterr().out


@pytest.mark.parametrize("command", READERS)
def test_too_large_a_log_is_refused_by_its_name(folder: Path, command: str, capsys) -> None:
    os.truncate(folder / LOG, 2_000_000_000)
    code = kit.cli.run(READERS[command](str(folder)))
    assert code == (8 if command == "verify" else 2)
    assert f"{LOG}: has 2,000,000,000 bytes" in "".join(capsys.readouterr())


def test_too_many_files_are_refused(folder: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(results, "_RULES", replace(results._RULES, entries=5))
    for command in ("verify", "report"):
        assert kit.cli.run([command, str(folder)]) not in (0, 1), command
    assert "holds more than 5 files and folders" in "".join(capsys.readouterr())


def leads_out(place: Path) -> Path:
    """A file of the reader's, to which a link at that place leads."""
    victim = aside(place) / "authorized_keys"
    victim.write_text(KEYS)
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.symlink_to(victim)
    return victim


@pytest.mark.parametrize(
    "command, names",
    [
        ("report", ["report.md.part", "SHA256SUMS.part", "formats/fits.csv.part"]),
        ("report", ["report.md", "SHA256SUMS", "plots/gains.svg", "formats/fits.csv"]),
        ("appendix", ["appendix.tex.part", "appendix.md.part", "appendix.md", "appendix.tex"]),
    ],
)
def test_no_report_is_written_through_a_link(folder: Path, command: str, names: list[str]) -> None:
    victims = [leads_out(folder / name) for name in names]
    assert kit.cli.run([command, str(folder)]) == 0
    assert {victim.read_text() for victim in victims} == {KEYS}
    assert list(folder.rglob("*.part")) == []  # what an interrupted write could have left goes
    for name in names:
        assert name.endswith(".part") or not (folder / name).is_symlink()


@pytest.mark.parametrize("named", ["formats", "plots"])
def test_no_report_is_written_into_a_folder_that_is_a_link(
    folder: Path, named: str, capsys
) -> None:
    shutil.rmtree(folder / named)
    (folder / named).symlink_to(aside(folder))
    assert kit.cli.run(["report", str(folder)]) == 2
    assert str(folder / named) in capsys.readouterr().err
    assert list(aside(folder).iterdir()) == []
    assert (folder / named).is_symlink()


def test_no_explanation_is_made_in_a_folder_that_is_a_link(folder: Path, capsys) -> None:
    (folder / "explain").symlink_to(aside(folder))
    for command in ("ablate", "report"):
        assert kit.cli.run([command, str(folder)]) == 2
        assert str(folder / "explain") in capsys.readouterr().err
    assert list(aside(folder).iterdir()) == []


@pytest.mark.parametrize("name", ["report.md.part", "appendix.tex.part", "SHA256SUMS.part"])
@pytest.mark.parametrize("command", ["appendix", "report"])
def test_a_pipe_beside_a_file_stops_no_write(folder: Path, command: str, name: str) -> None:
    os.mkfifo(folder / name)
    assert kit.cli.run(["verify", str(folder)]) == 8
    assert kit.cli.run([command, str(folder)]) == 0
    assert kit.cli.run(["verify", str(folder)]) == 0


def test_a_link_that_the_user_named_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(folder)
    assert kit.cli.run(["judge", str(tmp_path / "latest")]) == 0
    assert kit.cli.run(["verify", str(tmp_path / "latest")]) == 0


def test_a_bundle_that_is_a_pipe_is_refused(tmp_path: Path) -> None:
    from kit.errors import InputError
    from kit.images.bundle import archive

    os.mkfifo(tmp_path / "kit.bundle")
    with pytest.raises(InputError, match=r"kit\.bundle: is a pipe"):
        archive.read(tmp_path / "kit.bundle", tmp_path)
