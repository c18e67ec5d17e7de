"""Fetching the data: only the pinned payload is kept, the next source is tried."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from kit.images.build.recipe import recipes

PAYLOADS = {"images.gz": b"all the images", "labels.gz": b"all the labels"}
GOOD = {name: gzip.compress(payload) for name, payload in PAYLOADS.items()}


class Server:
    """Serves byte strings by path; ``short`` paths promise more than they send."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.short: set[str] = set()
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                body = server.files.get(self.path)
                self.send_response(404 if body is None else 200)
                longer = 10 if self.path in server.short else 0
                self.send_header("Content-Length", str(len(body or b"") + longer))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def base(self, name: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{name}/"

    def serve(self, base: str, **changes: bytes) -> None:
        for name, body in GOOD.items():
            self.files[f"/{base}/{name}"] = changes.get(name.removesuffix(".gz"), body)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, on a machine with no apt-get and no proxy."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    spec = importlib.util.spec_from_file_location(
        "fetch_data", recipes() / "python" / "fetch_data.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(fetch: ModuleType, tmp_path: Path, *sources: str) -> int:
    description = tmp_path / "data.json"
    hashes = {name: hashlib.sha256(payload).hexdigest() for name, payload in PAYLOADS.items()}
    description.write_text(
        json.dumps(
            {"sources": list(sources), "debian_package": "the-data", "payload_sha256": hashes}
        ),
        encoding="utf-8",
    )
    return int(fetch.main(str(description), str(tmp_path / "out")))


def test_the_first_source_is_used(fetch: ModuleType, server: Server, tmp_path: Path) -> None:
    server.serve("one")
    assert run(fetch, tmp_path, server.base("one"), server.base("two")) == 0
    out = tmp_path / "out"
    assert {p.name for p in out.iterdir()} == {*PAYLOADS, "SOURCE"}
    assert gzip.decompress((out / "images.gz").read_bytes()) == PAYLOADS["images.gz"]
    assert server.base("one") in (out / "SOURCE").read_text(encoding="utf-8")
    assert not any(path.startswith("/two") for path in server.asked)


def test_another_compression_of_the_payload_is_as_good(
    fetch: ModuleType, server: Server, tmp_path: Path
) -> None:
    server.serve("one", images=gzip.compress(PAYLOADS["images.gz"], 1, mtime=5))
    assert run(fetch, tmp_path, server.base("one")) == 0


BROKEN = {
    "another payload": gzip.compress(b"poison"),
    "not gzip": b"<html>sorry</html>",
    "torn": GOOD["labels.gz"][:-9],
    "empty": b"",
}
DAMAGED = GOOD["labels.gz"][:10] + b"\xff" * 12 + GOOD["labels.gz"][22:]


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_wrong_file_is_refused_and_nothing_looks_whole(
    fetch: ModuleType, server: Server, tmp_path: Path, body: bytes
) -> None:
    server.serve("one", labels=body)
    assert run(fetch, tmp_path, server.base("one")) == 1
    assert {p.name for p in (tmp_path / "out").iterdir()} <= {"images.gz"}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_the_second_source_is_used(
    fetch: ModuleType, server: Server, tmp_path: Path, body: bytes
) -> None:
    server.serve("one", labels=body)
    server.serve("two")
    assert run(fetch, tmp_path, server.base("one"), server.base("two")) == 0
    source = (tmp_path / "out" / "SOURCE").read_text(encoding="utf-8")
    assert server.base("two") in source
    assert (tmp_path / "out" / "labels.gz").read_bytes() == GOOD["labels.gz"]


def test_a_damaged_stream_gives_the_second_source(
    fetch: ModuleType, server: Server, tmp_path: Path
) -> None:
    server.serve("one", labels=DAMAGED)
    server.serve("two")
    assert run(fetch, tmp_path, server.base("one"), server.base("two")) == 0


def test_an_answer_cut_short_gives_the_second_source(
    fetch: ModuleType, server: Server, tmp_path: Path
) -> None:
    server.serve("one")
    server.short.add("/one/labels.gz")
    server.serve("two")
    assert run(fetch, tmp_path, server.base("one"), server.base("two")) == 0


def test_nothing_there_and_nobody_there(
    fetch: ModuleType, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fetch, tmp_path, server.base("gone"), "http://127.0.0.1:9/") == 1
    said = capsys.readouterr().out
    assert "404" in said and "127.0.0.1:9" in said and "Debian package" in said
    assert "no source gave the files" in said


def test_debians_package_is_the_last_road(fetch: ModuleType, tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, body in GOOD.items():
        (tmp_path / name).write_bytes(body)
    scripts = {
        "apt-get": '[ "$2" = update ] || echo deb > "$3_1.0_all.deb"',
        "dpkg": 'mkdir -p "$3/usr/share/datasets/fashion-mnist"; '
        f'cp {tmp_path}/*.gz "$3/usr/share/datasets/fashion-mnist/"',
    }
    for name, body in scripts.items():
        (bin_folder / name).write_text(f"#!/bin/sh\nPATH=/bin:/usr/bin\n{body}\n", encoding="utf-8")
        (bin_folder / name).chmod(0o755)
    assert run(fetch, tmp_path) == 0
    assert (tmp_path / "out" / "SOURCE").read_text(encoding="utf-8") == "Debian package\n"
    (tmp_path / "labels.gz").write_bytes(gzip.compress(b"poison"))
    (tmp_path / "out" / "SOURCE").unlink()
    assert run(fetch, tmp_path) == 1
    assert not (tmp_path / "out" / "SOURCE").exists()
