"""The RO-Crate: read by the real library, held against the real profile, offline."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import rocrate
from rocrate.rocrate import ROCrate
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.utils.http import HttpRequester
from support.sessions import DOTNET, PYTHON, make_fidelity, make_session, make_study, paired

from kit.report import crate
from kit.report.model import build_report
from kit.results.names import CRATE

pytestmark = pytest.mark.slow

SIX = [1 / 0.936, 1 / 0.933, 1 / 0.939]
NAMES = ("report.md", "results.json", "plots/gains.svg", "formats/fits.csv")
EVIL = '=1+1|`x`<script>alert(1)</script>"}],\\\x1b[31m\u202e\x00\ufffe../../etc/passwd#%20?'
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


def session(**kwargs):
    made = make_session(paired(SIX, fits=4), **kwargs)
    images = {
        arm: replace(image, content_sha256=image.image_id.removeprefix("sha256:"))
        for arm, image in made.header.images.items()
    }
    return replace(made, header=replace(made.header, images=images))


def model(made=None, study=None):
    return build_report(made or session(), study or make_study())


def graph(made=None, **kwargs):
    document = json.loads(crate.render(model(made, **kwargs), NAMES))
    return {found["@id"]: found for found in document["@graph"]}


def write(folder: Path, content: bytes) -> Path:
    """The folder of that crate, every file it names there."""
    (folder / CRATE).write_bytes(content)
    for found in json.loads(content)["@graph"]:
        if found["@type"] == "File":
            path = folder / found["@id"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("content")
    return folder


class Answer:
    """A context as the validator would fetch it: RO-Crate's terms and the profile's."""

    status_code = 200
    from_cache = True

    def __init__(self):
        self.headers = {"Content-Type": "application/ld+json"}

    def json(self):
        data = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"
        terms = json.loads(data.read_text())["@context"]
        own = ("ContainerImage", "DockerImage", "containerImage", "environment", "sha256", "tag")
        return {"@context": {**terms, **{name: f"{WFRUN}{name}" for name in own}}}

    @property
    def text(self):
        return json.dumps(self.json())


@pytest.fixture
def offline(monkeypatch):
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


def test_the_crate_holds_to_the_profile(tmp_path, offline):
    folder = tmp_path / "r"
    folder.mkdir()
    write(folder, crate.render(model(), NAMES))
    assert issues(folder, tmp_path, "RECOMMENDED") <= UNKNOWN_HERE


def test_the_check_would_find_a_broken_crate(tmp_path, offline):
    folder = tmp_path / "r"
    folder.mkdir()
    document = json.loads(crate.render(model(), NAMES))
    for found in document["@graph"]:
        found.pop("instrument", None)
        found.pop("datePublished", None)
    write(folder, json.dumps(document).encode())
    said = issues(folder, tmp_path, "REQUIRED")
    assert any("instrument" in message for message in said)
    assert any("datePublished" in message for message in said)


def test_the_library_reads_it(tmp_path):
    read = ROCrate(write(tmp_path, crate.render(model(), NAMES)))
    assert read.root_dataset["conformsTo"].id == crate.PROFILE
    action = read.root_dataset["mentions"]
    assert action["startTime"] == "2026-01-02T03:04:00+00:00"
    assert action["endTime"] == "2026-01-02T03:04:25+00:00"
    assert action["instrument"]["softwareVersion"] == "0.1.0"
    results = {found.id for found in action["result"]}
    assert {"runlog.jsonl", *NAMES, f"sbom/{PYTHON}.cdx.json"} <= results
    assert {part.id for part in read.root_dataset["hasPart"]} == results
    images = {found.id: found for found in action["containerImage"]}
    assert set(images) == {f"#image/{PYTHON}", f"#image/{DOTNET}"}
    assert images[f"#image/{PYTHON}"]["identifier"].startswith("content-sha256:")


def test_every_reference_leads_somewhere():
    found = graph()

    def targets(value):
        if isinstance(value, list):
            return [t for item in value for t in targets(item)]
        return [value["@id"]] if isinstance(value, dict) else []

    outside = ("https://w3id.org/", "http://schema.org/")
    for one in found.values():
        for value in one.values():
            for target in targets(value):
                assert target in found or target.startswith(outside), target


def test_substitutes_host_and_verdicts_are_in_it():
    found = graph(session(fidelity=make_fidelity("binding")))
    assert found["#component/binding"]["description"].startswith("substituted; wanted: Keras.NET")
    assert found["#component/python"]["description"].startswith("exact")
    assert "binding" in found["./"]["description"]
    assert "Example CPU" in found["#host"]["description"]
    assert found["pkg:generic/Docker@24.0.5"]["name"] == "Docker"
    assert found["pkg:generic/tensorflow@2.10.1"]["softwareVersion"] == "2.10.1"
    claim = found["#claim/C1-cpu"]
    assert claim["minValue"] < claim["value"] < claim["maxValue"]
    assert "INDICATIVE" in claim["description"]


def test_a_session_that_is_not_done_is_not_called_completed():
    whole = session()
    part = replace(whole, entries=whole.entries[:-1])
    done, unfinished = (
        [e.get("actionStatus") for e in graph(s).values() if e["@type"] == "CreateAction"]
        for s in (whole, part)
    )
    assert done == ["http://schema.org/CompletedActionStatus"] and unfinished == [None]


def test_gathered_shards_are_named_with_the_host():
    made = session()
    made = replace(made, header=replace(made.header, shards=("1/2 a on x", "2/2 b on y")))
    assert "2/2 b on y" in graph(made)["#host"]["description"]


def test_the_same_session_gives_the_same_bytes():
    assert crate.render(model(), NAMES) == crate.render(model(), tuple(reversed(NAMES)))


@pytest.mark.parametrize("text", [EVIL, "x|`" * 400_000], ids=["evil", "long"])
def test_hostile_strings_stay_data(text):
    made = session()
    header = replace(
        made.header,
        command=text,
        created=text,
        session_id=text,
        host=replace(made.header.host, engine=text, cpu_model=text),
        fidelity=tuple(replace(row, name=f"{row.name}{text}", got=text, why=text)
                       for row in made.header.fidelity),
        images={arm: replace(image, reference=text, image_id=text, content_sha256=text)
                for arm, image in made.header.images.items()},
    )  # fmt: skip
    entries = tuple(replace(entry, finished_at=text) for entry in made.entries)
    study = replace(make_study(), title=text)
    content = crate.render(model(replace(made, header=header, entries=entries), study), NAMES)
    assert len(content) < 200_000
    for raw in ("\x1b", "\\u001b", "\\u202e", "\\u0000"):
        assert raw.encode() not in content
    found = {one["@id"]: one for one in json.loads(content)["@graph"]}
    assert "startTime" not in found["#session"]
    assert "endTime" not in found["#session"]
    for name in found:
        assert not set(name) & set(' "<>\\|`{}')
