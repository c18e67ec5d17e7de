"""A results folder for a notebook: claims, runs and samples as pandas frames, plots as figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.judge.verdict import Verdict
from kit.report.build import build_report
from kit.report.model import AnyVerdict, RawRun, ReportModel
from kit.results.opened import open_session

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Results:
    """A session, judged from its log as ``kit judge`` does. Nothing is written.

    Text in the frames is as the log holds it: it may come from an untrusted folder.
    """

    folder: Path
    model: ReportModel
    """Everything that the report of the session shows."""

    @property
    def headline(self) -> str:
        """Return the sentence at the top of the report."""
        return self.model.headline

    @cached_property
    def claims(self) -> pd.DataFrame:
        """Return a row for each claim in each variant, with its verdict.

        Columns: ``claim``, ``variant`` (missing for the executable), ``statement``, ``where`` (in
        the publication), ``statistic``, ``published_gain_percent``, ``band_low_percent`` and
        ``band_high_percent`` (gains that count as the published size), ``gain_percent`` with its
        95 % interval ``gain_low_percent`` to ``gain_high_percent``, ``pairs`` (blocks), ``holm_p``,
        ``word``, ``indicative``, ``blocks_to_decide`` and ``reason``. A gain is
        100 * (baseline - contender) / baseline. Claims on training and on an executable have no
        numbers.
        """
        verdicts: tuple[AnyVerdict, ...] = (
            *self.model.verdicts, *self.model.judged.training, *self.model.judged.executable
        )  # fmt: skip
        return _frame([_claim(verdict, self.model) for verdict in verdicts], _CLAIM)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """Return a row for each timed run with a record, in the order they ran.

        Columns: ``run_id``, ``block``, ``position`` (in its block), ``arm``, ``role`` (``main``,
        or the control's), ``counted`` (False: excluded), ``machine``, ``started_at``, the run's
        statistics in seconds (``min_s``, ``max_s``, ``mean_s``, ``total_s``, ``warm_median_s``,
        ``cold_s``, ``cpu_s``; missing for a run that is not usable), the host before the run
        (``load_1m``, ``busy_cpus``, ``available_bytes``) and ``flags``, its disturbances.
        """
        return _frame([_run(run) for run in self.model.raw], _RUN)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """Return a row for each sample (each fit) of each run, in the order they ran.

        Columns: ``run_id``, ``block``, ``arm``, ``role``, ``counted``, ``sample`` (from 0; the
        first one is cold), ``wall_s``, ``paper_clock_s`` (the publication's own clock),
        ``user_s``, ``system_s``, ``minor_faults``, ``rss_before_bytes``, ``rss_after_bytes``,
        ``loss`` and ``accuracy`` of the last epoch. Samples of one run are not independent.
        """
        rows = [row for run in self.model.raw for row in _samples(run)]
        return _frame(rows, _SAMPLE)

    @cached_property
    def plots(self) -> Mapping[str, Figure]:
        """Return the report's plots by name, as matplotlib figures that a notebook displays."""
        from kit.report import plots

        return {plot.name: plot.figure for plot in plots.draw_all(self.model)}


def open_folder(folder: Path) -> Results:
    """Return the session in a results folder, judged from its log.

    Raise InputError as ``kit judge`` does: naming file, line and field.
    """
    opened = open_session(folder)
    return Results(folder, build_report(opened.session, opened.study))


_TEXT, _NUMBER, _COUNT, _TRUTH = "string", "Float64", "Int64", "boolean"
_NAMES = {"run_id": _TEXT, "block": _COUNT, "position": _COUNT, "arm": "category",
          "role": "category", "counted": _TRUTH}  # fmt: skip
_CLAIM = {
    "claim": _TEXT, "variant": "category", "statement": _TEXT, "where": _TEXT,
    "statistic": "category", "published_gain_percent": _NUMBER, "band_low_percent": _NUMBER,
    "band_high_percent": _NUMBER, "gain_percent": _NUMBER, "gain_low_percent": _NUMBER,
    "gain_high_percent": _NUMBER, "pairs": _COUNT, "holm_p": _NUMBER, "word": "category",
    "indicative": _TRUTH, "blocks_to_decide": _COUNT, "reason": _TEXT,
}  # fmt: skip
_RUN = _NAMES | {
    "machine": "category", "started_at": "datetime64[ns, UTC]", "min_s": _NUMBER,
    "max_s": _NUMBER, "mean_s": _NUMBER, "total_s": _NUMBER, "warm_median_s": _NUMBER,
    "cold_s": _NUMBER, "cpu_s": _NUMBER, "load_1m": _NUMBER, "busy_cpus": _NUMBER,
    "available_bytes": _COUNT, "flags": _TEXT,
}  # fmt: skip
_SAMPLE = {name: kind for name, kind in _NAMES.items() if name != "position"} | {
    "sample": _COUNT, "wall_s": _NUMBER, "paper_clock_s": _NUMBER, "user_s": _NUMBER,
    "system_s": _NUMBER, "minor_faults": _COUNT, "rss_before_bytes": _COUNT,
    "rss_after_bytes": _COUNT, "loss": _NUMBER, "accuracy": _NUMBER,
}  # fmt: skip
"""The columns of each frame with pandas' names of their types, which have missing values."""


def _frame(rows: list[dict[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    made = pd.DataFrame(rows, columns=list(columns))
    for name, kind in columns.items():
        if kind.startswith("datetime"):
            made[name] = pd.to_datetime(made[name], utc=True, format="ISO8601", errors="coerce")
    return made.astype(dict(columns))


def _claim(verdict: AnyVerdict, model: ReportModel) -> dict[str, Any]:
    claim = verdict.claim
    row: dict[str, Any] = {
        "claim": claim.id,
        "variant": getattr(verdict, "variant", None),
        "statement": claim.statement,
        "where": claim.where,
        "word": verdict.word,
        "indicative": verdict.indicative,
        "reason": model.reason_of(verdict),
    }
    if not isinstance(verdict, Verdict):
        return row
    measured = verdict.measured
    interval = None if measured is None else measured.gain_interval
    return row | {
        "statistic": verdict.claim.statistic,
        "published_gain_percent": verdict.claim.published_gain_percent,
        "band_low_percent": verdict.claim.band_percent.low,
        "band_high_percent": verdict.claim.band_percent.high,
        "gain_percent": None if measured is None else measured.gain_percent,
        "gain_low_percent": None if interval is None else interval.low,
        "gain_high_percent": None if interval is None else interval.high,
        "pairs": 0 if measured is None else measured.pairs,
        "holm_p": verdict.holm_p,
        "blocks_to_decide": verdict.blocks_to_decide,
    }


def _named(run: RawRun) -> dict[str, Any]:
    return {"run_id": run.run_id, "block": run.block, "arm": run.arm, "role": run.role,
            "counted": run.counted}  # fmt: skip


def _run(run: RawRun) -> dict[str, Any]:
    row = _named(run) | {
        "position": run.position,
        "machine": run.machine,
        "started_at": run.started_at or None,
        "load_1m": run.host.load_1m_before,
        "busy_cpus": run.host.busy_cpus_before,
        "available_bytes": run.host.available_bytes_before,
        "flags": "; ".join(run.flags),
    }
    found = run.statistics
    if found is None:
        return row
    return row | {
        "min_s": found.minimum,
        "max_s": found.maximum,
        "mean_s": found.mean,
        "total_s": found.total,
        "warm_median_s": found.warm_median,
        "cold_s": found.cold,
        "cpu_s": found.cpu,
    }


def _samples(run: RawRun) -> list[dict[str, Any]]:
    return [
        _named(run)
        | {
            "sample": fit.index,
            "wall_s": fit.wall_ns / 1e9,
            "paper_clock_s": fit.paper_clock_s,
            "user_s": fit.user_ns / 1e9,
            "system_s": fit.system_ns / 1e9,
            "minor_faults": fit.minor_faults,
            "rss_before_bytes": fit.rss_before_bytes,
            "rss_after_bytes": fit.rss_after_bytes,
            "loss": fit.losses[-1] if fit.losses else None,
            "accuracy": fit.accuracies[-1] if fit.accuracies else None,
        }
        for fit in run.fits
    ]
