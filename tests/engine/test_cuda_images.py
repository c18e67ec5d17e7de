"""The CUDA images for real: built, every library loaded, refused without a GPU."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

import kit
from kit.engine.docker import DockerEngine
from kit.engine.protocol import ImageInfo, RunOutcome, RunRequest
from kit.host.network import read_network
from kit.images.build.arms import Builder, BuildOptions, Images
from kit.images.build.recipe import Tools
from kit.pins.load import shipped_pins
from kit.plan.model import PlannedRun
from kit.plan.spec import spec_json
from kit.study.load import shipped_study

# The images, and room for the tests that follow.
NEEDED_BYTES = 16 * 10**9
CUDA_ARMS = ("python-cuda", "dotnet-cuda")
STUDY = shipped_study()
pytestmark = [pytest.mark.engine, pytest.mark.timeout(2400)]

# TensorFlow's own loader is asked to open every CUDA library it would open at run
# time: it names each one that it cannot find. Its status is an empty pointer.
TRY_ALL = """
import ctypes, pathlib, sys
import tensorflow as tf
library = ctypes.CDLL(str(pathlib.Path(tf.__file__).parent / "libtensorflow_framework.so.2"))
open_all = library._ZN15stream_executor8internal9DsoLoader22TryDlopenCUDALibrariesEv
open_all.restype = None
print("asking", file=sys.stderr, flush=True)
open_all(ctypes.byref(ctypes.create_string_buffer(64)))
print("asked", file=sys.stderr, flush=True)
"""
# What that loader named with LD_LIBRARY_PATH empty.
SONAMES = {
    "libcudart.so.11.0",
    "libcublas.so.11",
    "libcublasLt.so.11",
    "libcufft.so.10",
    "libcurand.so.10",
    "libcusolver.so.11",
    "libcusparse.so.11",
    "libcudnn.so.8",
}
# libcudnn.so.8 is a shim: it opens these when they are first needed.
SUB_LIBRARIES = {
    f"libcudnn_{part}_{kind}.so.8" for part in ("ops", "cnn", "adv") for kind in ("infer", "train")
}
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
SHIM = """
import json, pathlib, re
text = pathlib.Path("/opt/kit/site/nvidia/cudnn/lib/libcudnn.so.8").read_bytes()
names = re.findall(rb"libcudnn_[a-z_]+\\.so\\.8", text)
print(json.dumps(sorted({name.decode() for name in names})))
"""
FACTS = """
import json
import tensorflow as tf
from tensorflow.python.platform import build_info
print(json.dumps({
    "cuda": tf.test.is_built_with_cuda(),
    "gpus": len(tf.config.list_physical_devices("GPU")),
    "build": {key: str(value) for key, value in build_info.build_info.items()},
}))
"""


@pytest.fixture(scope="module")
def images(engine: DockerEngine, built: None) -> Images:
    root = Path(engine.info().root_dir)
    there = engine.find_image(f"kit/python-cuda:{kit.__version__}") is not None
    if root.is_dir() and not there and shutil.disk_usage(root).free < NEEDED_BYTES:
        free = shutil.disk_usage(root).free / 1e9
        pytest.skip(f"the CUDA images need {NEEDED_BYTES / 1e9:.0f} GB, {free:.1f} GB are free")
    arms = ("python-cpu", "dotnet-cpu", *CUDA_ARMS)
    tools = Tools(engine, shipped_pins(), read_network(), print)
    return Builder(tools, BuildOptions()).build(STUDY, arms)


def info(engine: DockerEngine, images: Images, arm: str) -> ImageInfo:
    found = engine.find_image(images.arms[arm].image_id)
    assert found is not None
    return found


def run(
    engine: DockerEngine, images: Images, arm: str, *command: str, env: Mapping[str, str] = {}
) -> RunOutcome:
    # One stream: an engine keeps no order between standard output and error.
    request = RunRequest(
        image=images.arms[arm].image_id,
        command=("sh", "-c", 'exec "$@" 2>&1', "sh", *command),
        env={"TF_CPP_MIN_LOG_LEVEL": "1", **env},
        timeout_s=300,
    )
    return engine.run(request)


def last_json(outcome: RunOutcome) -> dict[str, object]:
    assert outcome.exit_code == 0, outcome.logs
    found: dict[str, object] = json.loads(outcome.logs.strip().splitlines()[-1])
    return found


def refused_by_the_loader(outcome: RunOutcome) -> set[str]:
    """The libraries that TensorFlow's loader named between the two marks."""
    assert outcome.exit_code == 0, outcome.logs
    # Before it, the import itself asks for TensorRT, which no arm uses.
    named = outcome.logs.partition("asking\n")[2]
    assert "asked" in named
    return set(re.findall(r"Could not load dynamic library '([^']+)'", named))


