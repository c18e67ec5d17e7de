"""kit verify finds what was changed, kit diff what is not the same."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from test_explain import varied
from test_pipeline import PINS, STUDY, Bench

import kit.cli
from kit import explain, pipeline
from kit.images.build import Options
from kit.measure.runlog import NAME
from kit.report.files import SUMS, sums_of
from kit.verify import verify


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Bench(tmp_path_factory.mktemp("made"), varied()).reproduce()
    pipeline.report(folder, STUDY)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


def wrong(folder: Path) -> dict[str, tuple[str, ...]]:
    return {f.what: f.wrong for f in verify(folder, pipeline.EXPLAINING) if f.wrong}


def test_a_folder_as_it_was_written_holds(folder: Path, capsys) -> None:
    assert wrong(folder) == {}
    assert kit.cli.run(["verify", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "derived again, byte for byte" in out and "WRONG" not in out
    pipeline.report(folder, STUDY)
    assert wrong(folder) == {}


@pytest.mark.parametrize(
    "name",
    [
        "report.md", "results.json", "report.html", "SHA256SUMS", "study/claims.yaml",
        "formats/fits.csv", "plots/gains.svg", "sbom/python-cpu.cdx.json", NAME,
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


def resummed(folder: Path) -> None:
    """What somebody does who changes a file and hides it."""
    (folder / SUMS).write_text(sums_of(folder))


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


def test_plots_of_another_drawing_library_are_said_and_no_fault(folder: Path) -> None:
    path = folder / "plots" / "gains.svg"
    before = path.read_bytes()
    path.write_bytes(before + b"<!-- drawn otherwise -->")
    page = folder / "report.html"
    drawn = base64.b64encode(before), base64.b64encode(path.read_bytes())
    assert drawn[0] in page.read_bytes()
    page.write_bytes(page.read_bytes().replace(*drawn))
    resummed(folder)
    assert wrong(folder) == {}
    assert any(
        "otherwise drawn" in f.good and "plots/gains.svg" in f.good
        for f in verify(folder, pipeline.EXPLAINING)
    )


def test_an_explanation_inside_is_checked_like_its_session(folder: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path, varied())
    beside = explain.explain(
        bench.world(), STUDY, PINS, Options(), folder / pipeline.EXPLAINING, 2, 3
    )
    found = explain.explanation(beside, STUDY)
    assert found is not None
    explain.write(beside, found)
    assert wrong(beside) == {}
    pipeline.report(folder, STUDY)
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


def rewritten(folder: Path, change) -> None:
    """The log with each run's line changed, its chain and the folder's reports made anew."""
    import hashlib

    lines, before = [], ""
    for line in (folder / NAME).read_text().splitlines():
        document = json.loads(line)
        change(document)
        document["after"] = before
        lines.append(json.dumps(document, sort_keys=True))
        before = hashlib.sha256(lines[-1].encode()).hexdigest()
    (folder / NAME).write_text("\n".join(lines) + "\n")


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
    from kit.plan.document import plan_from
    from kit.plan.make import plan_sha256

    def change(document):
        if document["type"] == "header":
            runs = document["plan"]["runs"]
            timed = [run for run in runs if run["block"] == 0]
            timed[0]["position"], timed[1]["position"] = 1, 0
            document["plan_sha256"] = plan_sha256(plan_from(document["plan"]))

    rewritten(folder, change)
    assert "is not what the seed 7 makes" in wrong(folder)["plan"][0]


def test_no_session_at_all_is_an_input_error(tmp_path: Path, capsys) -> None:
    assert kit.cli.run(["verify", str(tmp_path)]) == 2
    (tmp_path / NAME).write_text("no log\n")
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
    assert same.startswith("Measured with the same.")
    assert "differ" not in same


def test_sessions_of_two_studies_are_not_compared(folder: Path) -> None:
    from dataclasses import replace

    from kit.errors import InputError
    from kit.report.diff import compare

    model = pipeline.report(folder, STUDY)
    with pytest.raises(InputError, match="of study"):
        compare(model, replace(model, study=replace(STUDY, id="another")))
