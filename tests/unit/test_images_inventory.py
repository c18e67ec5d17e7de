"""What an image holds: read from installers' records, broken ones included; the SBOM of it."""

from __future__ import annotations

import json

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from fakes.engine import FakeEngine, image
from support.archives import member, tree

from kit.images.inspect.content import Content, ContentEntry, read_tree
from kit.images.inspect.describe import (
    Description,
    DescriptionCache,
    Part,
    describe,
    inventory,
    sbom_json,
    wanted,
)

DPKG = b"""Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: gone
Status: deinstall ok config-files
Version: 1
"""
SITE = "opt/kit/site/numpy-1.23.5.dist-info/METADATA"
DEPS = "opt/kit/dotnet/Workload.deps.json"
LIBRARIES = {"Keras.NET/3.8.5": {"type": "package"}, "Workload/1": {"type": "project"}}
MEMBERS = (
    member("var/lib/dpkg/status", DPKG),
    member("etc/os-release", b'ID=debian\nVERSION_ID="12"\n'),
    member(SITE, b"Name: Num_Py\nVersion: 1.23.5\nLicense: BSD\n  3 clauses\n\nlong text"),
    member(DEPS, json.dumps({"libraries": LIBRARIES}).encode()),
    member("usr/share/dotnet/shared/Microsoft.NETCore.App/3.1.2/", kind=b"5"),
    member("usr/local/lib/libpython3.8.so.1.0", b"elf"),
    member("opt/kit/data/fashion-mnist/a.gz", b"data"),
)  # fmt: skip


def parts(*members):
    entries, kept = read_tree([tree(*members)], wanted)
    return inventory(Content(entries, {}, kept))


def test_every_kind_of_part_is_found():
    found = {(part.kind, part.name): part for part in parts(*MEMBERS)}
    assert set(found) == {
        ("deb", "libc6"), ("pypi", "num-py"), ("nuget", "Keras.NET"),
        ("runtime", "Microsoft.NETCore.App"), ("runtime", "CPython"),
        ("data", "fashion-mnist/a.gz"),
    }  # fmt: skip
    assert found["deb", "libc6"].distro == "debian-12"
    assert found["pypi", "num-py"].licence == "BSD"
    assert found["nuget", "Keras.NET"].version == "3.8.5"
    assert found["runtime", "CPython"].version == "3.8"
    assert len(found["data", "fashion-mnist/a.gz"].sha256) == 64


def test_broken_records_break_nothing():
    for broken in (b"{", b"[" * 100_000, b'{"libraries": []}'):
        assert parts(member(DEPS, broken), member("var/lib/dpkg/status", b"\xff\x00")) == ()


def test_a_name_that_is_no_text_is_in_the_sbom_all_the_same():
    odd = b'{"libraries": {"\\ud800x/1": {"type": "package"}}}'
    found = parts(member(DEPS, odd), member("usr/share/dotnet/shared/\udcff/2/", kind=b"5"))
    assert {part.version for part in found} == {"1", "2"}
    document = json.loads(sbom_json("x", "0" * 64, found))
    assert {part["version"] for part in document["components"]} == {"1", "2"}
    assert "\\ud" not in json.dumps(document)


def test_the_sbom_is_valid_and_the_same_each_time():
    found = parts(*MEMBERS)
    first = sbom_json("kit/x:1", "ab" * 32, found)
    assert first == sbom_json("kit/x:1", "ab" * 32, found)
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(first.decode()) is None
    document = json.loads(first)
    assert "timestamp" not in document["metadata"]
    purls = {component.get("purl") for component in document["components"]}
    assert "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12" in purls
    assert "pkg:pypi/num-py@1.23.5" in purls
    assert sbom_json("kit/x:1", "cd" * 32, found) != first


def test_hostile_fields_stay_strings():
    evil = Part("pypi", "</script>\x1b|`", "1 2\n3", licence="<b>" * 50)
    document = json.loads(sbom_json("kit/x:1", "ab" * 32, (evil,)))
    assert document["components"][0]["name"] == evil.name


def test_an_image_is_described_once_and_a_broken_entry_made_anew(tmp_path):
    name = "kit/a:1"
    engine = FakeEngine(images={name: image(name)})
    engine.trees[image(name).id] = tree(*MEMBERS)
    cache = DescriptionCache(tmp_path / "cache")
    first = describe(engine, image(name).id, cache)
    assert describe(engine, image(name).id, cache) == first
    assert len(engine.named("export")) == 1
    (entry,) = (tmp_path / "cache").iterdir()
    for broken in (
        "{",
        "[]",
        '{"content_sha256": "x"}',
        '{"content_sha256": "x", "parts": [{"a": 1}]}',
    ):
        entry.write_text(broken)
        assert describe(engine, image(name).id, cache) == first
    assert len(engine.named("export")) == 5


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path):
    (tmp_path / "file").write_text("")
    DescriptionCache(tmp_path / "file").put("sha256:1", Description("x", ()))
    assert DescriptionCache(tmp_path / "file").get("sha256:1") is None


def test_an_entry_has_a_line_of_its_own():
    assert (
        ContentEntry("file", 0o644, "0:0", "x", (("a", "b"),)).line("p")
        == "p\tfile\t644\t0:0\tx\ta=b\n"
    )
