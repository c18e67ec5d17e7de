"""From arms to images on a scripted engine: substitutes, refusals, reasons."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes.engine import FakeEngine, image
from support.sessions import DOTNET, PYTHON, make_study

from kit import __version__
from kit.engine.protocol import BuildRequest, ImageInfo, LineSink
from kit.errors import ContentError, HostError, ImageError, InputError
from kit.host.network import HostNetwork
from kit.images.bases import bootstrap
from kit.images.bases.hostpython import SUITES, HostPython
from kit.images.build.arms import Builder, BuildOptions, Images
from kit.images.build.recipe import Tools, references
from kit.images.stored import images_there
from kit.pins.load import shipped_pins
from kit.records.images import Component
from kit.study.load import shipped_folder, shipped_study
from kit.study.model import Arm

PINS = shipped_pins()
NET = HostNetwork({"http_proxy": "http://proxy.example:3128"}, b"CA", "[global]\n", "")
FULL = shipped_study().paper.environment
CUDA = {name: Arm(name, name.partition("-")[0], "cuda") for name in ("python-cuda", "dotnet-cuda")}
STUDY = make_study(paper=replace(make_study().paper, environment=FULL), folder=shipped_folder())
STUDY = replace(STUDY, arms={**STUDY.arms, **CUDA})
BOTH = (PYTHON, DOTNET)
KERAS_NET, PYTHON_NET = "kit/dotnet-cpu-kerasnet", "kit/dotnet-cpu-pythonnet"
EXECUTABLE = "kit/executable"
CUDA_KERAS_NET = "kit/dotnet-cuda-kerasnet"
NO_FEED = ImageError("the feed did not answer", "name another")


@dataclass
class Engine(FakeEngine):
    """Keeps what each build was given, by the name of the tag."""

    contexts: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def build(self, request: BuildRequest, on_line: LineSink) -> ImageInfo:
        with tarfile.open(fileobj=request.context) as archive:
            self.contexts[name(request)] = {
                member.name: opened.read()
                for member in archive.getmembers()
                if member.isfile() and (opened := archive.extractfile(member)) is not None
            }
        return super().build(request, on_line)

    def built(self) -> list[str]:
        """What was built for arms, in order."""
        return [built for built in map(name, self.named("build")) if built != EXECUTABLE]

    def args(self, tag: str) -> dict[str, str]:
        return next(dict(r.args) for r in self.named("build") if name(r) == tag)

    def fail(self, tag: str, error: Exception = NO_FEED) -> None:
        self.build_errors[f"{tag}:{__version__}"] = error


def name(request: BuildRequest) -> str:
    return request.tag.rpartition(":")[0]


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with an adoptable CPython, and a Debian archive that always answers."""
    stdlib = tmp_path / "python" / "lib"
    stdlib.mkdir(parents=True)
    for place in (stdlib / "os.py", stdlib.parent / "python3.8", stdlib.parent / "libpython.so"):
        place.write_bytes(b"x")
    python = HostPython(
        "3.8.20", stdlib.parent / "python3.8", stdlib.parent / "libpython.so", stdlib,
        frozenset({"libz.so.1"}), (2, 17),
    )  # fmt: skip
    monkeypatch.setattr(bootstrap, "find_host_python", lambda: (python, SUITES[0]))
    monkeypatch.setattr(
        bootstrap, "write_debian_rootfs", lambda suite, packages, tar: tar.write_bytes(b"rootfs")
    )
    return tmp_path


def have(engine: Engine, *roles: str) -> None:
    """The registries serve the first candidate of these roles."""
    for role in roles:
        pinned = PINS.roles[role][0].pinned
        engine.pulls[pinned] = image(pinned)


def build(engine: Engine, arms: tuple[str, ...] = BOTH, **options: object) -> Images:
    tools = Tools(engine, PINS, NET, lambda line: None)
    return Builder(tools, BuildOptions(**options)).build(STUDY, arms)


def row(images: Images, component: str) -> Component:
    return next(found for found in images.fidelity if found.name == component)


