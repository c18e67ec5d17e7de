"""What a log's header says twice agrees, and with the study it says it is of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.bench import STUDY, Bench
from support.sessions import make_merged

from kit.records.session import Session
from kit.results.runlog import read_session
from kit.verify.log import header_differences as differences


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("header")
    return read_session(Bench(folder).reproduce(design="duet", blocks=2))


def wrong(session: Session, **changes: object) -> str:
    """What is wrong with the session whose header has these changes."""
    changed = replace(session, header=replace(session.header, **changes))
    return "\n".join(differences(changed, STUDY))


def test_a_header_as_it_was_written_agrees_with_itself(session: Session) -> None:
    assert wrong(session) == ""


def test_images_are_those_of_the_plan_s_arms(session: Session) -> None:
    first, *others = session.header.images.items()
    assert first[0] in wrong(session, images=dict(others))
    assert "another-cpu" in wrong(
        session, images={**session.header.images, "another-cpu": first[1]}
    )


def test_a_component_is_what_the_study_names(session: Session) -> None:
    first, *others = session.header.fidelity
    assert "1.2.3" in wrong(session, fidelity=(replace(first, wanted="1.2.3"), *others))
    assert f"{first.name} has 2 rows" in wrong(session, fidelity=(first, first, *others))
    assert f"{first.name} has no row" in wrong(session, fidelity=tuple(others))


@pytest.mark.parametrize(
    ("halves", "named"),
    [
        (("0", "0"), "two parts"),
        (("0", "0-1"), "two parts"),
        (("0", "99"), "two parts"),
        (("1", "0"), "in order"),
    ],
)
def test_the_halves_of_a_pair_are_two_parts_of_its_cpus(
    session: Session, halves: tuple[str, str], named: str
) -> None:
    limits = replace(session.header.plan.limits, cpuset="0-1", halves=halves)
    found = wrong(session, plan=replace(session.header.plan, limits=limits))
    assert "halves" in found and named in found


@pytest.mark.parametrize(
    ("shards", "named"),
    [
        (((1, 2), (2, 2)), ""),
        (((2, 2), (1, 2)), ""),
        (((1, 2),), "not all of 2"),
        (((1, 2), (1, 2)), "not all of 2"),
        (((1, 2), (2, 3)), "not all of 2"),
    ],
)
def test_a_merged_session_has_each_of_its_shards_once(
    session: Session, shards: tuple[tuple[int, int], ...], named: str
) -> None:
    found = wrong(session, shards=tuple(make_merged(*shard) for shard in shards))
    assert (named in found) if named else not found


def test_a_session_is_called_by_the_moment_of_its_start(session: Session) -> None:
    assert "session_id" in wrong(session, created="2026-01-02T03:04:06+00:00")
