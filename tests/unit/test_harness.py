"""What both workload programs share, as far as it needs no TensorFlow."""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kit.images.build.recipe import recipes


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, with a baked data folder and a home of its own."""
    monkeypatch.syspath_prepend(str(recipes() / "python" / "program"))
    module = importlib.import_module("harness")
    data = tmp_path / "data"
    (data / "fashion-mnist").mkdir(parents=True)
    for name in ("a-ubyte", "b-ubyte"):
        (data / "fashion-mnist" / f"{name}.gz").write_bytes(gzip.compress(name.encode()))
    (data / "fashion-mnist" / "SOURCE").write_text("x", encoding="utf-8")
    monkeypatch.setattr(module, "DATA_HOME", data)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return module


def test_data_is_staged_by_links_and_twice_is_fine(harness: ModuleType, tmp_path: Path) -> None:
    harness.stage_data("fashion_mnist")
    harness.stage_data("fashion_mnist")
    staged = tmp_path / "home" / ".keras" / "datasets" / "fashion-mnist"
    assert {p.name for p in staged.iterdir()} == {"a-ubyte.gz", "b-ubyte.gz"}
    assert all(p.is_symlink() for p in staged.iterdir())
    assert gzip.decompress((staged / "a-ubyte.gz").read_bytes()) == b"a-ubyte"


def test_data_that_the_image_lacks(harness: ModuleType) -> None:
    with pytest.raises(KeyError):
        harness.stage_data("imagenet")


class Model:
    """As much of a Keras model as is hashed."""

    def __init__(self, weights: list[Any] | None = None, **changes: Any) -> None:
        self.weights = weights or []
        self.name = changes.get("name", "sequential")
        self.units = changes.get("units", 128)
        self.extra = changes.get("extra", [])
        self.loss = changes.get("loss", "sparse")
        rate = changes.get("rate", 0.001)
        self.optimizer = SimpleNamespace(get_config=lambda: {"learning_rate": rate})
        self.built: object = None

    def get_weights(self) -> list[Any]:
        return self.weights

    def build(self, shape: object) -> None:
        self.built = shape

    def to_json(self) -> str:
        dense = {"class_name": "Dense", "config": {"name": self.name, "units": self.units}}
        return json.dumps({"config": {"name": self.name, "layers": [*self.extra, dense]}})


def config(harness: ModuleType, **changes: Any) -> str:
    array = np.zeros((2, 2))
    made = harness.identity_json("fashion_mnist", array, array, Model(**changes), "", False)
    return str(json.loads(made)["model_config"])


def test_names_and_the_input_layer_are_no_difference(harness: ModuleType) -> None:
    same = config(harness)
    assert config(harness, name="sequential_1") == same
    layer = {"class_name": "InputLayer", "config": {"name": "input_1"}}
    assert config(harness, extra=[layer]) == same


@pytest.mark.parametrize(
    "changes",
    [{"units": 64}, {"loss": "dense"}, {"rate": 0.01}, {"extra": [{"class_name": "Flatten"}]}],
)
def test_what_is_a_difference(harness: ModuleType, changes: dict[str, Any]) -> None:
    assert config(harness, **changes) != config(harness)


def tensor(harness: ModuleType, array: Any) -> str:
    made = harness.identity_json("fashion_mnist", array, array, Model(), "", False)
    return str(json.loads(made)["tensors"]["train_images"])


def test_a_tensor_is_its_type_shape_and_bytes(harness: ModuleType) -> None:
    array = np.arange(6, dtype="<f8").reshape(2, 3)
    want = hashlib.sha256(b"<f8(2, 3)" + array.tobytes()).hexdigest()
    assert tensor(harness, array) == want
    assert tensor(harness, np.asfortranarray(array)) == want
    others = [array.astype("<f4"), array.reshape(3, 2), array + 1]
    assert len({want, *(tensor(harness, other) for other in others)}) == 4


def test_weights_are_hashed_in_order(harness: ModuleType) -> None:
    one, two = np.ones(3), np.zeros(3)
    model = Model([one, two])
    images = np.zeros((60, 28, 28))
    assert harness.build_and_hash_weights(model, images) == harness.weights_sha256(model)
    assert model.built == (None, 28, 28)
    assert harness.weights_sha256(Model([two, one])) != harness.weights_sha256(model)


def test_a_shallow_identity(harness: ModuleType) -> None:
    array = np.zeros(2)
    found = json.loads(harness.identity_json("fashion_mnist", array, array, Model(), "", False))
    assert found["initial_weights"] is None
    assert found["libraries"] == found["wheels"] == {}
    assert found["data"] == {
        name: hashlib.sha256(name.encode()).hexdigest() for name in ("a-ubyte", "b-ubyte")
    }


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
@pytest.mark.slow
def test_a_deep_identity_hashes_the_mapped_libraries(harness: ModuleType) -> None:
    array = np.zeros(2)
    found = json.loads(harness.identity_json("fashion_mnist", array, array, Model(), "ab", True))
    assert found["initial_weights"] == "ab"
    ours = [path for path in found["libraries"] if "numpy" in path]
    assert ours
    for path in ours:
        assert found["libraries"][path] == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert any(name.startswith("numpy==") for name in found["wheels"])


class Distribution:
    """An installed package: files below a folder, and its RECORD."""

    def __init__(self, folder: Path, **files: bytes) -> None:
        self.folder = folder
        rows = []
        for name, content in files.items():
            (folder / f"{name}.py").write_bytes(content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            rows.append(f"{name}.py,sha256={digest.decode()},{len(content)}")
        self.record = "\n".join([*rows, "x.dist-info/RECORD,,", "notes.txt,sha256=AAAA,1"])

    def read_text(self, name: str) -> str | None:
        return self.record if name == "RECORD" else None

    def locate_file(self, path: str) -> Path:
        return self.folder / path


def test_a_wheel_is_checked_against_its_record(harness: ModuleType, tmp_path: Path) -> None:
    wheel = Distribution(tmp_path, one=b"1", two=b"2")
    assert harness._check_record(wheel) == "ok"
    (tmp_path / "two.py").write_bytes(b"edited")
    assert harness._check_record(wheel) == "differs: two.py"
    (tmp_path / "two.py").unlink()
    assert harness._check_record(wheel) == "missing: two.py"


def test_a_record_without_hashes_proves_nothing(harness: ModuleType, tmp_path: Path) -> None:
    assert harness._check_record(Distribution(tmp_path)) == "no hashes in RECORD"