def test_everything_exact_when_everything_can_be_had(engine: Engine) -> None:
    have(engine, *PINS.roles)
    images = build(engine, strict=True)
    assert engine.built() == ["kit/python-cpu", KERAS_NET]
    assert all(row(images, part).exact for part in ("python", "dotnet", "binding"))
    assert row(images, "python").got == "CPython 3.8.2"
    assert row(images, "dotnet").got == ".NET 5.0.17"
    assert row(images, "binding").got == PINS.exact_binding
    args = engine.args(KERAS_NET)
    assert args["SDK_IMAGE"] == image(PINS.roles["dotnet-sdk"][0].pinned).id
    assert args["RUNTIME_IMAGE"] == image(PINS.roles["dotnet-runtime"][0].pinned).id
    assert args["TARGET_FRAMEWORK"] == "net5.0"


@pytest.mark.parametrize("feed", [True, False])
def test_images_are_looked_for_by_the_names_that_they_are_built_with(
    engine: Engine, feed: bool
) -> None:
    if not feed:
        engine.fail(KERAS_NET)
    arms = (*BOTH, "python-cuda", "dotnet-cuda")
    assert not images_there(engine, STUDY, arms)
    built = build(engine, arms).arms
    assert images_there(engine, STUDY, arms)
    assert all(built[arm].reference in references(STUDY, STUDY.arms[arm]) for arm in arms)


def test_the_executable_shares_the_arms_build_on_a_debian_without_python(engine: Engine) -> None:
    images = build(engine)
    request = next(r for r in engine.named("build") if name(r) == EXECUTABLE)
    assert request.target == "executable"
    (rootfs,) = (ref for ref in engine.images if ref.startswith("kit/rootfs:"))
    assert request.args["BARE_IMAGE"] == engine.images[rootfs].id
    arm = dict(engine.args(KERAS_NET))
    assert {key: request.args[key] for key in arm} == arm
    assert images.executable is not None
    assert images.bases["bare"].image == engine.images[rootfs].id


def test_exact_bases_give_the_vendors_runtime_as_the_bare_one(engine: Engine) -> None:
    have(engine, *PINS.roles)
    build(engine)
    request = next(r for r in engine.named("build") if name(r) == EXECUTABLE)
    assert request.args["BARE_IMAGE"] == image(PINS.roles["dotnet-runtime"][0].pinned).id


def test_without_an_executable_everything_else_is_built(engine: Engine) -> None:
    engine.fail(EXECUTABLE)
    images = build(engine)
    assert images.executable is None
    assert set(images.arms) == set(BOTH)


def test_packages_that_are_not_the_recorded_ones_are_no_reason_for_a_substitute(
    engine: Engine,
) -> None:
    engine.build_lines = ("error NU1403: Keras.NET.3.8.5 differs",)
    engine.fail(KERAS_NET)
    with pytest.raises(ImageError, match=r"not the recorded ones.*Keras\.NET\.3\.8\.5"):
        build(engine)
    assert PYTHON_NET not in engine.built()


@pytest.mark.parametrize("word", ["NU1403", "NU1004", "NU3008"])
def test_refused_packages_are_heard_of_wherever_the_builder_says_it(
    engine: Engine, word: str
) -> None:
    """Behind a longer line and before many more."""
    said = f"{'/a/long/path' * 400} : error {word}: Keras.NET.3.8.5 differs"
    engine.build_lines = ("Step 1/1 : RUN dotnet restore", said, *["error: and more"] * 20)
    engine.fail(KERAS_NET, ImageError("the build failed: error: and more", "x"))
    with pytest.raises(ImageError, match=rf"not the recorded ones.*{word}: Keras\.NET\.3\.8\.5"):
        build(engine)
    assert PYTHON_NET not in engine.built()


def test_packages_that_may_be_missing_print_no_error(engine: Engine) -> None:
    have(engine, *PINS.roles)
    engine.build_lines = ("Step 1/1 : RUN dotnet restore", "error NU1101: Unable to find Keras.NET")
    engine.fail(KERAS_NET, ImageError("the build failed: error NU1101", "x"))
    said: list[str] = []
    Builder(Tools(engine, PINS, NET, said.append), BuildOptions()).build(STUDY, BOTH)
    assert PYTHON_NET in engine.built()
    assert not any("NU1101" in line for line in said)
    assert any(PINS.substitute_binding in line for line in said)


@pytest.mark.parametrize("word", ["NU1403", "NU3008"])
def test_refused_packages_of_the_executable_end_the_build(engine: Engine, word: str) -> None:
    engine.build_lines = (f"error {word}: Microsoft.NETCore.App differs",)
    engine.fail(EXECUTABLE)
    with pytest.raises(ContentError, match=rf"{word}: Microsoft"):
        build(engine)


