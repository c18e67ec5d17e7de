"""A real image registry on loopback (Debian's docker-registry), and bad stand-ins for one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

PACKAGE = "docker-registry"
# The password "secret", hashed by bcrypt.
_HTPASSWD = "kit:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
LOGIN = {"username": "kit", "password": "secret"}
_START_S = 20


def missing() -> str:
    """Why there is no registry program here, after an attempt to install it; "" if there is."""
    if shutil.which(PACKAGE):
        return ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"{PACKAGE} is not installed, and only root on Debian could install it"
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=120"]
    # No service may be started by the package: a test starts its own.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = [*apt, "install", "--no-install-recommends", "-y", PACKAGE]
    for command in (install, [*apt, "update"], install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if shutil.which(PACKAGE):
            return ""
    said = " ".join(done.stderr.split()) or "no reason given"
    return f"{PACKAGE} cannot be installed: {said}"


@dataclass(frozen=True)
class Registry:
    """A registry that answers at ``host``, its blobs under ``root``."""

    host: str
    root: Path

    def blob(self, digest: str) -> Path:
        """The file that holds a blob or manifest."""
        _, _, name = digest.partition(":")
        return self.root / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"


@contextmanager
def serving(folder: Path, *, login: bool = False) -> Iterator[Registry]:
    """A registry that keeps its data in the folder, until the end of the context."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    root, config = folder / "data", folder / "config.yml"
    passwords = folder / "htpasswd"
    passwords.write_text(_HTPASSWD)
    auth = f"auth: {{htpasswd: {{realm: kit, path: {passwords}}}}}\n" if login else ""
    config.write_text(
        "version: 0.1\n"
        "log: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {root}}}}}\n"
        f"http: {{addr: '{host}'}}\n{auth}"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PACKAGE, "serve", str(config)], stdout=log, stderr=log)
    try:
        _wait_for(host, process, folder / "log")
        yield Registry(host, root)
    finally:
        process.kill()
        process.wait()


@contextmanager
def silent() -> Iterator[str]:
    """A host that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def nobody() -> Iterator[str]:
    """A host where nothing listens: its port is held, without listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def slow(registry: Registry, bytes_per_s: int) -> Iterator[str]:
    """The same registry behind a line that lets so many bytes a second through."""
    target = registry.host.split(":")
    stopped = threading.Event()

    def carry(source: socket.socket, sink: socket.socket, step: int, pause_s: float) -> None:
        with suppress(OSError):
            while not stopped.is_set() and (data := source.recv(step)):
                sink.sendall(data)
                time.sleep(pause_s)
            sink.shutdown(socket.SHUT_WR)

    def accept(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = server.accept()
                far = socket.create_connection((target[0], int(target[1])))
                for arguments in ((near, far, 65536, 0.0), (far, near, bytes_per_s // 10, 0.1)):
                    threading.Thread(target=carry, args=arguments, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            stopped.set()


def _wait_for(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(requests.ConnectionError), requests.Session() as session:
            session.trust_env = False
            session.get(f"http://{host}/v2/", timeout=5)
            return
        time.sleep(0.05)
    raise RuntimeError(f"{PACKAGE} did not start: {log.read_text()}")
