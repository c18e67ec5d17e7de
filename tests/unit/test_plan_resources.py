"""What a run may use: CPUs and memory, from what there is and what is wished."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.engine import INFO
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import HostError, InputError
from kit.plan.resources import ResourceRequest, parse_memory, resources

GB = 10**9
ENGINE = replace(INFO, cpus=4, memory_bytes=16 * GB, endpoint="unix:///run/x.sock")
REMOTE = replace(ENGINE, endpoint="ssh://lab")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8g", 8 * GB),
        ("8G", 8 * GB),
        ("8gb", 8 * GB),
        (" 900m ", 900_000_000),
        ("1.5g", 1_500_000_000),
        ("64k", 64_000),
        ("123456", 123_456),
        ("123456b", 123_456),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "g", "eight", "-1g", "0", "0g", "8t", "1,5g", "8 g", "1e9"])
def test_no_size_is_named(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_memory(text)
    assert repr(text) in caught.value.problem and "--memory" in caught.value.problem
    assert "8g" in caught.value.remedy


def test_nothing_wished_takes_all_cpus_and_leaves_a_tenth_of_the_free_memory() -> None:
    had = resources(ENGINE, 10 * GB, ResourceRequest())
    assert (had.cpuset, had.memory_bytes) == ("0-3", 9 * GB)


def test_a_moments_few_megabytes_make_no_other_plan() -> None:
    one = resources(ENGINE, 10 * GB + 10_000_000, ResourceRequest())
    assert one == resources(ENGINE, 10 * GB + 30_000_000, ResourceRequest())
    assert one.memory_bytes % 10**8 == 0


@pytest.mark.parametrize(("cpus", "cpuset"), [(1, "0"), (2, "0-1"), (4, "0-3")])
def test_wished_cpus(cpus: int, cpuset: str) -> None:
    assert resources(ENGINE, 10 * GB, ResourceRequest(cpus=cpus)).cpuset == cpuset


def test_more_cpus_than_there_are() -> None:
    with pytest.raises(HostError) as caught:
        resources(ENGINE, 10 * GB, ResourceRequest(cpus=5))
    assert "5 are requested" in caught.value.problem and "has 4" in caught.value.problem
    assert "at most 4" in caught.value.remedy


def test_wished_memory_is_kept_to_the_byte() -> None:
    requested = ResourceRequest(memory_bytes=1_234_567_891)
    assert resources(ENGINE, 10 * GB, requested).memory_bytes == 1_234_567_891


def test_more_memory_than_is_free() -> None:
    assert resources(ENGINE, 10 * GB, ResourceRequest(memory_bytes=9 * GB)).memory_bytes == 9 * GB
    with pytest.raises(HostError, match=r"9\.5 GB are requested, 9\.0 GB are available"):
        resources(ENGINE, 10 * GB, ResourceRequest(memory_bytes=9_500_000_000))


def test_a_local_engine_is_bound_by_the_smaller_of_both() -> None:
    # In a virtual machine behind a local socket the engine has less than the host.
    assert resources(ENGINE, 100 * GB, ResourceRequest()).memory_bytes == 14_400_000_000
    assert resources(ENGINE, 4 * GB, ResourceRequest()).memory_bytes == 3_600_000_000
    for url in ("http+unix:///run/x.sock", "/run/x.sock"):
        there = replace(ENGINE, endpoint=url)
        assert resources(there, 4 * GB, ResourceRequest()).memory_bytes == 3_600_000_000


def test_a_remote_engine_counts_its_own_memory() -> None:
    assert resources(REMOTE, 1 * GB, ResourceRequest()).memory_bytes == 14_400_000_000


@given(st.integers(0, 10**12), st.integers(1, 256))
def test_never_more_than_there_is(free: int, cpus: int) -> None:
    had = resources(replace(ENGINE, cpus=cpus), free, ResourceRequest())
    assert 0 <= had.memory_bytes <= min(free, ENGINE.memory_bytes)
    assert int(had.cpuset.split("-")[-1]) == cpus - 1