def test_a_command_that_names_a_code_has_not_printed_it(engine: Engine) -> None:
    step = "Step 9/12 : RUN dotnet publish > /said || grep -qE 'error (CS|NU1403|NU3008)' /said"
    engine.build_lines = (step, "error NETSDK1045: the SDK does not know it")
    engine.fail(EXECUTABLE)
    images = build(engine)
    assert images.executable is None and set(images.arms) == set(BOTH)


@pytest.mark.parametrize(
    "message", ["the build failed", "error NU1403: differs", "error CS0246: no type", ""]
)
@pytest.mark.parametrize(
    "line, decided",
    [
        ("error NU1101: Unable to find Keras.NET", None),
        ("error NU1403: Keras.NET.3.8.5 differs", ContentError),
        ("error CS0246: no type", ImageError),
    ],
)
def test_what_the_builder_printed_decides_and_not_the_message(
    engine: Engine, message: str, line: str, decided: type[ImageError] | None
) -> None:
    engine.build_lines = (line,)
    engine.fail(KERAS_NET, ImageError(message, "x"))
    if decided is None:
        assert build(engine).arms[DOTNET].reference.startswith(PYTHON_NET)
        return
    with pytest.raises(ImageError) as caught:
        build(engine)
    assert type(caught.value) is decided
    assert PYTHON_NET not in engine.built()


def test_every_variant_has_images_of_its_own_on_the_same_bases(engine: Engine) -> None:
    have(engine, *PINS.roles)
    images = build(engine, (*BOTH, "python-cuda", "dotnet-cuda"))
    assert engine.built() == [
        "kit/python-cpu", "kit/python-cuda", KERAS_NET, CUDA_KERAS_NET,
    ]  # fmt: skip
    cpu, cuda = (engine.args(f"kit/python-{variant}") for variant in ("cpu", "cuda"))
    assert (cpu.pop("VARIANT"), cuda.pop("VARIANT")) == ("cpu", "cuda")
    assert cpu == cuda
    cuda_dotnet = engine.args(CUDA_KERAS_NET)
    assert cuda_dotnet["PYTHON_IMAGE"] == images.arms["python-cuda"].image_id
    assert len({arm.image_id for arm in images.arms.values()}) == 4
    assert row(images, "cuda").got.startswith("CUDA 11.8")
    assert len({reference for reference, _ in engine.named("pull")}) == len(engine.named("pull"))


def test_a_cuda_arm_alone_builds_nothing_of_the_cpu_variant(engine: Engine) -> None:
    images = build(engine, ("dotnet-cuda",))
    first, *beside, last = engine.built()
    assert (first, last) == ("kit/base-python", CUDA_KERAS_NET)
    assert set(beside) == {"kit/python-cuda", "kit/base-dotnet-sdk"}
    assert list(images.arms) == ["dotnet-cuda"]
    assert row(images, "tensorflow").got.endswith("(GPU build)")


def test_a_variant_without_a_dotnet_arm_gets_no_dotnet_image(engine: Engine) -> None:
    build(engine, (*BOTH, "python-cuda"))
    assert [tag for tag in engine.built() if "dotnet-c" in tag] == [KERAS_NET]


@pytest.mark.parametrize("failing", ["cpu", "cuda"])
def test_the_variants_never_differ_in_their_binding(engine: Engine, failing: str) -> None:
    engine.fail(f"kit/dotnet-{failing}-kerasnet")
    images = build(engine, (*BOTH, "python-cuda", "dotnet-cuda"))
    assert images.arms[DOTNET].reference.startswith(PYTHON_NET)
    assert images.arms["dotnet-cuda"].reference.startswith("kit/dotnet-cuda-pythonnet")
    assert (row(images, "binding").got, row(images, "binding").exact) == (
        PINS.substitute_binding, False,
    )  # fmt: skip


def test_a_feed_that_failed_one_variant_is_not_asked_for_the_next(engine: Engine) -> None:
    engine.fail(KERAS_NET)
    build(engine, (*BOTH, "python-cuda", "dotnet-cuda"))
    assert CUDA_KERAS_NET not in engine.built()


def test_without_a_cuda_arm_nothing_of_cuda_is_built(engine: Engine) -> None:
    images = build(engine)
    assert not any("cuda" in built for built in engine.built())
    assert "cuda" not in [found.name for found in images.fidelity]


