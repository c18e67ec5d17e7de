"""kit diff: what two sessions were measured with, then claim by claim; strings are data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.sessions import PYTHON, make_fidelity, make_session, make_study, paired

import kit
import kit.cli
from kit.errors import InputError
from kit.plan.make import plan_sha256
from kit.records.host import EngineFacts
from kit.report.build import build_report
from kit.report.diff import SAME, compare, document, shown

SIX = [1 / 0.936, 1 / 0.933, 1 / 0.939]
SLOWER = [0.70, 0.72, 0.69]
EVIL = "|`x`<script>alert(1)</script>\x1b[31m\u202e\x00\r\n\\input{/etc/passwd}"


def model(ratios=SIX, study=None, **header):
    session = make_session(paired(ratios, fits=4), header.pop("rows", None))
    session = replace(session, header=replace(session.header, **header))
    return build_report(session, study or make_study())


def settings(found):
    return {row.what: (row.first, row.second) for row in found.settings}


def test_equal_sessions_have_nothing_to_name():
    found = compare(model(), model())
    assert found.settings == ()
    assert shown(found).splitlines()[1] == "Claims:"


def test_images_versions_host_plan_and_substitutes_are_named():
    base = model()
    image = base.header.images[PYTHON]
    other = model(
        rows=make_fidelity("binding"),
        images={**base.header.images, PYTHON: replace(image, content_sha256="a" * 64)},
        host=replace(base.header.host, engine="Podman 5", kernel="6.2"),
        plan=replace(base.header.plan, seed=9),
        kit_version="9.9",
    )
    found = settings(compare(base, other))
    assert found[f"image of {PYTHON}"][1] == "a" * 64
    assert found["engine"] == ("Docker 24.0.5", "Podman 5")
    assert ("1", "9") in found.values()
    assert found["plan"][1] == plan_sha256(other.header.plan) != found["plan"][0]
    assert found["kit"] == (kit.__version__, "9.9")
    assert "binding" in found["substitutes"][1]


def test_logs_of_two_forms_with_one_plan_have_one_plan():
    plan = model().header.plan
    hashes = {form: plan_sha256(plan, form) for form in (6, 7)}
    assert hashes[6] != hashes[7]
    old, new = (model(form=form, plan_sha256=found) for form, found in hashes.items())
    assert "plan" not in settings(compare(old, new))


def test_each_row_on_one_component_counts():
    rows = make_fidelity()
    double = replace(rows[0], got="Python 3.9", exact=False)
    found = settings(compare(model(rows=rows), model(rows=(double, *rows))))
    assert found["python used"] == ("Python 3.8.2", "Python 3.9 / Python 3.8.2")


def test_hashes_that_begin_alike_differ_and_are_cut_where_that_shows_it():
    base = model()
    image = base.header.images[PYTHON]

    def other(digest):
        images = {PYTHON: replace(image, image_id=f"sha256:{digest}", content_sha256="")}
        return model(images=images)

    one, alike, clear = other("a" * 64), other("a" * 20 + "b" * 44), other("c" * 64)
    found = settings(compare(one, alike))
    shown_of = {digest: f"sha256:{digest}" for digest in ("a" * 64, "a" * 20 + "b" * 44)}
    assert found == {f"image of {PYTHON}": tuple(shown_of.values())}
    assert "b" * 12 in "".join(shown(compare(one, alike)).split())
    cut = shown(compare(one, clear))
    assert f"sha256:{'c' * 12}\n" in cut and "c" * 13 not in cut


def test_a_library_that_differs_is_named_by_arm():
    session = make_session(paired(SIX, fits=4))
    entries = tuple(
        replace(e, record=replace(e.record, versions={**e.record.versions, "numpy": "2.0"}))
        for e in session.entries
    )
    other = build_report(replace(session, entries=entries), make_study())
    assert settings(compare(model(), other))[f"numpy in {PYTHON}"] == ("1.24.4", "2.0")


@pytest.mark.parametrize(
    ("ratios", "agrees", "overlap"),
    [
        (SIX, True, True),
        (SLOWER, False, False),
        ([1.2, 0.85, 1.1], False, True),
    ],
)
def test_every_claim_says_whether_the_two_agree(ratios, agrees, overlap):
    found = compare(model(), model(ratios))
    assert {(len(set(c.words)) == 1, c.overlap) for c in found.claims} == {(agrees, overlap)}
    assert {SAME in c.says for c in found.claims} == {agrees}
    assert [c.claim for c in found.claims] == ["C1", "C2", "C3", "C4"]


def test_the_json_holds_the_same():
    read = json.loads(document(compare(model(), model(SLOWER))))
    assert read["claims"][0]["intervals"][0]["low"] > read["claims"][0]["intervals"][1]["high"]


def test_another_study_is_refused():
    with pytest.raises(InputError, match="other"):
        compare(model(), model(study=make_study(id="other")))


def test_a_folder_without_a_session_is_refused(tmp_path: Path, capsys):
    assert kit.cli.run(["diff", str(tmp_path), str(tmp_path)]) == 2
    assert "runlog.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("text", [EVIL, "x|`" * 400_000])
def test_hostile_strings_stay_data_within_80_columns(text):
    base = model()
    claim = replace(make_study().claims[0], id=text)
    other = model(
        study=make_study(claims=(claim,)),
        rows=[replace(row, name=f"{row.name}{text}", got=text) for row in make_fidelity()],
        kit_version=text,
        host=replace(base.header.host, engine=text),
    )
    out = shown(compare(base, other))
    assert "\x1b" not in out and "\u202e" not in out and "\x00" not in out and "\r" not in out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert len(out) < 20_000


def test_a_difference_at_the_end_of_a_long_value_is_shown():
    base = model()
    rows = [
        replace(base.header.host, engine=EngineFacts("Docker 24 " * 12, f"build {n}", "", ""))
        for n in (1, 2)
    ]
    told = shown(compare(*(model(host=row) for row in rows)))
    assert "build 1" in told and "build 2" in told
    assert max(map(len, told.splitlines())) <= 80
