"""report.html in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from support.browser import emulated, start
from support.headings import heading
from support.npm import unpacked
from support.sessions import (
    change_record,
    fail_run,
    make_fidelity,
    make_session,
    paired,
    report_html,
    report_md,
)

from kit.report import plots
from kit.report.build import build_report
from kit.report.sections import samples
from kit.study.load import shipped_study

pytestmark = pytest.mark.timeout(600)
AXE = "axe-core@4.14.1"
AXE_SHA512 = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = start(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.quit()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    session = make_session(
        paired([1.068, 1.072, 1.06, 1.08, 1.07, 1.065, 1.06, 1.07, 1.08, 1.07, 1.06]),
        make_fidelity("binding"),
        torn=True,
    )
    session = change_record(session, "t0-python-cpu", clock_name=EVIL)
    session = fail_run(session, "t1-dotnet-cpu", EVIL, f"</pre>{EVIL}")
    model = build_report(session, shipped_study())
    drawn = plots.draw_all(model)
    text = report_md(model, drawn)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_html(model, drawn), encoding="utf-8")
    return model, text, path.as_uri()


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The script of axe-core, which checks a page against the accessibility guidelines."""
    package = unpacked(AXE, AXE_SHA512, tmp_path_factory.mktemp("axe"))
    return (package / "axe.min.js").read_text(encoding="utf-8")


def of_the_browser(message):
    """Whether a page of the browser's own, as its first empty tab, made this request."""
    return message["params"].get("documentURL", "").startswith(("chrome://", "chrome-untrusted://"))


@pytest.fixture
def page(browser, report):
    """The page, opened anew; what it asked for and complained of is checked at the end."""
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(report[2])
    yield browser
    assert browser.get_log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {
        message["params"]["request"]["url"].split("#")[0]
        for message in sent
        if message["method"] == "Network.requestWillBeSent" and not of_the_browser(message)
    }
    assert report[2] in asked
    assert {url for url in asked if not url.startswith("data:")} == {report[2]}


def table(page, title):
    return page.find_element(By.XPATH, f"//section[.//h2='{title}']//table")


def column(page, title, number):
    return page.execute_script(
        "return Array.from(arguments[0].tBodies[0].rows, r => r.cells[arguments[1]].textContent"
        ".trim())",
        table(page, title),
        number,
    )


def header(page, title, name):
    return table(page, title).find_element(By.XPATH, f".//thead//th[button='{name}']")


def claims(page):
    """The cells of the claims, by row."""
    return page.execute_script(
        "return Array.from(document.querySelector('header table').tBodies[0].rows, "
        "r => Array.from(r.cells, c => c.textContent.trim()))"
    )


def unfold(page):
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


