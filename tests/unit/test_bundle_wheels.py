"""The kit's own wheel: built from a checkout, packed again from an installed kit."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest

import kit
from kit.errors import HostError
from kit.images.build.recipe import checkout
from kit.images.bundle import save

pytestmark = pytest.mark.slow

STRANGER = '[project]\nname = "stranger"\nversion = "1"\n'


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site-packages with a kit in it, beside what another package left at its top."""
    site = tmp_path / "site-packages"
    files = {
        "kit/__init__.py": '__version__ = "9"\n',
        "kit/images/recipes/python/Dockerfile": "FROM scratch\n",
        "kit-9.dist-info/METADATA": "Metadata-Version: 2.1\nName: kit\nVersion: 9\n",
        "kit-9.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "kit-9.dist-info/entry_points.txt": "[console_scripts]\nkit = kit:main\n",
        "kit-9.dist-info/INSTALLER": "pip\n",
        "kit-9.dist-info/RECORD": "",
    }
    for name, text in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    rows = "".join(f"{name},,\n" for name in (*files, "../bin/kit", "kit/__pycache__/x.pyc"))
    (site / "kit-9.dist-info" / "RECORD").write_text(rows)
    (site / "pyproject.toml").write_text(STRANGER)
    monkeypatch.setattr(kit, "__file__", str(site / "kit" / "__init__.py"))
    monkeypatch.setattr(
        save, "distribution", lambda name: Distribution.at(site / f"{name}-9.dist-info")
    )
    return site


def test_a_checkout_is_told_from_an_installed_kit_beside_a_stranger(installed: Path) -> None:
    assert checkout() is None


def test_this_checkout_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    top = Path(__file__).resolve().parents[2]
    # Whichever kit runs the tests, the question is about this folder.
    monkeypatch.setattr(kit, "__file__", str(top / "kit" / "__init__.py"))
    assert checkout() == top


def test_an_installed_kit_is_packed_again_and_can_be_installed(
    installed: Path, tmp_path: Path
) -> None:
    wheel = save.kit_wheel(tmp_path)
    assert wheel.name == "kit-9-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names == {
        "kit/__init__.py", "kit/images/recipes/python/Dockerfile", "kit-9.dist-info/METADATA",
        "kit-9.dist-info/WHEEL", "kit-9.dist-info/entry_points.txt", "kit-9.dist-info/RECORD",
    }  # fmt: skip
    target = tmp_path / "target"
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
        "--target", str(target), str(wheel),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (target / "kit" / "images" / "recipes" / "python" / "Dockerfile").is_file()


def test_a_file_that_is_gone_is_named(installed: Path, tmp_path: Path) -> None:
    (installed / "kit" / "__init__.py").unlink()
    with pytest.raises(HostError, match=r"the installed kit lacks .*__init__\.py"):
        save.kit_wheel(tmp_path)