def test_a_context_holds_only_the_locks_it_installs(engine: Engine) -> None:
    build(engine, ("python-cuda",))
    context = engine.contexts["kit/python-cuda"]
    locks = {place for place in context if "-cp" in place}
    assert locks == {"requirements-cp38.txt", "tensorflow-cuda-cp38.txt"}
    assert b"nvidia-cudnn-cu11==8.6.0.163" in context["tensorflow-cuda-cp38.txt"]


def test_the_dotnet_image_rests_on_the_kits_own_python_image(engine: Engine) -> None:
    have(engine, *PINS.roles)
    images = build(engine)
    assert engine.args(KERAS_NET)["PYTHON_IMAGE"] == images.arms[PYTHON].image_id
    assert images.arms[DOTNET].image_id != images.arms[PYTHON].image_id
    assert images.arms[DOTNET].reference == f"{KERAS_NET}:{__version__}"


def test_no_registry_gives_substitutes_with_every_reason(engine: Engine) -> None:
    images = build(engine)
    first, *beside, last = engine.built()
    assert (first, last) == ("kit/base-python", KERAS_NET)
    assert set(beside) == {"kit/python-cpu", "kit/base-dotnet-sdk"}
    python, dotnet = row(images, "python"), row(images, "dotnet")
    assert (python.exact, dotnet.exact) == (False, False)
    assert python.got == "CPython 3.8.20" and dotnet.got == ".NET 3.1.2"
    for candidate in PINS.roles["python"]:
        assert any(candidate.readable in answer for answer in python.details)
    for role in ("dotnet-sdk", "dotnet-runtime"):
        assert any(PINS.roles[role][0].readable in answer for answer in dotnet.details)
    assert "CPython of the host" in python.why and "no answer" in python.details[0]
    assert "Debian bullseye" in row(images, "operating system").got
    args = engine.args(KERAS_NET)
    assert args["SDK_IMAGE"] == args["RUNTIME_IMAGE"]
    assert args["TARGET_FRAMEWORK"] == "netcoreapp3.1"


def test_the_binding_is_chosen_apart_from_the_base(engine: Engine) -> None:
    images = build(engine)
    assert row(images, "binding").exact and not row(images, "dotnet").exact


def test_a_second_candidate_is_no_exact_python(engine: Engine) -> None:
    second = PINS.roles["python"][1]
    engine.pulls[second.pinned] = image(second.pinned)
    engine.pulls[PINS.roles["python"][0].pinned] = ImageError("manifest unknown", "")
    images = build(engine, (PYTHON,))
    python = row(images, "python")
    assert (python.exact, python.got) == (False, "CPython 3.8.20")
    assert python.why == "had by digest"
    assert python.details == (f"{PINS.roles['python'][0].readable}: manifest unknown",)


def test_a_local_second_candidate_says_why_it_is_no_exact_python(engine: Engine) -> None:
    second = PINS.roles["python"][1].pinned
    engine.images[second] = image(second)
    python = row(build(engine, (PYTHON,)), "python")
    assert not python.exact and python.why


def test_strict_refuses_a_second_candidate(engine: Engine) -> None:
    first, second = (candidate.pinned for candidate in PINS.roles["python"])
    engine.pulls |= {first: ImageError("manifest unknown", ""), second: image(second)}
    with pytest.raises(ImageError, match="--strict"):
        build(engine, (PYTHON,), strict=True)


def test_python_alone_builds_no_dotnet(engine: Engine) -> None:
    images = build(engine, (PYTHON,))
    assert engine.built() == ["kit/base-python", "kit/python-cpu"]
    assert list(images.arms) == [PYTHON]
    assert {"dotnet", "binding"}.isdisjoint(c.name for c in images.fidelity)
    assert not any("dotnet" in reference for reference, _ in engine.named("pull"))


def test_dotnet_alone_names_only_its_arm(engine: Engine) -> None:
    assert list(build(engine, (DOTNET,)).arms) == [DOTNET]
    assert "kit/python-cpu" in engine.built()


def test_a_failing_keras_net_gives_pythonnet_with_the_reason(engine: Engine) -> None:
    engine.fail(KERAS_NET)
    images = build(engine)
    assert engine.built()[-2:] == [KERAS_NET, PYTHON_NET]
    binding = row(images, "binding")
    assert (binding.got, binding.exact) == (PINS.substitute_binding, False)
    assert "the feed did not answer" in binding.details[0]
    assert images.arms[DOTNET].reference.startswith(PYTHON_NET)
    assert engine.args(PYTHON_NET)["BINDING"] == "PythonNet"
    assert engine.args(KERAS_NET)["BINDING"] == "KerasNet"