def test_the_content_is_there(page, report):
    model, text, _ = report
    assert page.title == model.study.title
    assert page.find_element(By.TAG_NAME, "h1").text == model.study.title
    answer = page.find_element(By.CSS_SELECTOR, "header .answer").text
    assert answer.startswith(model.lead.printed) and "10 blocks" in answer
    titles = [h2.text for h2 in page.find_elements(By.CSS_SELECTOR, "main h2")]
    assert titles == [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert [row[0][:2] for row in claims(page)] == ["C1", "C2", "C3", "C4", "C5", "C6"]
    unfold(page)
    assert EVIL in page.find_element(By.TAG_NAME, "main").text


def test_the_first_screen_answers_without_scrolling(page):
    with emulated(page, 1280):
        ends = page.execute_script(
            "return Array.from(document.querySelectorAll('header > *'), "
            "e => [e.className || e.tagName, e.getBoundingClientRect().bottom])"
        )
    parts = {name.split()[0] for name, _ in ends}
    assert {"H1", "answer", "scroll", "check", "replaced", "command"} <= parts
    last = next(place for place, (name, _) in enumerate(ends) if name == "command")
    assert max(end for _, end in ends[: last + 1]) <= 800, ends


def test_a_claim_opens_for_its_reason_and_has_a_bar(page):
    row = page.find_element(By.CSS_SELECTOR, "header tbody tr")
    reason = row.find_element(By.CSS_SELECTOR, "details > p")
    assert not reason.is_displayed()
    row.find_element(By.TAG_NAME, "summary").click()
    assert reason.is_displayed() and len(reason.text) > 20
    shapes = row.find_elements(By.CSS_SELECTOR, "svg.bar > *")
    band, zero, _, value = (shape.rect["x"] for shape in shapes)
    assert zero < band < value  # the claim and what was measured are both gains


def test_the_command_can_be_copied(page, report):
    page.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    page.find_element(By.CSS_SELECTOR, ".command button").click()
    said = page.find_element(By.ID, "said").get_attribute("textContent")
    assert said in {"command copied", "command selected"}
    if said == "command selected":
        assert page.execute_script("return String(getSelection())") == report[0].header.command


def test_effects_are_shown_as_gains_or_as_factors(page):
    shown = page.find_elements(By.CSS_SELECTOR, "header tbody td")[1]
    assert shown.text.startswith("+")
    button = page.find_element(By.CSS_SELECTOR, "header .switch")
    button.click()
    assert re.fullmatch(r"1\.\d\dx faster \[1\.\d\dx, 1\.\d\dx\]", shown.text)
    button.click()
    assert shown.text.startswith("+")


def test_pointing_at_a_run_tells_its_block_and_host(page):
    plot = page.find_element(By.XPATH, "//div[contains(@class, 'plot')][.//*[name()='svg']]")
    runs = plot.find_elements(By.CSS_SELECTOR, ".run")
    assert len(runs) == 21
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    ActionChains(page).move_to_element(runs[2]).perform()
    about = plot.find_element(By.CSS_SELECTOR, ".about").text
    assert about == runs[2].find_element(By.TAG_NAME, "title").get_attribute("textContent")
    assert "block 1, run 2 of the block" in about


def test_the_runs_of_an_arm_can_be_hidden(page):
    plot = page.find_element(By.XPATH, "//div[contains(@class, 'plot')][.//*[name()='svg']]")
    plot.find_element(By.CSS_SELECTOR, "[data-series='1'] input").click()
    shown = [run.get_attribute("data-series") for run in plot.find_elements(By.CSS_SELECTOR, ".run")
             if run.is_displayed()]  # fmt: skip
    assert set(shown) == {"0"}


def test_a_link_of_the_contents_opens_its_section(page):
    link = page.find_element(By.LINK_TEXT, heading(samples.published))
    link.click()
    section = page.find_element(By.ID, link.get_attribute("href").partition("#")[2])
    fold = section.find_element(By.XPATH, "ancestor::details")
    assert fold.get_attribute("open") == "true"


def test_it_can_be_read_without_its_script(page):
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.refresh()
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert not page.find_elements(By.TAG_NAME, "button")
    raw = page.find_element(By.XPATH, "//section[.//h2='Raw measurements']/details")
    raw.find_element(By.TAG_NAME, "summary").click()
    assert raw.find_element(By.TAG_NAME, "table").is_displayed()


@pytest.mark.parametrize("way", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation(page, axe, way, width):
    with emulated(page, width, way):
        unfold(page)
        # Through the protocol: the page's policy lets no script in that is not its own.
        page.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
        found = page.execute_async_script(
            "const done = arguments[0]; axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', "
            "'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r => done([r.passes.length, "
            "r.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))])]))"
        )
    assert found[1] == [] and found[0] > 10


def test_plots_are_drawn_with_words_beside_them(page):
    images = page.find_elements(By.TAG_NAME, "img")
    assert len(images) == 5
    for image in images:
        assert image.get_property("naturalWidth") > 300
        assert len(image.get_attribute("alt")) > 20


def test_a_click_on_a_header_sorts_and_says_so(page):
    unfold(page)
    title, name = heading(samples.published), "measured gain"
    before = column(page, title, 4)
    head = header(page, title, "python, figure 4 (s)")
    ways = []
    for _ in range(3):
        head.find_element(By.TAG_NAME, "button").click()
        values = [float(v) for v in column(page, title, 1) if v != "-"]
        ways.append((head.get_attribute("aria-sort"), values))
        if ways[-1][0]:
            assert column(page, title, 1)[-1] == "-"
            said = page.find_element(By.ID, "said").get_attribute("textContent")
            assert said == f"sorted by python, figure 4 (s), {ways[-1][0]}"
    assert ways[0] == ("ascending", sorted(values))
    assert ways[1] == ("descending", sorted(values, reverse=True))
    assert ways[2][0] is None
    assert column(page, title, 4) == before
    header(page, title, name).find_element(By.TAG_NAME, "button").click()
    sorted_heads = table(page, title).find_elements(By.CSS_SELECTOR, "[aria-sort]")
    assert [h.text.split("\n")[0].startswith(name) for h in sorted_heads] == [True]


def test_words_and_numbers_sort_as_people_do(page):
    unfold(page)
    header(page, "Raw measurements", "run").find_element(By.TAG_NAME, "button").click()
    runs = list(dict.fromkeys(column(page, "Raw measurements", 4)))
    assert runs[:2] == ["t0-dotnet-cpu", "t0-python-cpu"]
    assert runs[-1] == "t10-python-cpu"
    header(page, "Raw measurements", "minor faults").find_element(By.TAG_NAME, "button").click()
    faults = [int(value) for value in column(page, "Raw measurements", 11)]
    assert faults == sorted(faults)


def test_the_keyboard_reaches_everything(page):
    body = page.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert page.switch_to.active_element.text == "Skip to the report"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.execute_script("return document.activeElement.id") == "report"
    title = heading(samples.published)
    summary = page.find_element(By.XPATH, f"//section[.//h2='{title}']//summary")
    summary.send_keys(Keys.ENTER)
    first = column(page, title, 0)
    button = header(page, title, "statistic of a run").find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.SPACE, Keys.SPACE)
    assert column(page, title, 0) == sorted(first, reverse=True)
    assert page.switch_to.active_element == button


def test_details_open_and_show_the_raw_numbers(page):
    raw = page.find_element(By.XPATH, "//section[.//h2='Raw measurements']/details")
    inner = raw.find_element(By.TAG_NAME, "table")
    assert not inner.is_displayed()
    raw.find_element(By.TAG_NAME, "summary").click()
    assert inner.is_displayed()
    assert raw.get_attribute("open") == "true"


def test_it_can_be_read_in_dark_on_a_telephone_and_on_paper(page):
    colours = "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
    seen = {}
    for way in ("light", "dark"):
        with emulated(page, 1280, way):
            seen[way] = page.execute_script(colours)
            assert contrast(*seen[way]) > 7
            assert contrast(seen[way][0], muted(page)) > 4.5
    assert seen["light"] != seen["dark"]
    with emulated(page, 1280, media="print"):
        assert page.execute_script(colours) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
        assert not page.find_element(By.TAG_NAME, "nav").is_displayed()
    root = "document.documentElement"
    with emulated(page, 390):
        assert page.execute_script(f"return {root}.scrollWidth <= {root}.clientWidth")


def test_the_page_of_a_session_that_never_ran_opens(browser, tmp_path):
    session = replace(make_session(paired([1.06])), entries=())
    path = tmp_path / "report.html"
    path.write_text(report_html(build_report(session, shipped_study())), encoding="utf-8")
    browser.get_log("browser")
    browser.get(path.as_uri())
    assert browser.get_log("browser") == []
    assert "Not testable here" in browser.find_element(By.TAG_NAME, "header").text


def muted(page):
    script = "return getComputedStyle(document.querySelector('header p:last-child')).color"
    return page.execute_script(script)


def contrast(first, second):
    """The ratio of the Web Content Accessibility Guidelines."""
    lights = sorted(map(luminance, (first, second)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour):
    parts = [int(part) / 255 for part in colour.split("(")[1].rstrip(")").split(",")[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
