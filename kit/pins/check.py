"""The bit-rot report: whether every pin can still be downloaded unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from kit.pins.sources import NoAnswer, Sources

OK, MOVED, CHANGED, GONE, UNREACHABLE = "ok", "moved", "changed", "gone", "unreachable"
BAD = (CHANGED, GONE)
"""States of a pin that no longer works. A ``moved`` pin works, but its package was
withdrawn, or Debian's archive has another version."""
_AT_ONCE = 8


@dataclass(frozen=True)
class PinStatus:
    """One pin of the bit-rot report: the pinned value, the value found now, and its state."""

    kind: str
    name: str
    pinned: str
    found: str
    state: str
    detail: str


Job = Callable[[], list[PinStatus]]


def check(
    pins: Mapping[str, Any],
    debian: Mapping[str, tuple[str, ...]],
    urls: Mapping[str, Sequence[str]],
    sources: Sources,
) -> tuple[PinStatus, ...]:
    """Return the bit-rot report: one row per pin, compared with what ``sources`` have now.

    ``pins`` is the parsed pins.yaml, ``debian`` maps each suite to the packages to look up,
    ``urls`` each payload to its download addresses. Independent requests run concurrently.
    """
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        jobs = [pool.submit(job) for job in _jobs(pins, debian, urls, sources)]
        return tuple(row for job in jobs for row in job.result())
    finally:
        # On Ctrl-C do not wait for running requests.
        pool.shutdown(wait=False, cancel_futures=True)


def _jobs(
    pins: Mapping[str, Any],
    debian: Mapping[str, tuple[str, ...]],
    urls: Mapping[str, Sequence[str]],
    sources: Sources,
) -> Iterator[Job]:
    for candidates in pins["roles"].values():
        for candidate in candidates:
            yield partial(_image, candidate, sources)
    seen = set()
    for content in pins["wheels"].values():
        for package in content["packages"]:
            key = (package["name"], package["version"], *package["sha256"])
            if key not in seen:
                seen.add(key)
                yield partial(_wheel, package, sources)
    yield partial(_npm, pins["bootstrap"]["sdk"], sources)
    for package in pins["nuget"]:
        yield partial(_nuget, package, sources)
    for suite, versions in pins["debian"].items():
        yield partial(_suite, suite, versions, debian[suite], sources)
    for name, digest in pins["data"].items():
        yield partial(_payload, name, digest, urls[name], sources)


def _image(candidate: Mapping[str, Any], sources: Sources) -> list[PinStatus]:
    name = f"{candidate['reference']}:{candidate['tag']}"
    digest = candidate["digest"]
    answer = sources.image_digest(f"{candidate['reference']}@{digest}")
    return [_compared("image", name, digest, answer, "the registry serves this digest")]


def _wheel(package: Mapping[str, Any], sources: Sources) -> list[PinStatus]:
    name = f"{package['name']} {package['version']}"
    pinned = ", ".join(package["sha256"])
    offers = sources.wheels(package["name"], package["version"])
    if isinstance(offers, NoAnswer):
        return [_unanswered("wheel", name, pinned, offers)]
    by_hash = {offer.sha256: offer for offer in offers}
    missing = [digest for digest in package["sha256"] if digest not in by_hash]
    if missing:
        state = CHANGED if offers else GONE
        return [PinStatus("wheel", name, pinned, ", ".join(sorted(by_hash)), state,
                   "the index lists no file with the pinned hash")]  # fmt: skip
    yanked = [by_hash[d].filename for d in package["sha256"] if by_hash[d].yanked]
    if yanked:
        return [PinStatus("wheel", name, pinned, pinned, MOVED, f"withdrawn: {', '.join(yanked)}")]
    return [PinStatus("wheel", name, pinned, pinned, OK, "listed with the pinned hash")]


def _npm(sdk: Mapping[str, Any], sources: Sources) -> list[PinStatus]:
    answer = sources.npm_sha512(sdk["package"])
    return [_compared("npm", sdk["package"], sdk["sha512"], answer, "the same tarball")]


def _nuget(package: Mapping[str, Any], sources: Sources) -> list[PinStatus]:
    name = f"{package['name']} {package['version']}"
    recorded = sorted(set(package["content_hash"].values()))
    pinned = ", ".join(recorded)
    answer = sources.nuget_sha512(package["name"], package["version"])
    if isinstance(answer, NoAnswer):
        return [_unanswered("nuget", name, pinned, answer)]
    if not recorded:
        return [PinStatus("nuget", name, "", answer, OK, "there; no hash is recorded yet")]
    state = OK if answer in recorded else CHANGED
    return [PinStatus("nuget", name, pinned, answer, state, "by the file's sha512")]


def _suite(
    suite: str, versions: Mapping[str, str], packages: tuple[str, ...], sources: Sources
) -> list[PinStatus]:
    answer = sources.debian(suite, packages)
    if isinstance(answer, NoAnswer):
        return [_unanswered("debian", suite, f"{len(versions)} packages", answer)]
    rows = []
    for name, version in versions.items():
        found = answer.get(name, "")
        if found != version:
            why = "the archive has another version" if found else "no longer among what is needed"
            rows.append(PinStatus("debian", f"{suite} {name}", version, found, MOVED, why))
    same = len(versions) - len(rows)
    summary = PinStatus("debian", suite, f"{len(versions)} packages", f"{same} the same", OK, "")
    return [summary, *rows]


def _payload(name: str, digest: str, urls: Sequence[str], sources: Sources) -> list[PinStatus]:
    answer = sources.payload_sha256(urls)
    return [_compared("data", name, digest, answer, "the same payload")]


def _compared(kind: str, name: str, pinned: str, answer: str | NoAnswer, same: str) -> PinStatus:
    if isinstance(answer, NoAnswer):
        return _unanswered(kind, name, pinned, answer)
    if answer == pinned:
        return PinStatus(kind, name, pinned, answer, OK, same)
    return PinStatus(kind, name, pinned, answer, CHANGED, "something else is there")


def _unanswered(kind: str, name: str, pinned: str, answer: NoAnswer) -> PinStatus:
    return PinStatus(kind, name, pinned, "", GONE if answer.gone else UNREACHABLE, answer.reason)
