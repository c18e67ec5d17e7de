"""The fidelity table: one row per component, substitutes said plainly."""

from __future__ import annotations

import pytest

from kit.images.fidelity import Part, fidelity
from kit.records.images import Component
from kit.study.folder import Declared, study_pins
from kit.study.load import shipped_study

STUDY = shipped_study()
WANTED = STUDY.paper.environment
VOUCHED = study_pins(STUDY.folder).components
PYTHON = Part("CPython 3.8.2", True, "pulled by digest")
DOTNET = Part(".NET 3.1.2", False, "no registry")
BINDING = Part("Keras.NET 3.8.5", True, "its packages were restored")
FACTS = {"os": "Debian 10 (buster)", "tensorflow": "2.10.1"}


def rows(
    python: Part = PYTHON,
    dotnet: Part | None = DOTNET,
    binding: Part | None = BINDING,
    variants: tuple[str, ...] = ("cpu",),
) -> dict[str, Component]:
    parts = {"python": python, "dotnet": dotnet, "binding": binding}
    return {row.name: row for row in fidelity(WANTED, VOUCHED, parts, variants, FACTS)}


def test_a_row_for_everything_the_paper_names() -> None:
    assert set(rows()) == set(WANTED)
    assert all(row.wanted == WANTED[name] and row.why for name, row in rows().items())


def test_without_dotnet_its_rows_are_left_out() -> None:
    assert set(WANTED) - set(rows(dotnet=None, binding=None)) == {"dotnet", "binding"}


def test_substituted_runtime_with_exact_binding_is_a_legal_mix() -> None:
    found = rows()
    assert (found["dotnet"].exact, found["binding"].exact) == (False, True)
    assert found["dotnet"].got == ".NET 3.1.2" and found["dotnet"].why == "no registry"
    assert found["binding"].got == "Keras.NET 3.8.5"


def test_a_substituted_python_keeps_its_reason() -> None:
    row = rows(Part("CPython 3.9", False, "none to adopt"))["python"]
    assert (row.got, row.exact, row.why) == ("CPython 3.9", False, "none to adopt")


def test_a_container_is_never_the_papers_system() -> None:
    row = rows()["operating system"]
    assert not row.exact
    assert row.got == "Debian 10 (buster) in a Linux container"


@pytest.mark.parametrize("name", ["tensorflow", "data"])
def test_what_is_pinned_by_hash_is_exact(name: str) -> None:
    assert rows()[name].exact


def test_the_tensorflow_row_says_whose_choice_it_is() -> None:
    assert "kit" in rows()["tensorflow"].why


@pytest.mark.parametrize(
    ("variants", "builds"),
    [
        (("cpu",), "CPU build"),
        (("cuda",), "GPU build"),
        (("cuda", "cpu"), "CPU build and GPU build"),
    ],
)
def test_the_tensorflow_row_says_which_builds_it_had(
    variants: tuple[str, ...], builds: str
) -> None:
    assert rows(variants=variants)["tensorflow"].got == f"TensorFlow 2.10.1 ({builds})"


def test_cuda_has_a_row_only_where_an_arm_has_it() -> None:
    row = rows(variants=("cpu", "cuda"))["cuda"]
    assert (row.wanted, row.exact) == ("not stated", True)
    assert "CUDA 11.8" in row.got and "cuDNN 8.6" in row.got and "kit" in row.why
    assert "cuda" not in rows()
    assert "GPU" not in rows()["hardware"].got
    assert "GPU" in rows(variants=("cuda",))["hardware"].got


def test_a_component_nobody_knows_counts_as_substituted() -> None:
    (row,) = fidelity({"database": "PostgreSQL 12"}, {}, {})
    assert (row.name, row.wanted, row.exact) == ("database", "PostgreSQL 12", False)


def test_a_studys_word_makes_no_substitute_exact() -> None:
    found = {"python": Part("CPython 3.9", False, "none to adopt")}
    (row,) = fidelity({"python": "3.8"}, {"python": Declared("3.8", True, "mine")}, found)
    assert (row.got, row.exact) == ("CPython 3.9", False)
