"""Sources of pins: registries, the package index, npm, Debian, data servers, a NuGet feed.

Each returns a value or the reason why it has none, so that one failing source does not
stop the others. Wheels are pinned in requirement files with one hash per package: that of the
wheel that the interpreter prefers on x86_64 Linux with the oldest base's glibc. Several if
interpreters that share a list prefer different wheels.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from kit.engine.protocol import Engine
from kit.errors import AbsentError, KitError
from kit.host.process import MISSING, TOO_SLOW, run

if TYPE_CHECKING:
    from pypi_simple import ProjectPage, PyPISimple


T = TypeVar("T")
TIMEOUT_S = 60
MMDEBSTRAP_TIMEOUT_S = 300
_INST = re.compile(r"^Inst (\S+) (?:\[[^]]*\] )?\((\S+) ", re.MULTILINE)
_INTEGRITY = re.compile(r"sha512-([A-Za-z0-9+/=]+)")
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class NoAnswer:
    """The reason why a source has no value. ``gone``: it answered, but no longer has the item."""

    reason: str
    gone: bool = False


class Sources(Protocol):
    """An interface to what `kit lock` queries. Methods return ``NoAnswer`` instead of raising."""

    def image_digest(self, reference: str) -> str | NoAnswer:
        """Return the digest that an image's registry has now for name:tag or name@digest."""
        ...

    def wheels(self, name: str, version: str) -> Sequence[IndexWheel] | NoAnswer:
        """Return the wheels of that version of a package in the package index."""
        ...

    def npm_sha512(self, package: str) -> str | NoAnswer:
        """Return the sha512 (hex) of the tarball of ``package``, name@version, on npm."""
        ...

    def debian(self, suite: str, packages: Sequence[str]) -> Mapping[str, str] | NoAnswer:
        """Return the versions in the suite's archive of the packages and their dependencies."""
        ...

    def payload_sha256(self, urls: Sequence[str]) -> str | NoAnswer:
        """Return the sha256 (hex) of the decompressed data at the first URL that answers."""
        ...

    def nuget_sha512(self, name: str, version: str) -> str | NoAnswer:
        """Return the sha512 (base64) of a package's file in the feed of --nuget-source."""
        ...


class RealSources:
    """The sources as this machine reaches them. ``feed``: a folder of NuGet packages, or empty."""

    def __init__(self, engine: Engine | None, feed: str = "") -> None:
        self._engine = engine
        self._feed = feed
        self._index = ""
        self._asking = threading.Lock()
        self._of_thread = threading.local()
        self._pages: dict[str, ProjectPage] = {}

    def image_digest(self, reference: str) -> str | NoAnswer:
        """See ``Sources``."""
        if self._engine is None:
            return NoAnswer("no container engine to ask the registry through")
        try:
            return self._engine.remote_digest(reference)
        except KitError as error:
            return NoAnswer(error.problem, gone=isinstance(error, AbsentError))

    def wheels(self, name: str, version: str) -> Sequence[IndexWheel] | NoAnswer:
        """See ``Sources``."""
        from packaging.utils import canonicalize_version
        from pypi_simple import NoSuchProjectError

        try:
            page = self._page(name)
        except NoSuchProjectError:
            return NoAnswer(f"the index has no {name}", gone=True)
        except Exception as error:  # requests, JSON, TLS: all mean no answer
            return NoAnswer(f"the package index does not answer ({type(error).__name__})")
        wanted = canonicalize_version(version)
        return [
            IndexWheel(file.filename, file.digests["sha256"], bool(file.is_yanked))
            for file in page.packages
            if file.package_type == "wheel"
            and file.version is not None
            and canonicalize_version(file.version) == wanted
            and "sha256" in file.digests
        ]

    def _page(self, name: str) -> ProjectPage:
        """Return the project's page, cached: most are queried for several versions."""
        if name not in self._pages:
            self._pages[name] = self._client().get_project_page(name, timeout=TIMEOUT_S)
        return self._pages[name]

    def _client(self) -> PyPISimple:
        """Return this thread's client: its session reuses connections, but is not thread-safe."""
        from pypi_simple import PYPI_SIMPLE_ENDPOINT, PyPISimple

        from kit.host.network import pip_index

        with self._asking:
            self._index = self._index or pip_index() or PYPI_SIMPLE_ENDPOINT
        if not hasattr(self._of_thread, "client"):
            self._of_thread.client = PyPISimple(self._index)
        client: PyPISimple = self._of_thread.client
        return client

    def npm_sha512(self, package: str) -> str | NoAnswer:
        """See ``Sources``."""
        program = shutil.which("npm")
        if program is None:
            return NoAnswer("npm is not installed on this machine")
        answer = _ask([program, "view", package, "dist.integrity"], TIMEOUT_S)
        if isinstance(answer, NoAnswer):
            return NoAnswer(answer.reason, gone="E404" in answer.reason)
        found = _INTEGRITY.search(answer)
        if found is None:
            return NoAnswer(f"the npm registry has no {package}", gone=True)
        import base64

        return base64.b64decode(found[1]).hex()

    def debian(self, suite: str, packages: Sequence[str]) -> Mapping[str, str] | NoAnswer:
        """See ``Sources``."""
        program = shutil.which("mmdebstrap")
        if program is None:
            return NoAnswer("mmdebstrap is not installed on this machine")
        include = f"--include={','.join(packages)}"
        command = [program, "--simulate", "--verbose", "--variant=minbase", include, suite]
        answer = _ask([*command, "/dev/null"], MMDEBSTRAP_TIMEOUT_S)
        if isinstance(answer, NoAnswer):
            return answer
        return dict(sorted(_INST.findall(answer)))

    def payload_sha256(self, urls: Sequence[str]) -> str | NoAnswer:
        """See ``Sources``."""
        import requests

        reasons = []
        for url in urls:
            try:
                answer = requests.get(url, timeout=TIMEOUT_S)
                answer.raise_for_status()
                return hashlib.sha256(gzip.decompress(answer.content)).hexdigest()
            except (requests.RequestException, OSError, EOFError) as error:
                reasons.append(f"{url.split('/')[2]}: {type(error).__name__}")
        return NoAnswer("; ".join(reasons))

    def nuget_sha512(self, name: str, version: str) -> str | NoAnswer:
        """See ``Sources``."""
        import base64

        if not self._feed:
            return NoAnswer("no feed was named (--nuget-source FOLDER)")
        wanted = f"{name}.{version}.nupkg".lower()
        for path in sorted(Path(self._feed).glob("*.nupkg")):
            if path.name.lower() == wanted:
                return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
        return NoAnswer(f"{self._feed} has no {wanted}", gone=True)


