"""The CUDA images for real: built, every library loaded, refused without a GPU."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from kit.engine.discover import discover
from kit.engine.docker import DockerEngine
from kit.engine.protocol import ImageInfo, RunOutcome, RunRequest
from kit.images.build import Builder, Images, Options
from kit.images.hostnet import gather
from kit.pins.load import shipped_pins
from kit.plan.model import PlannedRun
from kit.plan.spec import spec_json
from kit.study.load import shipped_study
from kit.study.model import Arm

NEEDED_BYTES = 12 * 10**9
CUDA_ARMS = ("python-cuda", "dotnet-cuda")
STUDY = shipped_study()
STUDY = replace(
    STUDY,
    arms={**STUDY.arms, **{name: Arm(name, name.partition("-")[0], "cuda") for name in CUDA_ARMS}},
)
pytestmark = [pytest.mark.engine, pytest.mark.timeout(2400)]

# The names that TensorFlow's GPU build opens at run time, found in its own library:
# its loader is handed "cudart" and a version, and makes the soname of them.
WANTED = """
import ctypes, json, pathlib, re, sys
import tensorflow as tf
from tensorflow.python.platform import build_info
core = next(pathlib.Path(tf.__file__).parent.glob("python/_pywrap_tensorflow_internal.so"))
found = set()
with open(core, "rb") as stream:
    tail = b""
    while chunk := stream.read(1 << 24):
        text = tail + chunk
        found |= set(re.findall(rb"lib(?:cud|cublas|cufft|curand|cusolver|cusparse)"
                                rb"[A-Za-z]*\\.so(?:\\.[0-9]+)*", text))
        tail = text[-64:]
names = sorted({name.decode() for name in found})
info = {key: str(value) for key, value in build_info.build_info.items()}
print(json.dumps({"strings": names, "build": info, "cuda": tf.test.is_built_with_cuda(),
                  "gpus": len(tf.config.list_physical_devices("GPU"))}))
"""
# CUDA 11 and cuDNN 8, as TensorFlow's build_info names them (cuda_version 11.x, cudnn_version 8).
SONAMES = (
    "libcudart.so.11.0",
    "libcublas.so.11",
    "libcublasLt.so.11",
    "libcufft.so.10",
    "libcurand.so.10",
    "libcusolver.so.11",
    "libcusparse.so.11",
    "libcudnn.so.8",
    "libcudnn_ops_infer.so.8",
    "libcudnn_ops_train.so.8",
    "libcudnn_cnn_infer.so.8",
    "libcudnn_cnn_train.so.8",
    "libcudnn_adv_infer.so.8",
    "libcudnn_adv_train.so.8",
)
LOADER = """
import ctypes, json, sys
answers = {}
for name in json.loads(sys.argv[1]):
    try:
        ctypes.CDLL(name)
        answers[name] = ""
    except OSError as error:
        answers[name] = str(error)
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def engine() -> DockerEngine:
    return discover()


@pytest.fixture(scope="module")
def images(engine: DockerEngine) -> Iterator[Images]:
    root = Path(engine.info().root_dir)
    there = engine.find_image("kit/python-cuda:0.1.0") is not None
    if root.is_dir() and not there and shutil.disk_usage(root).free < NEEDED_BYTES:
        free = shutil.disk_usage(root).free / 1e9
        pytest.skip(f"the CUDA images need {NEEDED_BYTES / 1e9:.0f} GB, {free:.1f} GB are free")
    arms = ("python-cpu", "dotnet-cpu", *CUDA_ARMS)
    builder = Builder(engine, shipped_pins(), gather(), Options(), lambda _line: None)
    yield builder.build(STUDY, arms)


def info(engine: DockerEngine, images: Images, arm: str) -> ImageInfo:
    found = engine.find_image(images.arms[arm].image_id)
    assert found is not None
    return found


def run(
    engine: DockerEngine, images: Images, arm: str, *command: str, env: Mapping[str, str] = {}
) -> RunOutcome:
    request = RunRequest(
        image=images.arms[arm].image_id,
        command=command,
        env={"TF_CPP_MIN_LOG_LEVEL": "1", **env},
        timeout_s=300,
    )
    return engine.run(request)