def test_a_program_that_does_not_compile_is_no_lack_of_packages(engine: Engine) -> None:
    engine.build_lines = ("step 9", "/src/Fit.cs(3,1): error CS0246: no type")
    engine.fail(KERAS_NET)
    with pytest.raises(ImageError, match=r"does not build with Keras\.NET: .*CS0246"):
        build(engine)
    assert PYTHON_NET not in engine.built()


def test_pythonnet_that_fails_too_is_an_error(engine: Engine) -> None:
    engine.fail(KERAS_NET)
    engine.fail(PYTHON_NET, ImageError("the compiler failed", ""))
    with pytest.raises(ImageError, match="the compiler failed"):
        build(engine)


def test_an_unreachable_feed_is_not_asked_each_time(engine: Engine) -> None:
    engine.fail(KERAS_NET)
    build(engine)
    before = len(engine.built())
    binding = row(build(engine), "binding")
    assert len(engine.built()) == before
    assert not binding.exact and "not available" in binding.why


def test_naming_a_feed_asks_again(engine: Engine) -> None:
    engine.fail(KERAS_NET)
    build(engine)
    engine.build_errors.clear()
    images = build(engine, nuget_source="https://feed.example/v3")
    assert row(images, "binding").exact
    assert engine.named("build")[-1].args["NUGET_SOURCE"] == "https://feed.example/v3"


def test_a_second_build_finds_everything(engine: Engine) -> None:
    first = build(engine)
    before = len(engine.built())
    assert build(engine) == first
    assert len(engine.built()) == before
    assert len(engine.named("import_rootfs")) == 1


def test_strict_refuses_with_what_was_missing(engine: Engine) -> None:
    with pytest.raises(ImageError) as caught:
        build(engine, strict=True)
    assert caught.value.problem.startswith("--strict: 3 of 3 base images")
    for role, candidates in PINS.roles.items():
        assert role in caught.value.problem
        for candidate in candidates:
            assert f"{candidate.readable}: " in caught.value.problem
    assert f"{PINS.exact_binding} can be tried only on those bases" in caught.value.problem
    assert engine.built() == [] and engine.named("import_rootfs") == []


def test_strict_refuses_a_missing_dotnet_base(engine: Engine) -> None:
    have(engine, "python", "dotnet-sdk")
    with pytest.raises(ImageError) as caught:
        build(engine, strict=True)
    assert "1 of 3 base images" in caught.value.problem
    assert PINS.roles["dotnet-runtime"][0].readable in caught.value.problem
    assert PINS.roles["dotnet-sdk"][0].readable not in caught.value.problem


def test_strict_refuses_the_second_choice_of_python(engine: Engine) -> None:
    have(engine, "dotnet-sdk", "dotnet-runtime")
    second = PINS.roles["python"][1].pinned
    engine.pulls[second] = image(second)
    with pytest.raises(ImageError) as caught:
        build(engine, strict=True)
    assert PINS.roles["python"][0].readable in caught.value.problem
    assert not row(build(engine), "python").exact


def test_strict_asks_for_no_dotnet_where_none_is_wanted(engine: Engine) -> None:
    with pytest.raises(ImageError) as caught:
        build(engine, (PYTHON,), strict=True)
    assert "1 of 1 base images" in caught.value.problem
    assert PINS.exact_binding not in caught.value.problem
    have(engine, "python")
    assert build(engine, (PYTHON,), strict=True).arms


def test_strict_refuses_the_substitute_binding(engine: Engine) -> None:
    have(engine, *PINS.roles)
    engine.fail(KERAS_NET)
    with pytest.raises(ImageError) as caught:
        build(engine, strict=True)
    assert PINS.substitute_binding in caught.value.problem
    assert "the feed did not answer" in caught.value.problem
    assert "nuget_source" in caught.value.remedy
    assert PYTHON_NET not in engine.built()


def test_strict_asks_the_feed_again_and_says_what_it_said(engine: Engine) -> None:
    have(engine, *PINS.roles)
    engine.fail(KERAS_NET)
    build(engine)
    with pytest.raises(ImageError, match="the feed did not answer"):
        build(engine, strict=True)
    engine.build_errors.clear()
    assert row(build(engine, strict=True), "binding").exact


