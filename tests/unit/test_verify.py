"""kit verify finds what was changed, kit diff what is not the same."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from support.bench import STUDY, Bench, StopAt, reported, varied, written
from support.folders import resummed, rewritten, unreadable, wrong

import kit.cli
from kit.app import ablate
from kit.images.build.arms import BuildOptions
from kit.judge import statistics
from kit.report.files import SUMS
from kit.results import ABLATION, RUN_LOG
from kit.verify import verify_folder

pytestmark = pytest.mark.made_once


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("made"))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


def unverified(folder: Path) -> dict[str, tuple[str, ...]]:
    return {f.what: f.unverified for f in verify_folder(folder) if f.unverified}


def test_a_folder_as_it_was_written_holds(folder: Path, capsys) -> None:
    assert wrong(folder) == {}
    assert kit.cli.run(["verify", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "derived again, byte for byte" in out and "WRONG" not in out
    reported(folder)
    assert wrong(folder) == {}


def test_what_desktops_leave_is_no_fault_and_changed_line_ends_are_named(
    folder: Path, capsys
) -> None:
    for place in (folder, folder / "study", folder / "plots"):
        (place / ".DS_Store").write_text("x")
    assert kit.cli.run(["verify", str(folder)]) == 0
    assert "plots/.DS_Store" in capsys.readouterr().out
    for name in ("report.md", "runlog.jsonl", "study/study.yaml", SUMS):
        path = folder / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert kit.cli.run(["verify", str(folder)]) == 8
    assert "core.autocrlf" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        "report.md", "results.json", "report.html", "SHA256SUMS", "study/claims.yaml",
        "formats/fits.csv", "plots/gains.svg", "sbom/python-cpu.cdx.json", RUN_LOG,
    ],
)  # fmt: skip
def test_a_change_of_any_file_is_found_and_named(folder: Path, name: str, capsys) -> None:
    path = folder / name
    content = path.read_bytes()
    place = len(content) // 2
    while not chr(content[place]).isdigit():
        place += 1
    other = b"7" if content[place : place + 1] != b"7" else b"3"
    path.write_bytes(content[:place] + other + content[place + 1 :])
    assert kit.cli.run(["verify", str(folder)]) == 8
    captured = capsys.readouterr()
    assert name in captured.out or name == "SHA256SUMS"
    assert "not as the session wrote it" in captured.err


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("report.html", b"C# is faster", b"C# is slower"),
        ("report.html", b"default-src 'none'", b"default-src *"),
        ("report.md", b"C# is faster", b"C# is slower"),
        ("formats/badge.json", b'"color": "', b'"color": "x'),
        ("ro-crate-metadata.json", b"Process Run Crate", b"Other Run Crate"),
    ],
)
def test_a_report_that_was_changed_with_its_sum_is_named(
    folder: Path, name: str, old: bytes, new: bytes
) -> None:
    path = folder / name
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    resummed(folder)
    assert wrong(folder) == {"reports": (f"{name} does not follow from the log",)}


@pytest.mark.parametrize("off, holds", [(4e-11, True), (-4e-11, True), (1e-6, False)])
def test_a_library_with_other_last_digits_is_no_tampering(
    folder: Path, made_again: None, monkeypatch: pytest.MonkeyPatch, off: float, holds: bool
) -> None:
    half_width = statistics.half_width
    monkeypatch.setattr(statistics, "half_width", lambda *a, **k: half_width(*a, **k) * (1 + off))
    found = {f.what: f for f in verify_folder(folder)}
    if holds:
        assert [f for f in found.values() if f.wrong] == []
        assert "last digits" in found["reports"].good
        assert "results.json" in found["reports"].good
    else:
        said = "results.json does not follow from the log"
        assert said in found["reports"].wrong


@pytest.mark.parametrize(
    "name", ["report.md", "report.html", "formats/fits.csv", "formats/claims.junit.xml"]
)
def test_text_that_reads_like_a_picture_hides_in_no_report(folder: Path, name: str) -> None:
    path = folder / name
    content = path.read_bytes()
    place = len(content) // 2
    hidden = b"data:image/x;base64,IT/IS/REPRODUCED"
    path.write_bytes(content[:place] + hidden + content[place:])
    resummed(folder)
    assert wrong(folder) == {"reports": (f"{name} does not follow from the log",)}


def test_a_bill_of_materials_that_the_report_links_must_be_there(folder: Path) -> None:
    (folder / "sbom" / "python-cpu.cdx.json").unlink()
    resummed(folder)
    name = "sbom/python-cpu.cdx.json"
    assert wrong(folder) == {
        "bills of materials": (f"{name} is missing",),
        "reports": (f"{name} is missing, which report.md links",),
    }


def test_a_bill_of_materials_that_was_changed_with_its_sum_is_named(folder: Path) -> None:
    path = folder / "sbom" / "python-cpu.cdx.json"
    path.write_text(path.read_text().replace("2.36", "2.37"))
    resummed(folder)
    said = "sbom/python-cpu.cdx.json is not the one that the log names"
    assert wrong(folder) == {"bills of materials": (said,)}


def test_a_file_that_no_session_makes_is_named_though_it_is_listed(folder: Path, capsys) -> None:
    strangers = ["explain/more.md", "more.txt", "no\udcfftext", "plots/more.svg"]
    strangers.append("sbom/more.cdx.json")
    for name in strangers:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("more")
    (folder / "appendix.md").write_text("filled in by its authors")
    reported(folder)
    assert wrong(folder) == {
        "files": tuple(f"{n} does not belong to the session" for n in strangers)
    }
    assert kit.cli.run(["verify", str(folder)]) == 8
    assert "no\ufffdtext does not" in capsys.readouterr().out


def test_an_appendix_is_known_by_its_sum_alone(folder: Path) -> None:
    assert kit.cli.run(["appendix", str(folder)]) == 0
    assert wrong(folder) == {}
    path = folder / "appendix.md"
    path.write_text(path.read_text() + "filled in")
    assert wrong(folder) == {"files": ("appendix.md was changed",)}


def test_reports_of_another_kit_are_said_to_be_and_not_called_changed(
    folder: Path, made_again: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kit.__version__
    monkeypatch.setattr(kit, "__version__", "9.9.9")
    (folder / "results.json").write_text("{}")
    said = f"written by kit {before}, this is kit 9.9.9, which derives other ones"
    assert wrong(folder) == {"files": ("results.json was changed",)}
    assert unverified(folder) == {"reports": (said,)}
    # What another kit reported anew follows from the log like its own.
    reported(folder)
    assert wrong(folder) == {}


def test_an_unfinished_explanation_is_one_finding(folder: Path, tmp_path: Path, capsys) -> None:
    bench = Bench(tmp_path, StopAt(5))
    with pytest.raises(KeyboardInterrupt):
        ablate.ablate(bench.runtime(), STUDY, BuildOptions(), folder / ABLATION, 2, 3)
    for _ in range(2):  # before and after the session's own reports know of it
        assert wrong(folder) == {}
        assert "explanation: reports" in unverified(folder)
        assert kit.cli.run(["verify", str(folder)]) == 9
        assert "explanation: reports" in capsys.readouterr().err
        reported(folder)


def test_files_of_an_unfinished_explanation_are_said_to_be_unchecked(
    folder: Path, tmp_path: Path
) -> None:
    assert "files" not in unverified(folder)
    bench = Bench(tmp_path, StopAt(5))
    with pytest.raises(KeyboardInterrupt):
        ablate.ablate(bench.runtime(), STUDY, BuildOptions(), folder / ABLATION, 2, 3)
    for _ in range(2):  # the explanation's files are in no list of sums, then in it
        assert unverified(folder)["files"] == (f"{ABLATION}/: unfinished",)
        reported(folder)


def test_a_report_that_cannot_be_read_hides_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "results.json").write_text("{}")
    unreadable(monkeypatch, "report.md")
    found = wrong(folder)
    assert found["files"] == (
        "report.md cannot be read (Permission denied)",
        "results.json was changed",
    )
    assert found["reports"] == (
        f"{folder / 'report.md'}: cannot be read (Permission denied)",
        "results.json does not follow from the log",
    )


def test_a_log_that_cannot_be_read_hides_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "results.json").write_text("{}")
    unreadable(monkeypatch, RUN_LOG)
    found = wrong(folder)
    assert "results.json was changed" in found["files"]
    assert all(f"{RUN_LOG}" in found[w][0] for w in ("chain of the log", "log and study"))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["type"] == "header" and d["host"].update(cpus="2"),
        lambda d: d["type"] == "executable" and d.update(said=None),
        lambda d: d["type"] == "run" and d.update(started_at="a\ud800b"),
    ],
)
def test_a_log_of_wrong_types_is_a_finding_and_hides_no_other(folder: Path, change) -> None:
    rewritten(folder, change)
    (folder / "results.json").write_text("{}")
    found = wrong(folder)
    assert f"{RUN_LOG}, line" in found["log and study"][0]
    assert "results.json was changed" in found["files"]


def test_a_deep_line_is_a_finding(folder: Path) -> None:
    with (folder / RUN_LOG).open("a") as log:
        log.write("[" * 100_000 + "\n")
    found = wrong(folder)
    assert "an earlier line was changed" in found["chain of the log"][0]
    assert "not JSON" in found["log and study"][0]


def test_a_file_of_the_study_whose_name_is_no_text_is_a_finding(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder / "study") + b"/bad\xff")).write_text("x")
    found = wrong(folder)
    assert "is not UTF-8" in found["log and study"][0]
    assert "was added" in found["files"][0]


def test_a_second_executable_is_named(folder: Path) -> None:
    lines = (folder / RUN_LOG).read_text().splitlines()
    (executable,) = (line for line in lines if json.loads(line)["type"] == "executable")
    (folder / RUN_LOG).write_text("\n".join([*lines, executable]) + "\n")
    assert "a second executable, line 2 is one already" in wrong(folder)["log and study"][0]


def test_an_explanation_inside_is_checked_like_its_session(folder: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path, varied())
    beside = ablate.ablate(bench.runtime(), STUDY, BuildOptions(), folder / ABLATION, 2, 3)
    found = ablate.explanation(beside, STUDY)
    assert found is not None
    ablate.write(beside, found)
    assert wrong(beside) == {}
    reported(folder)
    assert wrong(folder) == {}
    text = (beside / "explanation.md").read_text()
    (beside / "explanation.md").write_text(text.replace("binding", "weather"))
    resummed(folder)
    said = "explanation.md does not follow from the log"
    assert wrong(folder) == {"explanation: reports": (said,)}


def test_a_missing_and_a_strange_file_are_named(folder: Path) -> None:
    (folder / "report.md").unlink()
    (folder / "plots" / "more.svg").write_text("<svg/>")
    found = wrong(folder)
    assert "report.md is missing" in found["files"] and "report.md is missing" in found["reports"]
    assert "plots/more.svg was added" in found["files"]


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda d: d.get("record") and d["record"].update(spec_sha256="0" * 64), "another spec"),
        (lambda d: "image_id" in d and d.update(image_id="sha256:" + "0" * 64), "its image"),
        (lambda d: d.get("block") == 1 and d.update(block=2), "its block"),
        (lambda d: d.get("role") == "placebo" and d.update(role="main"), "its role"),
    ],
)
def test_runs_that_do_not_answer_the_plan_are_named(folder: Path, change, what: str) -> None:
    rewritten(folder, change)
    assert any(what in line for line in wrong(folder)["runs"])


def test_a_plan_that_the_seed_does_not_make_is_named(folder: Path) -> None:
    from kit.plan.make import plan_sha256
    from kit.plan.model import plan_from

    def change(document):
        if document["type"] == "header":
            runs = document["plan"]["runs"]
            timed = [run for run in runs if run["block"] == 0]
            timed[0]["position"], timed[1]["position"] = 1, 0
            place = runs.index(timed[0])
            runs[place : place + 2] = timed[1], timed[0]
            document["plan_sha256"] = plan_sha256(plan_from(document["plan"]))

    rewritten(folder, change)
    assert "is not what the seed 7 makes" in wrong(folder)["plan"][0]
    assert kit.cli.run(["verify", str(folder)]) == 8


def test_no_session_at_all_is_an_input_error(tmp_path: Path, capsys) -> None:
    assert kit.cli.run(["verify", str(tmp_path)]) == 2
    (tmp_path / RUN_LOG).write_text("no log\n")
    assert kit.cli.run(["verify", str(tmp_path)]) == 8


def test_diff_names_settings_first_and_then_every_claim(
    folder: Path, tmp_path: Path, capsys
) -> None:
    other = Bench(tmp_path / "other", varied(0.01)).reproduce(blocks=4)
    assert kit.cli.run(["diff", str(folder), str(other)]) == 0
    out = capsys.readouterr().out
    assert out.index("blocks") < out.index("Claims:")
    for claim in ("C1 cpu", "C5 cpu", "C6"):
        assert claim in out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert kit.cli.run(["diff", str(folder), str(other), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["what"] for row in found["settings"]} >= {"blocks"}
    assert kit.cli.run(["diff", str(folder), str(folder)]) == 0
    same = capsys.readouterr().out
    assert same.splitlines()[1] == "Claims:"
    assert "differ" not in same


def test_sessions_of_two_studies_are_not_compared(folder: Path) -> None:
    from dataclasses import replace

    from kit.errors import InputError
    from kit.report.diff import compare

    model = reported(folder)
    with pytest.raises(InputError, match="another"):
        compare(model, replace(model, study=replace(STUDY, id="another")))