def last_json(outcome: RunOutcome) -> dict[str, object]:
    assert outcome.exit_code == 0, outcome.logs
    found: dict[str, object] = json.loads(outcome.logs.strip().splitlines()[-1])
    return found


@pytest.mark.parametrize("arm", CUDA_ARMS)
def test_every_library_of_cuda_loads_in_the_image(
    engine: DockerEngine, images: Images, arm: str
) -> None:
    answers = last_json(run(engine, images, arm, "python3", "-c", LOADER, json.dumps(SONAMES)))
    assert {name: why for name, why in answers.items() if why} == {}


def test_the_loader_path_is_what_makes_them_load(engine: DockerEngine, images: Images) -> None:
    answers = last_json(
        run(
            engine, images, "python-cuda", "python3", "-c", LOADER, json.dumps(SONAMES),
            env={"LD_LIBRARY_PATH": ""},
        )
    )  # fmt: skip
    assert all(answers[name] for name in ("libcudart.so.11.0", "libcudnn.so.8"))


def test_tensorflow_is_the_gpu_build_and_imports_without_a_gpu(
    engine: DockerEngine, images: Images
) -> None:
    found = last_json(run(engine, images, "python-cuda", "python3", "-c", WANTED))
    assert found["cuda"] is True
    assert found["gpus"] == 0
    build = found["build"]
    assert isinstance(build, dict)
    assert build["cuda_version"].startswith("11")
    assert build["cudnn_version"] == "8"
    # Whatever CUDA soname TensorFlow's library spells out is one that was loaded above,
    # or the driver's own, which the host's toolkit brings.
    spelled = {name for name in found["strings"] if ".so." in name}  # type: ignore[union-attr]
    assert spelled - set(SONAMES) - {"libcuda.so.1"} == set()


def test_ptxas_and_libdevice_are_found(engine: DockerEngine, images: Images) -> None:
    outcome = run(
        engine, images, "python-cuda", "sh", "-c",
        'ptxas --version && ls "${XLA_FLAGS#*=}/nvvm/libdevice/libdevice.10.bc"',
    )  # fmt: skip
    assert "V11.8" in outcome.logs
    assert "libdevice.10.bc" in outcome.logs


def test_a_kept_volume_at_the_kernel_cache_is_writable(
    engine: DockerEngine, images: Images
) -> None:
    import docker

    name = "kit-test-cuda-cache"
    request = RunRequest(
        image=images.arms["python-cuda"].image_id,
        command=("sh", "-c", 'touch "$CUDA_CACHE_PATH/kept"'),
        volumes={name: "/cuda-cache"},
    )
    try:
        assert engine.run(request).exit_code == 0
    finally:
        docker.from_env().volumes.get(name).remove()


@pytest.mark.parametrize("arm", CUDA_ARMS)
def test_a_run_that_sees_no_gpu_is_refused_by_the_program(
    engine: DockerEngine, images: Images, arm: str
) -> None:
    planned = PlannedRun(f"block000-{arm}", 0, 0, arm, "timed", 1, None)
    request = RunRequest(
        image=images.arms[arm].image_id, env={"KIT_SPEC": spec_json(planned, STUDY)}, timeout_s=300
    )
    outcome = engine.run(request)
    assert outcome.exit_code == 70
    assert "TensorFlow sees no GPU" in outcome.logs
    assert "record.json" not in outcome.files


def test_the_variants_share_every_layer_below_tensorflow(
    engine: DockerEngine, images: Images
) -> None:
    cpu, cuda = (info(engine, images, f"python-{variant}") for variant in ("cpu", "cuda"))
    shared = [a for a, b in zip(cpu.layers, cuda.layers, strict=False) if a == b]
    # Only TensorFlow itself differs, which comes last.
    assert len(shared) == len(cpu.layers) - 1
    assert cuda.layers[: len(shared)] == cpu.layers[: len(shared)]
    dotnet = info(engine, images, "dotnet-cuda")
    assert dotnet.layers[: len(cuda.layers)] == cuda.layers
