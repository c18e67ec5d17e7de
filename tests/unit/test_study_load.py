"""Reading a study folder: the shipped one is whole, a broken one is named."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit.errors import InputError
from kit.study.load import load_study, shipped_folder, shipped_study

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped study's files, to break."""
    return Path(shutil.copytree(shipped_folder(), tmp_path / "study"))


def change(path: Path, edit: Change) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def test_the_shipped_study_is_the_paper() -> None:
    study = shipped_study()
    assert study.id == "lee-moon-2022"
    assert list(study.arms) == ["python-cpu", "dotnet-cpu", "python-cuda", "dotnet-cuda"]
    assert (study.arms["dotnet-cpu"].stack, study.arms["dotnet-cpu"].variant) == ("dotnet", "cpu")
    assert study.workload["layers"] == [
        {"type": "flatten"},
        {"type": "dense", "units": 128, "activation": "relu"},
        {"type": "dense", "units": 10, "activation": "softmax"},
    ]
    assert (study.workload["batch_size"], study.workload["epochs"]) == (10000, 5)
    assert study.protocol.published_repeats == 20
    assert (study.protocol.tiers["quick"].blocks, study.protocol.tiers["quick"].repeats) == (3, 5)
    assert study.protocol.tiers["full"].repeats == study.protocol.published_repeats
    assert [claim.id for claim in study.claims] == ["C1", "C2", "C3", "C4"]


def test_published_totals_are_twenty_means() -> None:
    for row in shipped_study().paper.figures.values():
        assert row.total == pytest.approx(20 * row.mean, rel=1e-9)
        assert row.minimum < row.mean < row.maximum


def test_published_gains_follow_from_the_figures() -> None:
    figures = shipped_study().paper.figures
    rows = {"min": "minimum", "max": "maximum", "mean": "mean", "total": "total"}
    for claim in shipped_study().claims:
        python = getattr(figures["python"], rows[claim.statistic])
        dotnet = getattr(figures["dotnet"], rows[claim.statistic])
        gain = 100 * (python - dotnet) / python
        assert claim.published_gain_percent == pytest.approx(gain, abs=1.1), claim.id
        assert claim.band_percent.low < gain < claim.band_percent.high


def test_megabytes_become_bytes(folder: Path) -> None:
    def sizes(study: dict[str, Any]) -> None:
        study["protocol"]["memory"] = {"base_mb": 100, "per_repeat_mb": 7}
        study["protocol"]["disk_mb"] = {"cpu": 9, "cuda": 11}

    change(folder / "study.yaml", sizes)
    protocol = load_study(folder).protocol
    assert protocol.memory.of(3) == 121_000_000
    assert protocol.disk_bytes == {"cpu": 9_000_000, "cuda": 11_000_000}


def test_every_repeat_needs_its_memory_in_the_shipped_study() -> None:
    memory = shipped_study().protocol.memory
    assert memory.of(20) - memory.of(19) == memory.per_repeat_bytes > 0


