"""Same work: equal arms hold; each kind of difference is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.sessions import (
    DOTNET,
    PYTHON,
    SITE,
    change_identity,
    change_record,
    fail_run,
    make_fits,
    make_identity,
    make_session,
    make_study,
    paired,
    sha,
)

from kit.judge.samework import same_work

BOTH = (PYTHON, DOTNET)
GOOD = make_session(paired([1.05, 1.06, 1.07]))


def broken(session):
    work = same_work(session, BOTH, RULES)
    assert work.held is (not work.broken())
    return {check.name: check.detail for check in work.broken()}


RULES = make_study().protocol.same_work


def test_arms_that_did_the_same_work_hold_every_check():
    work = same_work(GOOD, BOTH, RULES)
    assert work.held
    assert work.applicable
    assert [check.name for check in work.checks] == [
        "identity runs", "versions", "data", "tensors", "model config", "initial weights",
        "loss trajectory", "native libraries", "wheels", "timed runs", "fits",
    ]  # fmt: skip


def test_libraries_of_one_arm_alone_are_its_runtimes_own_and_no_difference():
    work = same_work(GOOD, BOTH, RULES)
    assert work.own_libraries == {DOTNET: ("/usr/share/dotnet/shared/libcoreclr.so",)}


@pytest.mark.parametrize(
    "field, value, check, said",
    [
        ("data", {"train-images": sha("other"), "test-images": sha("test")}, "data",
         "train-images differs"),
        ("tensors", {"x_train": sha("x"), "y_train": sha("z")}, "tensors", "y_train differs"),
        ("tensors", {"x_train": sha("x")}, "tensors", "y_train differs"),
        ("model_config", sha("other"), "model config", "model config differs"),
        ("initial_weights", sha("other"), "initial weights", "initial weights differs"),
        ("initial_weights", None, "initial weights",
         "initial weights not recorded by dotnet-cpu"),
        ("wheels", {"numpy": "numpy/core/x.py"}, "wheels", "numpy in dotnet-cpu"),
        ("wheels", {}, "wheels", "none checked in dotnet-cpu"),
        ("libraries", {}, "native libraries", "none recorded by dotnet-cpu"),
    ],
)  # fmt: skip
def test_a_difference_of_identity_is_named(field, value, check, said):
    session = change_identity(GOOD, "i-dotnet-cpu", **{field: value})
    assert said in broken(session)[check]


def test_a_library_of_both_arms_must_be_the_same_file():
    libraries = {**make_identity(DOTNET).libraries, "/lib/x86_64-linux-gnu/libc.so.6": sha("musl")}
    session = change_identity(GOOD, "i-dotnet-cpu", libraries=libraries)
    assert broken(session) == {
        "native libraries": "libc.so.6 is another file in python-cpu and dotnet-cpu"
    }


@pytest.mark.parametrize(
    "path",
    [
        f"{SITE}/tensorflow/libtensorflow_framework.so.2",
        "/usr/local/lib/libpython3.8.so.1.0",
    ],
)
def test_a_library_of_the_python_side_must_be_mapped_in_both(path):
    libraries = {p: h for p, h in make_identity(DOTNET).libraries.items() if p != path}
    session = change_identity(GOOD, "i-dotnet-cpu", libraries=libraries)
    name = path.rsplit("/", 1)[1]
    assert broken(session) == {"native libraries": f"{name} is not mapped in dotnet-cpu"}


def test_debians_name_for_site_packages_counts_too():
    path = "/usr/local/lib/python3.9/dist-packages/tensorflow/extra.so"
    libraries = {**make_identity(PYTHON).libraries, path: sha("extra")}
    session = change_identity(GOOD, "i-python-cpu", libraries=libraries)
    assert "extra.so is not mapped in dotnet-cpu" in broken(session)["native libraries"]


@pytest.mark.parametrize("name", ["python", "tensorflow", "keras", "numpy"])
def test_versions_must_be_equal(name):
    record = GOOD.identity()[DOTNET].record
    session = change_record(GOOD, "i-dotnet-cpu", versions={**record.versions, name: "0.1"})
    assert f"{name} differs" in broken(session)["versions"]


def test_one_bit_of_one_loss_is_a_difference_and_named():
    fits = make_fits((1.9, 1.8))
    losses = (*fits[1].losses[:4], fits[1].losses[4] + 2**-50)
    session = change_record(GOOD, "i-dotnet-cpu", fits=(fits[0], replace(fits[1], losses=losses)))
    detail = broken(session)["loss trajectory"]
    assert detail.startswith("loss of fit 1 epoch 5 differs: 0.6801 in python-cpu")
    assert "1 of 20 values differ" in detail


def test_a_missing_fit_is_a_difference():
    session = change_record(GOOD, "i-dotnet-cpu", fits=make_fits((1.9,)))
    assert "is recorded by one of" in broken(session)["loss trajectory"]


def test_losses_that_are_not_finite_are_no_proof_even_when_alike():
    nan = make_fits((1.9, 1.8), losses=(float("nan"),) * 5)
    session = change_record(GOOD, "i-dotnet-cpu", fits=nan)
    session = change_record(session, "i-python-cpu", fits=nan)
    assert "is not finite" in broken(session)["loss trajectory"]


def test_no_losses_are_no_proof():
    session = change_record(GOOD, "i-dotnet-cpu", fits=())
    session = change_record(session, "i-python-cpu", fits=())
    assert "recorded no losses" in broken(session)["loss trajectory"]


def test_a_missing_identity_run_is_named():
    entries = tuple(e for e in GOOD.entries if e.run_id != "i-dotnet-cpu")
    detail = broken(replace(GOOD, entries=entries))["identity runs"]
    assert detail == "no good identity run of dotnet-cpu (the log has none)"


def test_a_failed_identity_run_is_named_with_its_failure():
    detail = broken(fail_run(GOOD, "i-dotnet-cpu", "timed out"))["identity runs"]
    assert detail == "no good identity run of dotnet-cpu (it failed: timed out)"


@pytest.mark.parametrize(
    "field, value, said",
    [
        ("tensors", {"x_train": sha("other")}, "tensors of t1-python-cpu (python-cpu) differs"),
        ("data", {"train-images": sha("other")}, "data of t1-python-cpu"),
        ("model_config", sha("other"), "model config of t1-python-cpu"),
    ],
)
def test_a_timed_run_that_did_other_work_is_named(field, value, said):
    session = change_identity(GOOD, "t1-python-cpu", **{field: value})
    assert said in broken(session)["timed runs"]


def test_a_timed_run_of_fewer_epochs_is_named():
    fits = make_fits([1.9] * 5, losses=(0.7,), accuracies=(0.76,))
    session = change_record(GOOD, "t1-python-cpu", fits=fits)
    assert "number of epochs of t1-python-cpu" in broken(session)["timed runs"]


def test_a_run_of_fewer_fits_than_planned_is_named():
    session = change_record(GOOD, "t1-python-cpu", fits=make_fits([1.9] * 3))
    assert broken(session) == {"fits": "t1-python-cpu (python-cpu) did 3 fits, planned 5"}


def test_many_differences_are_counted():
    session = GOOD
    for entry in GOOD.timed():
        session = change_identity(session, entry.run_id, model_config=sha("other"))
    assert broken(session)["timed runs"].endswith("; and 2 more")


def test_one_arm_has_nothing_to_compare():
    work = same_work(make_session({PYTHON: [[1.9]]}), (PYTHON,), RULES)
    assert work.held
    assert not work.applicable
    assert work.checks[0].detail == "not applicable: one arm"


def test_a_run_of_more_fits_than_planned_is_named():
    session = change_record(GOOD, "t1-python-cpu", fits=make_fits([1.9] * 6))
    assert broken(session) == {"fits": "t1-python-cpu (python-cpu) did 6 fits, planned 5"}
