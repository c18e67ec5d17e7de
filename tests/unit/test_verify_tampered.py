"""No number of a derived file can be changed beyond its last digits, whatever its sum says."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from golden.archive import GOLDEN, opened, reported

from kit.records.session import Session
from kit.report.files import SUMS, without_pictures
from kit.results import ABLATION, GIT_ATTRIBUTES
from kit.results.folder import sums_of
from kit.results.opened import open_session
from kit.study.model import Study
from kit.verify import reports, verify_folder
from kit.verify.result import CheckResult

pytestmark = [pytest.mark.drawn, pytest.mark.made_once]

LOG, BILLS, STUDY = "runlog.jsonl", "sbom/", "study/"
SAMPLE = 8
"""Numbers tried of each file."""


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A golden folder with its reports derived by the libraries here."""
    folder = opened(GOLDEN, tmp_path_factory.mktemp("golden"))
    reported(folder)
    return folder


@pytest.fixture
def folder(golden: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(golden, tmp_path / golden.name))


def resummed(folder: Path) -> None:
    """What somebody does who changes a file and hides it."""
    for place in (folder / ABLATION, folder):
        (place / SUMS).write_bytes(sums_of(place))


@dataclass(frozen=True)
class Read:
    """A folder's sessions, read once: their logs stay as they are here."""

    folder: Path
    study: Study
    own: Session
    explaining: Session

    def reports(self) -> tuple[CheckResult, CheckResult]:
        """What is found of the reports, of the session and of the explanation in it."""
        beside = self.folder / ABLATION
        own = reports.check(self.folder, self.own, self.study, self.explaining)
        inside = reports.check(beside, self.explaining, self.study, None)
        return own.result, inside.result

    def wrong(self) -> list[str]:
        return [line for each in self.reports() for line in each.wrong]


@pytest.fixture
def read(folder: Path) -> Read:
    opened = open_session(folder)
    assert opened.explanation is not None
    return Read(folder, opened.study, opened.session, opened.explanation)


def derived(folder: Path) -> list[str]:
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    own = [name.removeprefix("explain/") for name in names]
    return sorted(
        name
        for name, short in zip(names, own, strict=True)
        if short not in (LOG, SUMS, GIT_ATTRIBUTES) and not short.startswith((BILLS, STUDY))
    )


def tried(read: Read, name: str, change: Callable[[bytes], bytes]) -> list[str]:
    """What is found wrong once the file was changed; then it is put back."""
    path = read.folder / name
    before = path.read_bytes()
    path.write_bytes(change(before))
    assert path.read_bytes() != before
    found = read.wrong()
    path.write_bytes(before)
    return found


def said(name: str) -> list[str]:
    return [f"{name.removeprefix('explain/')} does not follow from the log"]


def test_the_folder_itself_holds(read: Read) -> None:
    assert len(derived(read.folder)) > 20
    assert read.wrong() == []


def test_a_changed_number_is_found_by_the_whole_check_though_its_sum_is_right(folder: Path) -> None:
    path = folder / "results.json"
    at = next(numbers(path.read_bytes()))
    path.write_bytes(path.read_bytes().replace(at[0], moved(at[0]), 1))
    resummed(folder)
    found = {each.what: each.wrong for each in verify_folder(folder) if each.wrong}
    assert found == {"reports": tuple(said("results.json"))}


