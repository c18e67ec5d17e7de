"""What belongs to a study: the same for its hash, its copy in results and its builds."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from fakes.engine import FakeEngine, image
from support.bench import PINS

from kit.engine.protocol import BuildRequest
from kit.errors import InputError
from kit.host.network import HostNetwork
from kit.images.build.arms import Builder, BuildOptions
from kit.images.build.recipe import Tools
from kit.results.opened import save_snapshot, study_for
from kit.study.load import load_study, study_files, write_new_study
from kit.study.model import Study

TOKEN = "ghp_secret"
NOT_ITS_OWN = (
    ".git/config", ".git/objects/ab/cd", ".hg/hgrc", ".svn/entries", ".bzr/README",
    "arms/.git", "shared/__pycache__/record.cpython-311.pyc", ".venv/bin/python3",
    "shared/.DS_Store", "Thumbs.db",
)  # fmt: skip


@pytest.fixture
def study(tmp_path: Path) -> Study:
    write_new_study(tmp_path / "study")
    return load_study(tmp_path / "study")


def strewn(folder: Path) -> None:
    """What version control, Python and desktops leave, in the study's folder and deeper."""
    for name in NOT_ITS_OWN:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"url = https://{TOKEN}@example.org/study")
    (folder / ".venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    os.mkfifo(folder / ".git" / "pipe")


def sent(study: Study) -> dict[str, dict[str, bytes]]:
    """What each build of the study's images was sent, by the image's reference."""
    found: dict[str, dict[str, bytes]] = {}

    class Engine(FakeEngine):
        def build(self, request: BuildRequest, on_line):  # type: ignore[no-untyped-def]
            content = request.context.read()
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                found[request.tag] = {
                    member.name: archive.extractfile(member).read()  # type: ignore[union-attr]
                    for member in archive.getmembers()
                }
            request.context.seek(0)
            return super().build(request, on_line)

    pinned = [c.pinned for candidates in PINS.roles.values() for c in candidates]
    engine = Engine(images={p: image(p) for p in pinned})
    net = HostNetwork({}, b"", "", "")
    Builder(Tools(engine, PINS, net, lambda line: None), BuildOptions()).build(
        study, tuple(study.arms)
    )
    return found


def test_what_others_put_there_is_no_part_of_a_study(study: Study, tmp_path: Path) -> None:
    assert study.folder is not None
    before, built = study_files(study.folder), sent(study)
    assert built
    strewn(study.folder)
    again = load_study(study.folder)
    assert again.sha256 == study.sha256
    assert study_files(study.folder) == before
    assert sent(again) == built
    (tmp_path / "results").mkdir()
    save_snapshot(again, tmp_path / "results")
    kept = tmp_path / "results" / "study"
    assert {p.relative_to(kept).as_posix() for p in kept.rglob("*") if p.is_file()} == set(before)
    assert study_for(tmp_path / "results", study.sha256).sha256 == study.sha256


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_programs_of_a_study_stay_programs_in_its_copy(
    study: Study, tmp_path: Path, umask: int
) -> None:
    assert study.folder is not None
    modes = {"shared/run": 0o755, "shared/setuid": 0o6751, "shared/all": 0o777, "shared/x": 0o666}
    for name, mode in modes.items():
        (study.folder / name).write_text("#!/bin/sh\n")
        (study.folder / name).chmod(mode)
    again = load_study(study.folder)
    before = os.umask(umask)
    try:
        (tmp_path / "results").mkdir()
        save_snapshot(again, tmp_path / "results")
    finally:
        os.umask(before)
    kept = study_for(tmp_path / "results", again.sha256)
    assert kept.folder is not None and kept.sha256 == again.sha256
    found = {name: (kept.folder / name).stat().st_mode & 0o7777 for name in modes}
    wanted = dict.fromkeys(modes, 0o755 & ~umask) | {"shared/x": 0o644 & ~umask}
    assert found == wanted
    assert sent(kept) == sent(again)  # by references that hold the modes


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_two_clones_of_a_study_are_the_same_study(study: Study, tmp_path: Path) -> None:
    origin = study.folder

    def git(*words: object) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *map(str, words)], check=True, capture_output=True)

    git("init", origin)
    git("-C", origin, "add", "-A")
    git("-C", origin, "commit", "-m", "study")
    git("clone", origin, tmp_path / "one")
    git("clone", origin, tmp_path / "other")
    git("-C", tmp_path / "other", "config", "http.extraHeader", f"Authorization: {TOKEN}")
    git("-C", tmp_path / "one", "worktree", "add", tmp_path / "third")
    assert (tmp_path / "third" / ".git").is_file()
    found = [load_study(tmp_path / name) for name in ("one", "other", "third")]
    assert {each.sha256 for each in found} == {study.sha256}
    builds = [sent(each) for each in found]
    assert builds[0] == builds[1] == builds[2]
    everything = [*study_files(tmp_path / "other").values(), *builds[1].values()]
    assert TOKEN not in str(everything)


