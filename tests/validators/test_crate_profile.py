"""The RO-Crate is held against its profile by the real validator, without a network."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import rocrate
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.utils.http import HttpRequester
from support.bench import written

from kit.results import CRATE

WFRUN = "https://w3id.org/ro/terms/workflow-run#"
UNKNOWN_HERE = {
    "The Action SHOULD have an agent that is a Person or Organization",
    "The Application SHOULD have a url",
    "The ContainerImage SHOULD have a registry",
    "The Root Data Entity SHOULD have a link to a Contextual Entity representing the `author` "
    "of the RO-Crate",
    "The SoftwareApplication id SHOULD be an absolute URI",
    "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
}
"""What the profile recommends and no log can tell: who ran and publishes it, addresses, a
registry. Package URLs are absolute URIs, but the check wants http."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session's folder with its crate."""
    return written(tmp_path_factory.mktemp("made"))


class Answer:
    """A context as the validator would fetch it: RO-Crate's terms and the profile's."""

    status_code = 200
    from_cache = True

    def __init__(self) -> None:
        self.headers = {"Content-Type": "application/ld+json"}

    def json(self) -> dict[str, object]:
        data = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"
        terms = json.loads(data.read_text())["@context"]
        own = ("ContainerImage", "DockerImage", "containerImage", "environment", "sha256", "tag")
        return {"@context": {**terms, **{name: f"{WFRUN}{name}" for name in own}}}

    @property
    def text(self) -> str:
        return json.dumps(self.json())


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpRequester(), "get", lambda *a, **k: Answer(), raising=False)


def issues(folder: Path, tmp_path: Path, severity: str) -> set[str]:
    settings = ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="process-run-crate-0.5",
        requirement_severity=severity,
        cache_path=tmp_path / "cache",
        offline=True,
    )
    result = services.validate(settings)
    return {found.message for found in result.get_issues(Severity[severity])}


def test_the_crate_holds_to_the_profile(made: Path, tmp_path: Path, offline: None) -> None:
    assert issues(made, tmp_path, "RECOMMENDED") <= UNKNOWN_HERE


def test_the_check_would_find_a_broken_crate(made: Path, tmp_path: Path, offline: None) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "broken"))
    document = json.loads((folder / CRATE).read_bytes())
    for found in document["@graph"]:
        found.pop("instrument", None)
        found.pop("datePublished", None)
    (folder / CRATE).write_text(json.dumps(document))
    said = issues(folder, tmp_path, "REQUIRED")
    assert any("instrument" in message for message in said)
    assert any("datePublished" in message for message in said)
