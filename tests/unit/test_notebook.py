"""kit.open_results: frames equal to results.json, figures of the report, and a real notebook."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from golden.archive import GOLDEN, opened
from support.documented import ROOT
from support.sessions import make_session, make_study, paired

import kit
from kit.app.notebook import Results
from kit.errors import InputError
from kit.records.session import Session
from kit.report.build import build_report
from kit.results import RESULTS, RUN_LOG
from kit.study.load import shipped_study

pytestmark = pytest.mark.drawn
PAGE = ROOT / "docs" / "notebook.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opened(GOLDEN, tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return kit.open_results(folder)


def made_up(session: Session) -> Results:
    """With the shipped study's claims on training and the executable too."""
    shipped = shipped_study()
    study = make_study(training=shipped.training, executable=shipped.executable)
    return Results(Path("none"), build_report(session, study))


def test_claims_are_those_of_the_report(folder: Path, results: Results) -> None:
    document = json.loads((folder / RESULTS).read_text())
    verdicts = [each for part in document["variants"] for each in part["verdicts"]]
    assert results.headline == document["headline"]
    claims = results.claims
    assert list(claims["claim"]) == [each["claim"] for each in verdicts]
    assert list(claims["word"]) == [each["word"] for each in verdicts]
    for row, each in zip(claims.to_dict("records"), verdicts, strict=True):
        assert row["gain_percent"] == pytest.approx(each["measured"]["gain_percent"])
        assert row["gain_low_percent"] == pytest.approx(each["measured"]["gain_interval"]["low"])
        assert row["band_high_percent"] == each["band_percent"]["high"]
        assert row["indicative"] == each["indicative"]


def test_runs_and_samples_are_those_of_the_report(folder: Path, results: Results) -> None:
    document = json.loads((folder / RESULTS).read_text())["runs"]
    assert list(results.runs["run_id"]) == [run["run_id"] for run in document]
    assert list(results.runs["mean_s"]) == pytest.approx(
        [run["statistics"]["mean"] for run in document]
    )
    fits = [fit for run in document for fit in run["fits"]]
    assert list(results.samples["wall_s"]) == pytest.approx([fit["wall_ns"] / 1e9 for fit in fits])
    # The start of every run is a time of that moment, not text.
    assert list(results.runs["started_at"].dt.year) == [2024] * len(document)


def test_claims_without_numbers_are_rows_with_missing_ones() -> None:
    claims = made_up(make_session(paired([1.1, 1.2, 1.15]))).claims.set_index("claim")
    assert claims.loc["C5", ["gain_percent", "pairs", "statistic"]].isna().all()
    assert claims.loc["C6", "word"] == "NOT TESTABLE HERE"
    assert claims.loc["C1", "pairs"] == 3


def test_nothing_measured_gives_the_same_columns(results: Results) -> None:
    empty = made_up(replace(make_session(paired([1.1])), entries=()))
    for name in ("claims", "runs", "samples"):
        found, full = getattr(empty, name), getattr(results, name)
        assert list(found.columns) == list(full.columns)
        assert [str(kind) for kind in found.dtypes] == [str(kind) for kind in full.dtypes]
    assert len(empty.samples) == 0 and set(empty.claims["pairs"].dropna()) == {0}


def test_every_column_is_on_the_page_and_in_the_docstring(results: Results) -> None:
    text = PAGE.read_text()
    for name in ("claims", "runs", "samples"):
        (row,) = re.findall(rf"^\| `{name}` \| (.+) \|$", text, re.MULTILINE)
        columns = list(getattr(results, name).columns)
        assert re.findall(r"`(\w+)`", row) == columns
        documented = set(re.findall(r"``(\w+)``", str(getattr(Results, name).__doc__)))
        assert set(columns) <= documented, name


@pytest.mark.slow
def test_figures_are_the_plots_of_the_folder_and_settings_stay(
    folder: Path, results: Results, tmp_path: Path
) -> None:
    import matplotlib as mpl

    backend = mpl.get_backend()
    with mpl.rc_context({"font.size": 33.0}):
        figures = results.plots
        assert mpl.rcParams["font.size"] == 33.0
    assert mpl.get_backend() == backend
    assert {f"{name}.svg" for name in figures} == {
        path.name for path in (folder / "plots").glob("*.svg")
    }
    assert figures["gains"]._repr_png_().startswith(b"\x89PNG")
    figures["gains"].savefig(tmp_path / "gains.pdf")
    assert (tmp_path / "gains.pdf").read_bytes().startswith(b"%PDF")


def test_a_folder_of_a_stranger_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / RUN_LOG).rename(tmp_path / "log")
    (copy / RUN_LOG).symlink_to(tmp_path / "log")
    with pytest.raises(InputError):
        kit.open_results(copy)
    (copy / RUN_LOG).unlink()
    os.mkfifo(copy / RUN_LOG)
    with pytest.raises(InputError):
        kit.open_results(copy)
    with pytest.raises(InputError):
        kit.open_results(str(tmp_path / "nothing"))


def test_a_session_that_was_cut_short_opens_with_what_it_has(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    lines = (copy / RUN_LOG).read_bytes().splitlines(keepends=True)
    (copy / RUN_LOG).write_bytes(b"".join(lines[:5]))
    cut, whole = kit.open_results(copy), kit.open_results(folder)
    assert 0 < len(cut.runs) < len(whole.runs)
    assert list(cut.claims["claim"]) == list(whole.claims["claim"])


def test_an_opposite_effect_keeps_its_sign() -> None:
    claims = made_up(make_session(paired([0.5, 0.51, 0.5, 0.49, 0.5, 0.52]))).claims
    first = claims.iloc[0]
    assert first["word"] == "OPPOSITE"
    assert first["gain_low_percent"] < first["gain_percent"] < first["gain_high_percent"] < 0


@pytest.mark.slow
def test_importing_kit_imports_nothing_heavy() -> None:
    code = "import kit, sys; print(sorted({'pandas', 'matplotlib', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert (Path(kit.__file__).parent / "py.typed").is_file(), "type checkers read the types"


@pytest.mark.slow
def test_the_page_runs_in_a_real_notebook(folder: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    cells = re.findall(r"^```python\n(.+?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(cells) >= 5
    shown = [re.sub(r'open_results\("[^"]+"\)', f"open_results({str(folder)!r})", cell)
             for cell in cells]  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in shown])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT)}}).execute()
    outputs = [cell["outputs"][-1]["data"] for cell in notebook["cells"]]
    assert "text/html" in outputs[1], "the claims are shown as a table"
    assert "image/png" in outputs[-1], "the plot is shown as a picture"
