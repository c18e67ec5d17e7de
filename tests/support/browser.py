"""Headless Chromium, driven through WebDriver.

The browser comes from the machine or, where there is none, from Debian's packages; a
machine that gives neither fails the test, since a skip would hide an unopened page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from support.packages import install

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def start(profile: Path) -> webdriver.Chrome:
    """Start the browser with an empty profile in that folder."""
    if find() is None:
        install("chromium", "chromium-driver")
    found = find()
    assert found is not None
    program, driver = found
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000",
        "--force-prefers-reduced-motion", f"--user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with pytest.MonkeyPatch.context() as patch:
        # A driver that is found must not be looked for on the network, nor reached by a proxy.
        patch.setenv("SE_OFFLINE", "true")
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")
        patch.setenv("no_proxy", "localhost,127.0.0.1")
        return webdriver.Chrome(options=options, service=Service(driver))


@contextmanager
def emulated(
    page: webdriver.Chrome, width: int, way: str = "light", media: str = "", height: int = 800
) -> Iterator[None]:
    """Show the page on a screen of that width, or on paper if ``media`` is "print"."""
    features = [{"name": "prefers-color-scheme", "value": way}]
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def find() -> tuple[str, str] | None:
    """Return a browser and its driver, or None where there is no pair of one version."""
    driver = shutil.which("chromedriver") or shutil.which(
        "chromedriver", path=os.environ.get("CHROMEWEBDRIVER", "")
    )
    if driver is None:
        return None
    # A machine may have several browsers, and a driver drives the one of its own version.
    there = filter(None, map(shutil.which, BROWSERS))
    fitting = (browser for browser in there if major(browser) == major(driver))
    browser = next(fitting, None)
    return (browser, driver) if browser else None


def major(program: str) -> str:
    """Return the first number that a browser or its driver prints as its version."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+", done.stdout + "0")
    assert found is not None
    return found[0]