def test_a_nuget_folder_travels_in_the_context(engine: Engine, tmp_path: Path) -> None:
    feed = tmp_path / "feed"
    feed.mkdir()
    (feed / "Keras.NET.nupkg").write_bytes(b"package")
    (feed / "notes.txt").write_bytes(b"not one")
    build(engine, nuget_source=str(feed))
    context = engine.contexts[KERAS_NET]
    assert context["packages/Keras.NET.nupkg"] == b"package"
    assert "packages/notes.txt" not in context
    assert engine.args(KERAS_NET)["NUGET_SOURCE"] == "packages"


def test_other_packages_make_another_image(engine: Engine, tmp_path: Path) -> None:
    package = tmp_path / "a.nupkg"
    package.write_bytes(b"one")
    build(engine, nuget_source=str(tmp_path))
    package.write_bytes(b"two")
    build(engine, nuget_source=str(tmp_path))
    assert engine.built().count(KERAS_NET) == 2
    assert engine.built().count("kit/python-cpu") == 1


def test_the_substitute_asks_no_feed(engine: Engine) -> None:
    engine.fail(KERAS_NET)
    build(engine, nuget_source="https://feed.example/v3")
    assert engine.args(PYTHON_NET)["NUGET_SOURCE"] == "packages"
    assert engine.contexts[PYTHON_NET]["packages/.keep"] == b""


@pytest.mark.parametrize("made", [False, True])
def test_a_bad_nuget_folder_is_bad_input(engine: Engine, tmp_path: Path, made: bool) -> None:
    feed = tmp_path / "feed"
    if made:
        feed.mkdir()
    with pytest.raises(InputError) as caught:
        build(engine, nuget_source=str(feed))
    assert "nuget_source" in caught.value.problem and str(feed) in caught.value.problem


def test_no_cpython_to_adopt_uses_the_other_lock_and_no_keras_net(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "find_host_python", lambda: "none was found")
    images = build(engine)
    args = engine.args("kit/python-cpu")
    assert (args["LOCK"], args["LIBPYTHON"]) == ("cp39", "libpython3.9.so.1.0")
    assert KERAS_NET not in engine.built() and PYTHON_NET in engine.built()
    assert "Python 3.8 only" in row(images, "binding").why
    assert "none was found" in row(images, "python").why
    assert row(images, "python").got == "CPython 3.9"


def test_settings_of_the_host_reach_builds_and_no_digest(engine: Engine) -> None:
    build(engine)
    before = len(engine.built())
    for tag in engine.built():
        assert engine.args(tag)["http_proxy"] == "http://proxy.example:3128"
    for tag in ("kit/python-cpu", "kit/base-dotnet-sdk", KERAS_NET):
        assert engine.contexts[tag]["host/ca.crt"] == b"CA"
    Builder(
        Tools(engine, PINS, HostNetwork({}, b"", "", ""), lambda line: None), BuildOptions()
    ).build(STUDY, BOTH)
    assert len(engine.built()) == before


def test_tools_are_asked_for_only_when_something_must_be_made(engine: Engine) -> None:
    asked: list[str] = []
    build(engine, ensure_tools=lambda: asked.append("asked"))
    assert asked
    asked.clear()
    build(engine, ensure_tools=lambda: asked.append("asked"))
    exact = Engine()
    have(exact, *PINS.roles)
    build(exact, ensure_tools=lambda: asked.append("asked"))
    assert asked == []


def test_tools_that_cannot_be_had_stop_the_build(engine: Engine) -> None:
    def refuse() -> None:
        raise HostError("mmdebstrap is missing", "run kit setup")

    with pytest.raises(HostError, match="mmdebstrap"):
        build(engine, ensure_tools=refuse)
    assert engine.built() == []


def test_a_python_image_that_fails_is_no_reason_to_go_on(engine: Engine) -> None:
    engine.fail("kit/python-cpu", ImageError("hash mismatch", ""))
    with pytest.raises(ImageError, match="hash mismatch"):
        build(engine)
    assert not {KERAS_NET, PYTHON_NET}.intersection(engine.built())


def test_an_arm_of_another_stack_without_a_recipe_is_refused_by_name(engine: Engine) -> None:
    study = replace(STUDY, arms={"r-cpu": replace(STUDY.arms[PYTHON], name="r-cpu", stack="r")})
    tools = Tools(engine, PINS, NET, lambda line: None)
    with pytest.raises(InputError) as caught:
        Builder(tools, BuildOptions()).build(study, ("r-cpu",))
    assert "r-cpu" in caught.value.problem and not engine.built()
