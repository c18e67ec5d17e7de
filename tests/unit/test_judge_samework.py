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

from kit.judge.check import (
    AnotherFile,
    FewArms,
    IdentityRunFailed,
    NoIdentityRun,
    NotFinite,
    NothingRecorded,
    NotMapped,
    NotRecorded,
    OneSided,
    OtherFits,
    OtherWork,
    Point,
    TrajectoryDiffers,
    ValueDiffers,
    WheelChanged,
)
from kit.judge.samework import same_work
from kit.report.findings import detail

BOTH = (PYTHON, DOTNET)
GOOD = make_session(paired([1.05, 1.06, 1.07]))
FIRST = make_identity(PYTHON)


def differs(name, in_first, in_other):
    return ValueDiffers(name, PYTHON, in_first, DOTNET, in_other)


def broken(session):
    work = same_work(session, BOTH, RULES)
    assert work.held is (not work.broken())
    return {check.name: check.differences for check in work.broken()}


def one_of(check, session):
    """The one difference, which is of that check."""
    ((name, (found,)),) = broken(session).items()
    assert name == check
    return found


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
    "field, value, check, found",
    [
        ("data", {"train-images": sha("other"), "test-images": sha("test")}, "data",
         differs("train-images", FIRST.data["train-images"], sha("other"))),
        ("tensors", {"x_train": sha("x"), "y_train": sha("z")}, "tensors",
         differs("y_train", FIRST.tensors["y_train"], sha("z"))),
        ("tensors", {"x_train": sha("x")}, "tensors",
         differs("y_train", FIRST.tensors["y_train"], None)),
        ("model_config", sha("other"), "model config",
         differs("model config", FIRST.model_config, sha("other"))),
        ("initial_weights", sha("other"), "initial weights",
         differs("initial weights", FIRST.initial_weights, sha("other"))),
        ("initial_weights", None, "initial weights", NotRecorded("initial weights", DOTNET)),
        ("wheels", {"numpy": "numpy/core/x.py"}, "wheels",
         WheelChanged("numpy", DOTNET, "numpy/core/x.py")),
        ("wheels", {}, "wheels", NothingRecorded(DOTNET)),
        ("libraries", {}, "native libraries", NothingRecorded(DOTNET)),
    ],
)  # fmt: skip
def test_a_difference_of_identity_is_named(field, value, check, found):
    session = change_identity(GOOD, "i-dotnet-cpu", **{field: value})
    assert found in broken(session)[check]


def test_a_library_of_both_arms_must_be_the_same_file():
    libraries = {**make_identity(DOTNET).libraries, "/lib/x86_64-linux-gnu/libc.so.6": sha("musl")}
    session = change_identity(GOOD, "i-dotnet-cpu", libraries=libraries)
    assert one_of("native libraries", session) == AnotherFile("libc.so.6", BOTH)


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
    assert one_of("native libraries", session) == NotMapped(name, (DOTNET,))


def test_debians_name_for_site_packages_counts_too():
    path = "/usr/local/lib/python3.9/dist-packages/tensorflow/extra.so"
    libraries = {**make_identity(PYTHON).libraries, path: sha("extra")}
    session = change_identity(GOOD, "i-python-cpu", libraries=libraries)
    assert one_of("native libraries", session) == NotMapped("extra.so", (DOTNET,))


@pytest.mark.parametrize("name", ["python", "tensorflow", "keras", "numpy"])
def test_versions_must_be_equal(name):
    record = GOOD.identity()[DOTNET].record
    session = change_record(GOOD, "i-dotnet-cpu", versions={**record.versions, name: "0.1"})
    assert one_of("versions", session) == differs(name, record.versions[name], "0.1")


def test_one_bit_of_one_loss_is_a_difference_and_named():
    fits = make_fits((1.9, 1.8))
    losses = (*fits[1].losses[:4], fits[1].losses[4] + 2**-50)
    session = change_record(GOOD, "i-dotnet-cpu", fits=(fits[0], replace(fits[1], losses=losses)))
    assert one_of("loss trajectory", session) == TrajectoryDiffers(
        Point("loss", 1, 5), PYTHON, fits[1].losses[4], DOTNET, losses[4], 1, 20
    )


def test_a_missing_fit_is_a_difference():
    session = change_record(GOOD, "i-dotnet-cpu", fits=make_fits((1.9,)))
    lacking = OneSided(Point("accuracy", 1, 1), PYTHON, DOTNET)
    assert one_of("loss trajectory", session) == lacking


def test_losses_that_are_not_finite_are_no_proof_even_when_alike():
    nan = make_fits((1.9, 1.8), losses=(float("nan"),) * 5)
    session = change_record(GOOD, "i-dotnet-cpu", fits=nan)
    session = change_record(session, "i-python-cpu", fits=nan)
    assert NotFinite(Point("loss", 0, 1), PYTHON) in broken(session)["loss trajectory"]


def test_no_losses_are_no_proof():
    session = change_record(GOOD, "i-dotnet-cpu", fits=())
    session = change_record(session, "i-python-cpu", fits=())
    assert broken(session)["loss trajectory"] == tuple(map(NothingRecorded, BOTH))


def test_a_missing_identity_run_is_named():
    entries = tuple(e for e in GOOD.entries if e.run_id != "i-dotnet-cpu")
    session = replace(GOOD, entries=entries)
    assert one_of("identity runs", session) == NoIdentityRun(DOTNET)


def test_a_failed_identity_run_is_named_with_its_failure():
    session = fail_run(GOOD, "i-dotnet-cpu", "timed out")
    assert one_of("identity runs", session) == IdentityRunFailed(DOTNET, "timed out")


@pytest.mark.parametrize(
    "field, value, what",
    [
        ("tensors", {"x_train": sha("other")}, "tensors"),
        ("data", {"train-images": sha("other")}, "data"),
        ("model_config", sha("other"), "model config"),
    ],
)
def test_a_timed_run_that_did_other_work_is_named(field, value, what):
    session = change_identity(GOOD, "t1-python-cpu", **{field: value})
    assert one_of("timed runs", session) == OtherWork(what, "t1-python-cpu", PYTHON)


def test_a_timed_run_of_fewer_epochs_is_named():
    fits = make_fits([1.9] * 5, losses=(0.7,), accuracies=(0.76,))
    session = change_record(GOOD, "t1-python-cpu", fits=fits)
    assert one_of("timed runs", session) == OtherWork("number of epochs", "t1-python-cpu", PYTHON)


def test_a_run_of_fewer_fits_than_planned_is_named():
    session = change_record(GOOD, "t1-python-cpu", fits=make_fits([1.9] * 3))
    assert one_of("fits", session) == OtherFits("t1-python-cpu", PYTHON, 3, 5)


def test_many_differences_are_counted():
    session = GOOD
    for entry in GOOD.timed():
        session = change_identity(session, entry.run_id, model_config=sha("other"))
    (check,) = same_work(session, BOTH, RULES).broken()
    assert len(check.differences) == 6
    assert detail(check).endswith("; and 2 more")


def test_one_arm_has_nothing_to_compare():
    work = same_work(make_session({PYTHON: [[1.9]]}), (PYTHON,), RULES)
    assert work.held
    assert not work.applicable
    assert work.checks[0].compared == FewArms(1)


def test_a_run_of_more_fits_than_planned_is_named():
    session = change_record(GOOD, "t1-python-cpu", fits=make_fits([1.9] * 6))
    assert one_of("fits", session) == OtherFits("t1-python-cpu", PYTHON, 6, 5)
