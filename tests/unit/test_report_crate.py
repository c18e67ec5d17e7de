"""The RO-Crate: read by the real library."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.sessions import (
    DOTNET,
    PYTHON,
    make_fidelity,
    make_merged,
    make_session,
    make_study,
    paired,
)

import kit
from kit.records.host import EngineFacts
from kit.report import crate
from kit.report.build import build_report
from kit.results import CRATE

SIX = [1 / 0.936, 1 / 0.933, 1 / 0.939]
NAMES = ("report.md", "results.json", "plots/gains.svg", "formats/fits.csv")
EVIL = '=1+1|`x`<script>alert(1)</script>"}],\\\x1b[31m\u202e\x00\ufffe../../etc/passwd#%20?'


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


def test_the_library_reads_it(tmp_path):
    from rocrate.rocrate import ROCrate

    read = ROCrate(write(tmp_path, crate.render(model(), NAMES)))
    assert read.root_dataset["conformsTo"].id == crate.PROFILE
    action = read.root_dataset["mentions"]
    assert action["startTime"] == "2026-01-02T03:04:00+00:00"
    assert action["endTime"] == "2026-01-02T03:04:25+00:00"
    assert action["instrument"]["softwareVersion"] == kit.__version__
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
    made = replace(made, header=replace(made.header, shards=(make_merged(1, 2), make_merged(2, 2))))
    assert "2/2: session session-2 on Example CPU" in graph(made)["#host"]["description"]


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
        host=replace(made.header.host, engine=EngineFacts(text, text, text, text), cpu_model=text),
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