def test_the_hash_names_both_files(folder: Path) -> None:
    before = load_study(folder).sha256
    assert before == load_study(folder).sha256 == shipped_study().sha256
    study, claims = folder / "study.yaml", folder / "claims.yaml"
    study.write_text(study.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    other = load_study(folder).sha256
    claims.write_text(claims.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert len({before, other, load_study(folder).sha256}) == 3


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (lambda d: d.update(colour="red"), "'colour'"),
        (lambda d: d.pop("arms"), "'arms'"),
        (lambda d: d.update(schema=2), "schema"),
        (lambda d: d.update(id="No Spaces"), "id"),
        (lambda d: d["workload"].update(epochs="five"), "workload.epochs"),
        (lambda d: d["workload"].update(epochs=0), "workload.epochs"),
        (lambda d: d["workload"].update(epochs=True), "workload.epochs"),
        (lambda d: d["workload"].update(scale=0), "workload.scale"),
        (lambda d: d["workload"].update(dataset="mnist"), "workload.dataset"),
        (lambda d: d["workload"]["layers"].append({"type": "lstm"}), "workload.layers[3]"),
        (lambda d: d["workload"]["layers"].append({"type": "dense"}), "workload.layers[3]"),
        (lambda d: d["arms"].update({"python-cpu": {"stack": "ruby", "variant": "cpu"}}), "stack"),
        (lambda d: d["arms"].clear(), "arms"),
        (lambda d: d["protocol"]["tiers"]["quick"].pop("blocks"), "protocol.tiers.quick"),
        (lambda d: d["protocol"]["tiers"]["quick"].update(blocks=0), "tiers.quick.blocks"),
        (lambda d: d["protocol"]["memory"].update(base_mb=-1), "protocol.memory.base_mb"),
        (lambda d: d["protocol"]["env"].update(PYTHONHASHSEED=0), "PYTHONHASHSEED"),
        (lambda d: d["paper"]["last_epoch"].update(loss=[0.6]), "paper.last_epoch.loss"),
        (lambda d: d["paper"]["figures"]["python"].update(mean=-1), "paper.figures.python.mean"),
    ],
)
def test_a_malformed_study_names_file_and_field(folder: Path, edit: Change, field: str) -> None:
    change(folder / "study.yaml", edit)
    with pytest.raises(InputError) as caught:
        load_study(folder)
    assert str(folder / "study.yaml") in caught.value.problem
    assert field in caught.value.problem
    assert re.search(r"schema.json|use python or dotnet", caught.value.remedy)


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (lambda d: d["claims"][1].update(statistic="median"), "claims[1].statistic"),
        (lambda d: d["claims"][0].pop("where"), "'where'"),
        (lambda d: d["claims"][0].update(gain_percent="6.5 %"), "claims[0].gain_percent"),
        (lambda d: d["claims"][0].update(id="first"), "claims[0].id"),
        (lambda d: d["claims"][0].update(sure=True), "'sure'"),
    ],
)
def test_malformed_claims_name_file_and_field(folder: Path, edit: Change, field: str) -> None:
    change(folder / "claims.yaml", edit)
    with pytest.raises(InputError) as caught:
        load_study(folder)
    assert str(folder / "claims.yaml") in caught.value.problem
    assert field in caught.value.problem


@pytest.mark.parametrize("name", ["study.yaml", "claims.yaml"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=r"cannot be read \(No such file") as caught:
        load_study(folder)
    assert str(folder / name) in caught.value.problem


@pytest.mark.parametrize(
    "text", [b"arms: [1, 2", b"a: b: c", b"\tid: x", b"\xff\xfe\x00", b"id: \x01", b"a: *nowhere"]
)
def test_not_yaml_is_named_on_one_line(folder: Path, text: bytes) -> None:
    (folder / "study.yaml").write_bytes(text)
    with pytest.raises(InputError, match=r"study\.yaml: not YAML") as caught:
        load_study(folder)
    assert "\n" not in caught.value.problem


@pytest.mark.parametrize("text", ["", "just words", "- a list", "42"])
def test_yaml_that_is_no_mapping_is_refused(folder: Path, text: str) -> None:
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is not of type 'object'"):
        load_study(folder)


def test_yaml_tags_are_not_obeyed(folder: Path) -> None:
    mark = folder / "mark"
    (folder / "study.yaml").write_text(
        f"id: !!python/object/apply:os.system ['touch {mark}']", encoding="utf-8"
    )
    with pytest.raises(InputError, match="not YAML"):
        load_study(folder)
    assert not mark.exists()


def test_several_faults_are_told_at_once(folder: Path) -> None:
    def faults(study: dict[str, Any]) -> None:
        study["workload"]["epochs"] = 0
        study["workload"]["batch_size"] = 0

    change(folder / "study.yaml", faults)
    with pytest.raises(InputError) as caught:
        load_study(folder)
    assert "workload.epochs" in caught.value.problem
    assert "workload.batch_size" in caught.value.problem


def test_a_date_is_text(folder: Path) -> None:
    (folder / "study.yaml").write_text("id: 2022-13-45", encoding="utf-8")
    with pytest.raises(InputError, match="'title' is a required property"):
        load_study(folder)


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["workload"].update(scale=float("nan")),
        lambda d: d["workload"].update(scale=float("inf")),
        lambda d: d["arms"].update({1: {"stack": "python", "variant": "cpu"}}),
        lambda d: d["paper"]["environment"].pop("python"),
        lambda d: d["paper"]["last_epoch"].update(loss=[0.9, 0.1]),
    ],
    ids=["nan", "infinity", "arm named by a number", "component", "range"],
)
def test_a_study_that_cannot_work_is_refused_when_read(folder: Path, edit: Change) -> None:
    change(folder / "study.yaml", edit)
    with pytest.raises(InputError):
        load_study(folder)


