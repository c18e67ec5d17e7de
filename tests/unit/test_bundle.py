"""Offline bundles: whole or refused by name, all in or nothing."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fakes.engine import INFO, FakeEngine, image

import kit
import kit.cli
from kit.engine.protocol import ImageInfo
from kit.errors import HostError, ImageError, InputError
from kit.host.network import HostNetwork
from kit.images.bases.bootstrap import Bootstrap
from kit.images.bases.candidates import Resolver
from kit.images.bases.resolve import Bases
from kit.images.build.arms import Images
from kit.images.build.recipe import Tools
from kit.images.bundle import archive
from kit.images.bundle import save as saving
from kit.images.bundle.document import Base, Document, Substitutes
from kit.images.bundle.load import load_bundle, loaded
from kit.images.bundle.save import save_bundle
from kit.pins.load import shipped_pins
from kit.records.images import ArmImage

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
BASE = replace(image(f"kit/base-python:{kit.__version__}"), layers=("a",))
ARM = replace(image(f"kit/python-cpu:{kit.__version__}"), layers=("a", "b"))
PINS = shipped_pins()
NET = HostNetwork({}, b"", "", "")


@dataclass
class Store(FakeEngine):
    """Loads whatever the archive names; ``odd`` comes with it, ``fails`` breaks the load."""

    odd: tuple[ImageInfo, ...] = ()
    fails: bool = False
    by_id: dict[str, ImageInfo] = field(default_factory=dict)

    def load(self, archive: Path) -> tuple[ImageInfo, ...]:
        self.calls.append(("load", archive))
        for found in (BASE, ARM, *self.odd):
            self.images[found.id] = replace(found, tags=())
        if self.fails:
            raise ImageError("cannot be loaded: disk full", "free some")
        return tuple(replace(found, tags=()) for found in (BASE, ARM, *self.odd))


@pytest.fixture(autouse=True)
def own_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """No build and no download in unit tests."""

    def made(folder: Path) -> Path:
        path = folder / "kit-0-py3-none-any.whl"
        path.write_bytes(b"wheel")
        return path

    monkeypatch.setattr(saving, "kit_wheel", made)
    monkeypatch.setattr(saving, "add_dependencies", lambda wheel, folder, say: None)


def images(pinned: str = "", nuget_source: str = "") -> Images:
    base = Base(BASE.id, pinned, {"python": "3.8.20", "os": "Debian 12"}, "cp38", bool(pinned), "x")
    return Images(
        arms={"python-cpu": ArmImage("python-cpu", ARM.tags[0], ARM.id, 1)},
        fidelity=(),
        bases={"python": base},
        nuget_source=nuget_source,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return made(tmp_path)


def made(folder: Path, what: Images | None = None) -> Path:
    engine = FakeEngine(images={found.tags[0]: found for found in (BASE, ARM)})
    path = folder / "kit.bundle"
    what = what or images()
    save_bundle(engine, what, what.nuget_source, path, NOW, lambda line: None)
    return path


def bring(file: Path, engine: Store | None = None, data: Path | None = None) -> Store:
    engine = engine or Store()
    load_bundle(engine, file, data or file.parent / "data", lambda line: None)
    return engine


def refused(file: Path, match: str, engine: Store | None = None) -> None:
    engine = engine or Store()
    before = dict(engine.images)
    with pytest.raises(InputError, match=match):
        bring(file, engine)
    assert engine.images == before
    assert not engine.named("load")
    assert not (file.parent / "data").exists()


def changed(file: Path, name: str, change) -> None:
    """Repack the bundle with one text changed and its sums right again."""
    with tarfile.open(file) as old:
        contents = {m.name: old.extractfile(m).read() for m in old.getmembers()}
    with file.open("w+b") as stream:
        writer = archive.Writer(stream)
        for member, content in contents.items():
            if member != archive.SUMS:
                writer.add_bytes(member, change(content) if member == name else content)
        writer.finish()


def test_what_was_saved_is_loaded_under_its_names(file: Path) -> None:
    engine = bring(file)
    for found in (BASE, ARM):
        assert engine.find_image(found.tags[0]).id == found.id
    bundle = loaded(file.parent / "data")
    assert bundle.bases["python"].image == BASE.id
    assert bundle.origin == "from a bundle made on 2026-01-02"


def test_anyone_can_check_the_sums(file: Path) -> None:
    import hashlib

    with tarfile.open(file) as opened:
        sums = opened.extractfile(archive.SUMS).read().decode()
        for line in sums.splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(opened.extractfile(name).read()).hexdigest() == digest
        names = set(opened.getnames())
    assert {"bundle.json", "pins.yaml", "study.yaml", "claims.yaml", "README.txt"} <= names
    assert "wheels/kit-0-py3-none-any.whl" in names


def test_the_same_images_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert made(tmp_path / "a").read_bytes() == made(tmp_path / "b").read_bytes()


def test_loading_twice_is_fine(file: Path) -> None:
    engine = bring(file)
    bring(file, engine)
    assert len(engine.named("load")) == 1


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_bundle_is_refused(file: Path, part: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])
    refused(file, "not a complete bundle")


def test_any_changed_byte_is_found(file: Path) -> None:
    content = file.read_bytes()
    for place in range(0, len(content), max(len(content) // 97, 1)):
        spoilt = bytearray(content)
        spoilt[place] ^= 0x5A
        file.write_bytes(bytes(spoilt))
        refused(file, "not a complete bundle|form|bundle.json")


def test_added_bytes_and_strangers_are_refused(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content + b"\0" * 10240)
    refused(file, "something was added")
    file.write_bytes(b"not a tar at all" * 1000)
    refused(file, "not a complete bundle")
    with tarfile.open(file, "w") as opened:
        opened.addfile(tarfile.TarInfo("../evil"), io.BytesIO())
    refused(file, "evil")
    file.write_bytes(b"")
    refused(file, "not a complete bundle")


def test_a_member_of_a_size_that_the_file_does_not_hold_is_never_unpacked(tmp_path: Path) -> None:
    member = tarfile.TarInfo(archive.IMAGES)
    member.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": archive.IMAGES,
        "GNU.sparse.realsize": str(2**40),
    }  # fmt: skip
    content = b"0\n".ljust(512, b"\0")
    member.size = len(content)
    with tarfile.open(tmp_path / "kit.bundle", "w", format=tarfile.PAX_FORMAT) as opened:
        opened.addfile(member, io.BytesIO(content))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(InputError, match="duplicate member"):
        archive.read(tmp_path / "kit.bundle", scratch)
    assert list(scratch.iterdir()) == []


def test_a_wheel_with_a_long_name_travels_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"long-1.0-cp311-cp311-{'manylinux_2_28_x86_64.' * 6}whl"

    def dependencies(_wheel, folder, _say):
        (folder / name).write_bytes(b"wheel")

    monkeypatch.setattr(saving, "add_dependencies", dependencies)
    file = made(tmp_path)
    with tarfile.open(file) as opened:
        assert f"wheels/{name}" in opened.getnames()
    bring(file)


def test_sums_that_name_a_file_twice_are_refused(file: Path) -> None:
    with tarfile.open(file) as old:
        contents = {m.name: old.extractfile(m).read() for m in old.getmembers()}
    sums = contents.pop(archive.SUMS)
    with file.open("w+b") as stream:
        writer = archive.Writer(stream)
        for member, content in contents.items():
            writer.add_bytes(member, content)
        writer.add_bytes(archive.SUMS, b"0" * 64 + sums[64 : sums.index(b"\n") + 1] + sums)
        stream.write(bytes(archive._padded(stream.tell()) - stream.tell()))
    refused(file, "names a file twice")


def test_another_architecture_is_refused_by_both_names(file: Path) -> None:
    engine = Store(engine_info=replace(INFO, architecture="aarch64"))
    refused(file, "made for amd64, the engine runs arm64", engine)


def test_another_kit_form_or_pins_are_refused_with_the_wheel_as_remedy(file: Path) -> None:
    whole = file.read_bytes()

    def other(**values):
        return lambda text: json.dumps({**json.loads(text), **values}).encode()

    changed(file, "bundle.json", other(kit_version="9.9"))
    refused(file, "made by kit 9.9")
    file.write_bytes(whole)
    changed(file, "bundle.json", other(schema=99))
    refused(file, "form 99")
    file.write_bytes(whole)
    changed(file, "bundle.json", other(arms={"python-cpu": "sha256:" + "0" * 64}))
    refused(file, r"arms\.python-cpu")
    file.write_bytes(whole)
    changed(file, "pins.yaml", lambda text: text + b"# edited\n")
    refused(file, r"its pins\.yaml is not that of this kit")


@pytest.mark.parametrize(
    "engine", [Store(fails=True), Store(odd=(replace(image("stranger"), tags=()),))]
)
def test_a_load_that_goes_wrong_leaves_nothing_that_looks_good(file: Path, engine: Store) -> None:
    with pytest.raises(ImageError):
        bring(file, engine)
    for found in (BASE, ARM):
        assert engine.find_image(found.id) is None
        assert engine.find_image(found.tags[0]) is None
    assert not (file.parent / "data").exists()


def test_ctrl_c_gives_earlier_names_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = image("earlier")
    engine = Store(images={ARM.tags[0]: earlier})
    real = engine.tag

    def stop(image_id: str, reference: str) -> None:
        if reference == ARM.tags[0] and image_id == ARM.id:
            raise KeyboardInterrupt
        real(image_id, reference)

    monkeypatch.setattr(engine, "tag", stop)
    with pytest.raises(KeyboardInterrupt):
        bring(file, engine)
    assert engine.find_image(ARM.tags[0]).id == earlier.id
    assert engine.find_image(BASE.id) is None


def test_an_interrupted_save_leaves_no_file(tmp_path: Path, monkeypatch) -> None:
    engine = FakeEngine(images={found.tags[0]: found for found in (BASE, ARM)})

    def stop(references, archive):
        archive.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        save_bundle(engine, images(), "", tmp_path / "kit.bundle", NOW, lambda line: None)
    assert list(tmp_path.iterdir()) == []


def test_a_feed_travels_along(tmp_path: Path) -> None:
    feed = tmp_path / "feed"
    feed.mkdir()
    (feed / "Keras.NET.3.8.5.nupkg").write_bytes(b"package")
    (tmp_path / "out").mkdir()
    file = made(tmp_path / "out", images(nuget_source=str(feed)))
    bring(file)
    source = Path(loaded(file.parent / "data").nuget_source)
    assert (source / "Keras.NET.3.8.5.nupkg").read_bytes() == b"package"


def test_what_was_kept_of_a_bundle_and_then_damaged_is_named(file: Path) -> None:
    bring(file)
    (file.parent / "data" / "bundle.json").write_text("{")
    with pytest.raises(InputError, match=r"not JSON"):
        loaded(file.parent / "data")
    assert loaded(file.parent / "nothing") is None


def test_a_bundles_image_of_the_pinned_digest_comes_after_the_registry(tmp_path: Path) -> None:
    pinned = PINS.roles["python"][0].pinned
    file = made(tmp_path, images(pinned))
    engine = bring(file)
    bundle = loaded(tmp_path / "data")
    found = Resolver(Tools(engine, PINS, NET, lambda line: None), bundle=bundle).resolve("python")
    assert found.image.id == BASE.id
    assert found.candidate.pinned == pinned
    assert found.how == "from a bundle made on 2026-01-02, where it was had by digest"
    assert len(engine.named("pull")) == 1
    assert [attempt.candidate for attempt in found.attempts] == [PINS.roles["python"][0].readable]


def test_a_bundle_of_another_bundle_s_base_keeps_the_first_maker_s_reason(tmp_path: Path) -> None:
    engine = bring(made(tmp_path))
    bundle = loaded(tmp_path / "data")
    tools = Tools(engine, PINS, NET, lambda line: None)
    substitutes = Substitutes(engine, bundle, Bootstrap(tools, lambda: None))
    bases = Bases(PINS, Resolver(tools, bundle=bundle), substitutes)
    assert bundle.origin in bases.python.why
    assert bases.used(["python"])["python"].why == bundle.bases["python"].why == "x"


def test_too_little_room_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(HostError, match="disk: the bundle needs"):
        made(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_arm_of_a_bundle_gives_the_terminal_no_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arms = {"\x1b]0;x\x07arm": ""}
    document = Document("0", "2026-01-02T00:00:00Z", "amd64", (), arms, {}, "")
    monkeypatch.setattr("kit.images.bundle.load.load_bundle", lambda *_: document)
    monkeypatch.setattr("kit.engine.discover.discover", FakeEngine)
    (tmp_path / "bundle.tar").touch()
    assert kit.cli.run(["bundle", "load", str(tmp_path / "bundle.tar")]) == 0
    assert "--arms arm`" in capsys.readouterr().out