def test_bin_and_obj_of_a_study_are_its_own_everywhere(study: Study) -> None:
    assert study.folder is not None
    for name in ("bin/tool", "shared/bin/tool", "shared/obj/x"):
        (study.folder / name).parent.mkdir(exist_ok=True)
        (study.folder / name).write_text("x")
    assert {"bin/tool", "shared/bin/tool", "shared/obj/x"} <= set(study_files(study.folder))
    for context in sent(load_study(study.folder)).values():
        assert context["shared/bin/tool"] == context["shared/obj/x"] == b"x"


@pytest.mark.parametrize("place", ["data", "shared/data"])
def test_a_link_is_no_part_of_a_study(study: Study, tmp_path: Path, place: str) -> None:
    assert study.folder is not None
    (tmp_path / "outside").write_text(TOKEN)
    (study.folder / place).symlink_to(tmp_path / "outside")
    for act in (load_study, study_files):
        with pytest.raises(InputError, match=f"{place}: is a link"):
            act(study.folder)
    with pytest.raises(InputError, match=f"{place}: is a link"):
        sent(study)


@pytest.mark.parametrize("recipe", ["../outside", "/outside", "arms/../../outside", ".git", "none"])
def test_a_recipe_lies_in_its_study(study: Study, tmp_path: Path, recipe: str) -> None:
    assert study.folder is not None
    for place in (tmp_path / "outside", study.folder / ".git"):
        place.mkdir()
        (place / "Dockerfile").write_text("FROM scratch")
    text = (study.folder / "study.yaml").read_text()
    assert "recipe: arms/loop" in text
    (study.folder / "study.yaml").write_text(text.replace("recipe: arms/loop", f"recipe: {recipe}"))
    with pytest.raises(InputError, match=r"recipe: .* is not a folder"):
        load_study(study.folder)


def test_a_recipe_may_be_written_in_other_ways(study: Study) -> None:
    assert study.folder is not None
    text = (study.folder / "study.yaml").read_text()
    (study.folder / "study.yaml").write_text(
        text.replace("recipe: arms/loop", "recipe: ./arms/../arms/loop/")
    )
    places = {arm.recipe for arm in load_study(study.folder).arms.values()}
    assert study.folder / "arms" / "loop" in places


@pytest.mark.parametrize("name", ["study.yaml", "claims.yaml", "workload.schema.json"])
def test_documents_are_bounded_before_they_are_parsed(study: Study, name: str) -> None:
    assert study.folder is not None
    with (study.folder / name).open("a") as stream:
        stream.write("#" * 1_000_001)
    with pytest.raises(InputError, match=rf"{name}: has 1,.* bytes, more than the 1 MB"):
        load_study(study.folder)


def test_too_large_a_study_is_refused(study: Study) -> None:
    assert study.folder is not None
    with (study.folder / "shared" / "data").open("wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(InputError, match="holds more than 500 MB"):
        load_study(study.folder)