def test_two_arms_of_one_stack_and_variant_are_refused_by_name(folder: Path) -> None:
    twin = {"stack": "dotnet", "variant": "cpu"}
    change(folder / "study.yaml", lambda study: study["arms"].update({"mono-cpu": twin}))
    with pytest.raises(InputError) as caught:
        load_study(folder)
    for name in (str(folder / "study.yaml"), "dotnet-cpu", "mono-cpu", "stack dotnet"):
        assert name in caught.value.problem


@pytest.mark.parametrize("first", ["claims", "executable", "training", "consistency"])
@pytest.mark.parametrize("second", ["claims", "executable", "training", "consistency"])
def test_a_claim_id_that_is_there_twice_is_refused_by_name(
    folder: Path, first: str, second: str
) -> None:
    def same_id(claims: dict[str, Any]) -> None:
        claims[second].append({**copy.deepcopy(claims[second][0]), "id": claims[first][0]["id"]})

    change(folder / "claims.yaml", same_id)
    with pytest.raises(InputError) as caught:
        load_study(folder)
    assert str(folder / "claims.yaml") in caught.value.problem
    assert f"{first}[0]" in caught.value.problem and f"{second}[" in caught.value.problem


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"$ref": "http://127.0.0.1:9/x"}', "$ref"),
        ('{"properties": {"a": {"$ref": "file:///etc/passwd"}}}', "file:///etc/passwd"),
        ('{"$id": "http://127.0.0.1:9/x"}', "$id"),
        ('{"$dynamicRef": "x"}', "$dynamicRef"),
        ('{"$ref": "#/$defs/none"}', "workload.schema.json"),
        ('{"$schema": "http://127.0.0.1:9/x"}', "workload.schema.json"),
        ('{"type": "nothing"}', "workload.schema.json"),
        ('{"properties": {"dataset": {"pattern": "("}}}', "workload.schema.json"),
        ('{"properties": {"dataset": {"pattern": 3}}}', "workload.schema.json"),
        ('{"type": "object", "type": "array"}', "'type' is there twice"),
        ('{"$ref": "#"}', "workload.schema.json"),
        ('{"not": ' * 400 + "{}" + "}" * 400, "workload.schema.json"),
        ("[" * 200_000, "workload.schema.json"),
    ],
)
def test_a_workload_schema_that_leads_out_or_is_none_is_refused(
    folder: Path, text: str, named: str
) -> None:
    (folder / "workload.schema.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_study(folder)
    assert named in caught.value.problem


@pytest.mark.parametrize("field", ["id", "arms"])
def test_a_name_too_long_for_the_name_of_an_image_is_refused(folder: Path, field: str) -> None:
    def lengthen(study: dict[str, Any], by: int) -> None:
        if field == "id":
            study["id"] = "a" * by
        else:
            study["arms"]["a" * by] = study["arms"].pop(next(iter(study["arms"])))

    change(folder / "study.yaml", lambda study: lengthen(study, 100))
    load_study(folder)
    change(folder / "study.yaml", lambda study: lengthen(study, 101))
    with pytest.raises(InputError, match=r"study\.yaml: (id|arms\.a+).*101") as caught:
        load_study(folder)
    assert "100" in caught.value.problem


def test_a_key_that_is_there_twice_is_named_with_its_line(folder: Path) -> None:
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    (folder / "study.yaml").write_text(text + "\nid: another\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"study\.yaml.*line \d+: 'id' is there twice"):
        load_study(folder)
