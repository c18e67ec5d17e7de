"""report.html in a real browser: headless Chromium, as a reader has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sessions import make_session, make_study, paired, with_role

from kit.report import html, markdown
from kit.report.model import build_report
from kit.report.plots import draw_all

pytestmark = [pytest.mark.timeout(600)]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[webdriver.Chrome]:
    program, driver = found(NAMES), shutil.which("chromedriver")
    if (program is None or driver is None) and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "-q", "chromium", "chromium-driver"]
        subprocess.run(["apt-get", "update", "-q"], check=False, capture_output=True)
        subprocess.run(install, check=True, capture_output=True)
        program, driver = found(NAMES), shutil.which("chromedriver")
    assert program and driver, "Chromium and chromedriver are needed: apt install chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(argument)
    options.add_argument("--disable-dev-shm-usage")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


def found(names: tuple[str, ...]) -> str | None:
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture
def page(browser: webdriver.Chrome, tmp_path: Path) -> webdriver.Chrome:
    session = with_role(make_session(paired([1.07, 1.05, 1.1])), "placebo", [1.0, 1.02, 0.99])
    model = build_report(session, make_study())
    drawn = draw_all(model)
    file = tmp_path / "report.html"
    file.write_text(html.render(model, markdown.render(model, drawn), drawn))
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(file.as_uri())
    return browser


def test_the_content_is_there_without_errors_or_requests(page: webdriver.Chrome) -> None:
    assert page.title.startswith("Does C# train")
    assert "the paper says +6.5 %" in page.find_element(By.TAG_NAME, "main").text
    for image in page.find_elements(By.TAG_NAME, "img"):
        assert int(image.get_property("naturalWidth")) > 100
    assert [entry for entry in page.get_log("browser") if entry["level"] != "INFO"] == []
    asked = [json.loads(e["message"])["message"] for e in page.get_log("performance")]
    urls = {
        m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"
    }
    assert all(url.startswith(("file:", "data:")) for url in urls)


def test_a_click_on_a_head_sorts_and_says_so(page: webdriver.Chrome) -> None:
    table = page.find_elements(By.TAG_NAME, "table")[0]
    head = table.find_element(By.CSS_SELECTOR, "thead th")
    head.find_element(By.TAG_NAME, "button").click()
    first = column(table)
    assert (head.get_attribute("aria-sort"), first) == ("ascending", sorted(first))
    head.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert head.get_attribute("aria-sort") == "descending"
    assert column(table) == sorted(first, reverse=True)


def test_raw_numbers_are_folded_and_sort_as_numbers(page: webdriver.Chrome) -> None:
    fold = page.find_elements(By.TAG_NAME, "details")[-1]
    table = fold.find_element(By.TAG_NAME, "table")
    assert not table.is_displayed()
    fold.find_element(By.TAG_NAME, "summary").click()
    assert table.is_displayed()
    heads = table.find_elements(By.CSS_SELECTOR, "thead th")
    place = next(i for i, h in enumerate(heads) if h.text.startswith("wall"))
    page.execute_script("arguments[0].click()", heads[place].find_element(By.TAG_NAME, "button"))
    values = [float(text) for text in column(table, place)]
    assert values == sorted(values)


def test_the_keyboard_reaches_the_report_first(page: webdriver.Chrome) -> None:
    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert page.switch_to.active_element.text == "Skip to the report"


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_but_tables_scrolls_sideways(page: webdriver.Chrome, width: int) -> None:
    page.set_window_size(width, 900)
    wide = page.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 1


def column(table: object, place: int = 0) -> list[str]:
    rows = table.find_elements(By.CSS_SELECTOR, "tbody tr")  # type: ignore[attr-defined]
    return [
        row.find_elements(By.TAG_NAME, "td")[place].get_attribute("textContent").strip()
        for row in rows
    ]