def numbers(content: bytes) -> Iterator[re.Match[bytes]]:
    """Some numbers all over the file, the first and the last among them."""
    found = list(re.finditer(rb"(?<![0-9A-Fa-f.])\d+(?:\.\d+)?(?![0-9A-Fa-f])", content))
    yield from found[:: max(1, len(found) // SAMPLE)]


def moved(number: bytes) -> bytes:
    """Another number: by a millionth if it has that many digits, else in its last one."""
    first = next((at for at, digit in enumerate(number) if digit not in b"0."), 0)
    digits = [at for at, digit in enumerate(number) if digit in b"0123456789" and at >= first]
    place = digits[:7][-1]
    digit = b"3" if number[place : place + 1] != b"3" else b"8"
    return number[:place] + digit + number[place + 1 :]


def test_a_millionth_or_one_printed_digit_is_found_in_every_file(read: Read) -> None:
    folder = read.folder
    for name in derived(folder):
        content = (folder / name).read_bytes()
        if name.startswith("plots/") or name == "report.html":
            continue
        places = list(numbers(content))
        assert places, name
        for at in places:

            def change(text: bytes, at=at) -> bytes:
                return text[: at.start()] + moved(at[0]) + text[at.end() :]

            assert tried(read, name, change) == said(name), (name, at)


def test_one_digit_of_the_page_is_found(read: Read) -> None:
    folder = read.folder
    content = (folder / "report.html").read_bytes()
    text, pictures = without_pictures(content)
    assert pictures
    for at in numbers(text):
        around = text[at.start() - 30 : at.start()], text[at.end() : at.end() + 30]
        old = around[0] + at[0] + around[1]
        if content.count(old) == 1:
            new = around[0] + moved(at[0]) + around[1]
            found = tried(
                read, "report.html", lambda page, old=old, new=new: page.replace(old, new)
            )
            assert found == said("report.html"), old


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_one_number_of_a_plot_is_found(read: Read, kind: str) -> None:
    folder = read.folder
    names = [name for name in derived(folder) if name.endswith(kind)]
    assert names
    for name in names:

        def change(content: bytes) -> bytes:
            if kind == "png":
                return content[:-1] + bytes([content[-1] ^ 1])
            at = list(re.finditer(rb"\d+\.\d+", content))[-20]
            return content[: at.start()] + b"%.6f" % (float(at[0]) + 20) + content[at.end() :]

        assert said(name)[0] in tried(read, name, change)


def jsons(folder: Path) -> list[str]:
    return [name for name in derived(folder) if name.endswith(".json")]


def dumped(document: object, name: str) -> bytes:
    """As the kit writes it."""
    indent = None if name.endswith("badge.json") else 2
    return (json.dumps(document, sort_keys=True, indent=indent) + "\n").encode()


def changed(change: Callable[[float], object]) -> Callable[[object], object]:
    """The document with every number that has a fraction changed."""

    def walk(value: object) -> object:
        if isinstance(value, dict):
            return {key: walk(each) for key, each in value.items()}
        if isinstance(value, list):
            return [walk(each) for each in value]
        return change(value) if isinstance(value, float) else value

    return walk


def by_one_bit(value: float) -> float:
    return math.nextafter(value, math.inf)


def test_one_bit_of_every_number_is_accepted_and_said(folder: Path) -> None:
    names = [n for n in jsons(folder) if re.search(rb"\d\.\d", (folder / n).read_bytes())]
    for name in names:
        path = folder / name
        path.write_bytes(dumped(changed(by_one_bit)(json.loads(path.read_bytes())), name))
    resummed(folder)
    found = verify_folder(folder)
    assert [each for each in found if each.wrong] == []
    good = " ".join(each.good for each in found)
    assert all(name.removeprefix("explain/") in good for name in names)
    assert {"results.json", "explain/explanation.json", "formats/hyperfine.json"} <= set(names)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value * (1 + 1e-6) or 1e-6,
        lambda value: -value or 1.0,
        str,
        int,
        lambda value: None,
        lambda value: math.nan,
        lambda value: math.inf,
    ],
)
def test_other_numbers_and_other_types_are_found(read: Read, change) -> None:
    folder = read.folder
    for name in jsons(folder):
        document = json.loads((folder / name).read_bytes())
        other = dumped(changed(change)(document), name)
        if other != (folder / name).read_bytes():
            assert tried(read, name, lambda _, other=other: other) == said(name)


def shuffled(document: object) -> object:
    if isinstance(document, dict):
        return {key: shuffled(document[key]) for key in sorted(document, reverse=True)}
    return [shuffled(each) for each in document] if isinstance(document, list) else document


@pytest.mark.parametrize(
    "change",
    [
        lambda document, _: json.dumps(shuffled(document), indent=2).encode() + b"\n",
        lambda document, name: dumped({**document, "more": 1.0}, name),
        lambda document, name: dumped(dict(list(document.items())[:-1]), name),
        lambda document, name: dumped(document, name).replace(b": ", b":  ", 1),
        lambda document, name: dumped(document, name) + b"\n",
        lambda document, name: dumped(document, name).replace(b"{", b'{"a": 1.5, ', 1),
    ],
)
def test_keys_are_the_ones_that_are_derived_in_their_order(read: Read, change) -> None:
    folder = read.folder
    for name in jsons(folder):
        document = json.loads((folder / name).read_bytes())
        other = change(document, name)
        assert tried(read, name, lambda _, other=other: other) == said(name)


def test_a_verdict_of_another_word_is_found_in_every_file(read: Read) -> None:
    folder = read.folder
    shown = json.loads((folder / "results.json").read_bytes())
    word = shown["variants"][0]["verdicts"][0]["word"].encode()
    words = (word, word.lower())
    held = [n for n in derived(folder) if any(w in (folder / n).read_bytes() for w in words)]
    assert {"report.md", "report.html", "results.json", "formats/badge.json"} <= set(held)
    for name in held:

        def change(content: bytes) -> bytes:
            return content.replace(word, b"OPPOSITE").replace(word.lower(), b"opposite")

        assert said(name)[0] in tried(read, name, change)