@pytest.mark.parametrize("arm", CUDA_ARMS)
def test_every_library_that_tensorflow_opens_loads_in_the_image(
    engine: DockerEngine, images: Images, arm: str
) -> None:
    assert refused_by_the_loader(run(engine, images, arm, "python3", "-c", TRY_ALL)) == set()
    wanted = json.dumps(sorted(SONAMES | SUB_LIBRARIES))
    answers = last_json(run(engine, images, arm, "python3", "-c", LOADER, wanted))
    assert set(answers) == SONAMES | SUB_LIBRARIES
    assert {name: why for name, why in answers.items() if why} == {}


def test_the_loader_path_is_what_makes_them_load(engine: DockerEngine, images: Images) -> None:
    outcome = run(
        engine, images, "python-cuda", "python3", "-c", TRY_ALL, env={"LD_LIBRARY_PATH": ""}
    )
    assert refused_by_the_loader(outcome) == SONAMES


def test_cudnn_opens_only_what_was_tried(engine: DockerEngine, images: Images) -> None:
    outcome = run(engine, images, "python-cuda", "python3", "-c", SHIM)
    assert set(json.loads(outcome.logs)) == SUB_LIBRARIES


def test_tensorflow_is_the_gpu_build_and_imports_without_a_gpu(
    engine: DockerEngine, images: Images
) -> None:
    found = last_json(run(engine, images, "python-cuda", "python3", "-c", FACTS))
    assert (found["cuda"], found["gpus"]) == (True, 0)
    build = found["build"]
    assert isinstance(build, dict)
    assert build["cuda_version"].startswith("11")
    assert build["cudnn_version"] == "8"
    cpu = last_json(run(engine, images, "python-cpu", "python3", "-c", FACTS))
    assert cpu["cuda"] is False


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
    name = f"kit-test-{uuid.uuid4().hex[:12]}"
    request = RunRequest(
        image=images.arms["python-cuda"].image_id,
        command=("sh", "-c", 'touch "$CUDA_CACHE_PATH/kept"'),
        volumes={name: "/cuda-cache"},
    )
    try:
        assert engine.run(request).exit_code == 0
    finally:
        engine._link.client.remove_volume(name, force=True)


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
    shared = shared_layers(cpu, cuda)
    for arm in images.arms:
        print(f"{arm}: {images.arms[arm].size_bytes / 1e9:.2f} GB")
    print(f"python-cuda begins with {shared} of the {len(cpu.layers)} layers of python-cpu")
    # Only TensorFlow itself differs, which comes last in the one; the other adds the cache.
    assert shared == len(cpu.layers) - 1
    assert len(cuda.layers) == len(cpu.layers) + 1


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_a_dotnet_image_holds_the_whole_python_image_of_its_variant(
    engine: DockerEngine, images: Images, variant: str
) -> None:
    python, dotnet = (info(engine, images, f"{stack}-{variant}") for stack in ("python", "dotnet"))
    assert shared_layers(python, dotnet) == len(python.layers)
    print(f"dotnet-{variant} adds {(dotnet.size_bytes - python.size_bytes) / 1e6:.0f} MB")


def shared_layers(a: ImageInfo, b: ImageInfo) -> int:
    """How many layers both begin with."""
    same = (one == other for one, other in zip(a.layers, b.layers, strict=False))
    return len(list(itertools.takewhile(bool, same)))


def test_what_tensorflow_never_opens_is_left_out(engine: DockerEngine, images: Images) -> None:
    outcome = run(
        engine, images, "python-cuda", "find", "/opt/kit/site/nvidia", "-regex",
        r".*\.\(a\|h\|hpp\)\|.*/nvcc\|.*/libcusolverMg.*",
    )  # fmt: skip
    assert (outcome.exit_code, outcome.logs) == (0, "")
