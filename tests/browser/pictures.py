"""Pictures of report.html in its states, for eyes: ``python tests/browser/pictures.py FOLDER``.

With a results folder as second argument, pictures of its report instead.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from selenium import webdriver  # noqa: E402
from support.browser import emulated, start  # noqa: E402
from support.sessions import (  # noqa: E402
    change_identity,
    make_fidelity,
    make_session,
    paired,
    report_html,
    sha,
    with_role,
)

from kit.records.session import Session  # noqa: E402
from kit.report import plots  # noqa: E402
from kit.report.build import build_report  # noqa: E402
from kit.study.load import shipped_study  # noqa: E402

CLOSE = [1.068, 1.072, 1.06, 1.08, 1.07, 1.065, 1.06, 1.07, 1.08, 1.07, 1.06]
EVERYTHING = ("python", "tensorflow", "dotnet", "binding", "data")


def states() -> Iterator[tuple[str, Session]]:
    """Yield a session for each outcome that a first screen must tell apart."""
    controlled = with_role(make_session(paired(CLOSE), make_fidelity()), "placebo", [1.0] * 11)
    yield "reproduced", controlled
    yield "indicative", make_session(paired(CLOSE), make_fidelity(*EVERYTHING))
    yield "opposite", make_session(paired([1 / x**9 for x in CLOSE]), make_fidelity("binding"))
    yield "factor", make_session(paired([x * 5 for x in CLOSE]), make_fidelity("binding"))
    yield "equal", make_session(paired([1.0, 1.001, 0.999] * 3), make_fidelity())
    yield "open", make_session(paired([1.2, 0.9, 1.1, 0.95, 1.3]), make_fidelity("binding"))
    yield (
        "other-work",
        change_identity(
            make_session(paired(CLOSE), make_fidelity()), "i-dotnet-cpu", model_config=sha("no")
        ),
    )


def pictures(page: webdriver.Chrome, name: str, address: str, folder: Path) -> None:
    """Write the first screens, the page on a telephone, and its print as a PDF."""
    page.get(address)
    for way in ("light", "dark"):
        with emulated(page, 1280, way):
            page.save_screenshot(str(folder / f"{name}-{way}.png"))
    with emulated(page, 390, height=2400):
        page.save_screenshot(str(folder / f"{name}-phone.png"))
    printed = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    (folder / f"{name}.pdf").write_bytes(base64.b64decode(printed["data"]))


def main(folder: Path, results: Path | None = None) -> None:
    """Write all pictures into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        page = start(Path(profile))
        if results is not None:
            pictures(page, "report", (results / "report.html").resolve().as_uri(), folder)
        else:
            for name, session in states():
                model = build_report(session, shipped_study())
                path = folder / f"{name}.html"
                path.write_text(report_html(model, plots.draw_all(model)), encoding="utf-8")
                pictures(page, name, path.resolve().as_uri(), folder)
        page.quit()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