@dataclass(frozen=True)
class Wheel:
    """A pinned package and the sha256 of each wheel that may be installed."""

    name: str
    version: str
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class IndexWheel:
    """A wheel file that a package index offers."""

    filename: str
    sha256: str
    yanked: bool


def read_wheels(text: str) -> tuple[Wheel, ...]:
    """Return the wheels that a requirement file's text lists."""
    wheels = []
    for block in text.replace("\\\n", " ").splitlines():
        found = _LINE.match(block.strip())
        if found:
            wheels.append(Wheel(found[1], found[2], tuple(_HASH.findall(block))))
    return tuple(wheels)


def wheels_text(wheels: Iterable[Wheel]) -> str:
    """Return the text of the requirement file that lists these wheels, sorted by name."""
    return "".join(
        f"{wheel.name}=={wheel.version}"
        + "".join(f" \\\n    --hash=sha256:{digest}" for digest in wheel.sha256)
        + "\n"
        for wheel in sorted(wheels, key=lambda wheel: wheel.name.lower())
    )


def chosen(
    offers: Sequence[IndexWheel], pythons: Sequence[tuple[int, int]], glibc: tuple[int, int]
) -> tuple[str, ...]:
    """Return the sha256 of the preferred wheel for each Python version; () if one has none.

    ``pythons`` and ``glibc`` are versions as (major, minor).
    """
    hashes = []
    for python in pythons:
        ranks = {tag: rank for rank, tag in enumerate(_tags(python, glibc))}
        best = min(
            (
                (rank, offer)
                for offer in offers
                if (rank := _best_rank(offer.filename, ranks)) is not None
            ),
            key=lambda ranked: (ranked[0], ranked[1].filename),
            default=None,
        )
        if best is None:
            return ()
        hashes.append(best[1].sha256)
    return tuple(dict.fromkeys(hashes))


def _ask(command: list[str], timeout_s: float) -> str | NoAnswer:
    name = Path(command[0]).name
    done = run(command, timeout_s)
    if done.code in (MISSING, TOO_SLOW):
        return NoAnswer(f"{name}: {done.errors}")
    output = done.output + done.errors
    if done.code != 0:
        lines = [line for line in output.splitlines() if re.match(r"E:|npm err", line, re.I)]
        return NoAnswer(f"{name}: {' '.join(lines[:3]) or done.code}"[:300])
    return output


def _best_rank(filename: str, ranks: dict[str, int]) -> int | None:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return None
    return min((ranks[str(tag)] for tag in tags if str(tag) in ranks), default=None)


def _tags(python: tuple[int, int], glibc: tuple[int, int]) -> list[str]:
    """Return the tags that interpreter accepts, best first (PEP 425, PEP 600)."""
    from packaging.tags import compatible_tags, cpython_tags

    legacy = {17: "manylinux2014_x86_64", 12: "manylinux2010_x86_64", 5: "manylinux1_x86_64"}
    platforms = []
    for minor in range(glibc[1], 4, -1):
        platforms.append(f"manylinux_{glibc[0]}_{minor}_x86_64")
        if minor in legacy:
            platforms.append(legacy[minor])
    platforms.append("linux_x86_64")
    interpreter = f"cp{python[0]}{python[1]}"
    tags = [
        *cpython_tags(python, [interpreter], platforms),
        *compatible_tags(python, interpreter, platforms),
    ]
    return [str(tag) for tag in tags]
