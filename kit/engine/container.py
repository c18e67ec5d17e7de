"""Runs one container from creation to removal, and exports an image through one."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import Any

import docker.errors

from kit.engine.collect import log_tail, result_files, terminal_tail
from kit.engine.connection import (
    CALL_TIMEOUT_S,
    LOST,
    Connection,
    all_of,
    is_timeout,
    reason_of,
    translate_errors,
)
from kit.engine.hardening import container_config, swap_refused
from kit.engine.images import find
from kit.engine.objects import changed, limits_of
from kit.engine.protocol import OWNED, RunOutcome, RunRequest
from kit.errors import ImageError, KitError, NotStartedError, RunError

_KILL_WAIT_S = 10
_KILLED = 137
_OOM_WAIT_S = 2.0
_LOG_LINES = "4000"
_CHUNK = 2**16


def run(connection: Connection, request: RunRequest) -> RunOutcome:
    """Run one container from creation to removal; return its outcome. See ``Engine.run``."""
    request = replace(request, labels={**connection.labels, **request.labels})
    image_id, image_user = _image(connection, request.image)
    limit_swap = request.memory_bytes is not None
    try:
        return _run_once(connection, request, image_id, image_user, limit_swap)
    except _SwapRefusedError:
        return _run_once(connection, request, image_id, image_user, limit_swap=False)


class _SwapRefusedError(Exception):
    """A container refused only because swap cannot be limited here."""


@contextmanager
def export(connection: Connection, image: str) -> Iterator[Iterator[bytes]]:
    """Yield an image's file tree as chunks of a tar; see ``Engine.export``."""
    found = find(connection, image)
    if found is None:
        raise ImageError(f"there is no image {image} to read", "build the images first")
    name = f"kit-{secrets.token_hex(8)}"
    labels = {**OWNED, **connection.labels}
    config = {"Image": found.id, "Cmd": ["none"], "Labels": labels}
    created = False
    try:
        with translate_errors(connection.endpoint):
            connection.untyped.create_container_from_config(config, name)
            created = True
        with _download(connection, f"/containers/{name}/export", {}) as chunks:
            yield chunks
    finally:
        _remove_surely(connection, name, created)


def remove(connection: Connection, name: str) -> bool:
    """Remove a container by its name, running or not, with its anonymous volumes.

    Returns whether there was one. Raises HostError.
    """
    with translate_errors(connection.endpoint):
        try:
            connection.client.remove_container(name, v=True, force=True)
        except docker.errors.NotFound:
            return False
        except docker.errors.APIError as error:
            # Another client is removing it at this moment, which is enough.
            if error.status_code != 409:
                raise
    return True


def _run_once(
    connection: Connection, request: RunRequest, image_id: str, image_user: str, limit_swap: bool
) -> RunOutcome:
    # Named by kit: an interrupt during the create call leaves a container
    # whose id kit never received.
    name = f"kit-{secrets.token_hex(8)}"
    config = container_config(
        request, image_id, image_user, connection.quirks, limit_swap=limit_swap
    )
    created = False
    try:
        with translate_errors(connection.endpoint):
            try:
                connection.untyped.create_container_from_config(config, name)
                created = True
                asked = limits_of(connection.client.inspect_container(name))
                connection.client.start(name)
            except docker.errors.APIError as error:
                if limit_swap and swap_refused(all_of(error)):
                    raise _SwapRefusedError from error
                raise NotStartedError(request.image, reason_of(error)) from error
        timed_out = _wait(connection, name, request.timeout_s)
        return _outcome(connection, request, name, timed_out, asked)
    finally:
        _remove_surely(connection, name, created)


def _image(connection: Connection, reference: str) -> tuple[str, str]:
    """Return id and user of a local image. Raises RunError where it is missing.

    The user decides whether the request must set one.
    """
    with translate_errors(connection.endpoint):
        try:
            image = connection.untyped.inspect_image(reference)
        except docker.errors.NotFound as error:
            raise RunError(
                f"there is no image {reference} to run", "build the images first, then repeat"
            ) from error
    return str(image["Id"]), str((image.get("Config") or {}).get("User") or "")


def _wait(connection: Connection, name: str, timeout_s: float) -> bool:
    """Wait for the end and return False; kill after ``timeout_s`` seconds and return True."""
    with translate_errors(connection.endpoint):
        deadline = time.monotonic() + timeout_s
        try:
            connection.untyped.wait(name, timeout=timeout_s)
            return False
        except LOST as error:
            if not is_timeout(error) or time.monotonic() < deadline - 0.05:
                raise
        try:
            connection.client.kill(name)
        except docker.errors.APIError as error:
            # 404, 409, or 500 "not running", by engine: it ended at this moment.
            if error.status_code not in {404, 409, 500}:
                raise
        connection.client.wait(name, timeout=_KILL_WAIT_S)
    return True


def _outcome(
    connection: Connection,
    request: RunRequest,
    name: str,
    timed_out: bool,
    asked: Mapping[str, str],
) -> RunOutcome:
    files, broken = _files(connection, name, request.results_dir)
    logs = _logs(connection, name, request.terminal)
    inspected = _at_the_end(
        connection, name, may_be_oom=request.memory_bytes is not None and not timed_out
    )
    state = inspected["State"]
    code = state.get("ExitCode")
    return RunOutcome(
        exit_code=int(code) if code is not None else None,
        oom_killed=bool(state.get("OOMKilled")),
        timed_out=timed_out,
        started_at=str(state.get("StartedAt", "")),
        finished_at=str(state.get("FinishedAt", "")),
        logs=logs,
        files=files,
        broken=broken,
        changed=changed(asked, limits_of(inspected)),
    )


def _at_the_end(connection: Connection, name: str, may_be_oom: bool) -> Mapping[str, Any]:
    """Return the final inspect answer; on cgroup 2 the engine may learn of an OOM kill late."""
    deadline = time.monotonic() + _OOM_WAIT_S
    while True:
        with translate_errors(connection.endpoint):
            inspected: Mapping[str, Any] = connection.client.inspect_container(name)
        state = inspected["State"]
        unexplained = state.get("ExitCode") == _KILLED and not state.get("OOMKilled")
        if not (may_be_oom and unexplained) or time.monotonic() > deadline:
            return inspected
        time.sleep(0.1)


def _files(connection: Connection, name: str, results_dir: str) -> tuple[dict[str, bytes], str]:
    """Return the result files and "", or none and why the run's results cannot be read."""
    with _download(connection, f"/containers/{name}/archive", {"path": results_dir}) as chunks:
        try:
            return result_files(chunks), ""
        except RunError as error:
            return {}, error.problem


def _logs(connection: Connection, name: str, terminal: bool) -> str:
    params = {"stdout": "1", "stderr": "1", "tail": _LOG_LINES}
    with _download(connection, f"/containers/{name}/logs", params) as chunks:
        return terminal_tail(chunks) if terminal else log_tail(chunks)


@contextmanager
def _download(
    connection: Connection, path: str, params: Mapping[str, str]
) -> Iterator[Iterator[bytes]]:
    # Not docker-py's get_archive() and logs(): an engine keeps a container locked
    # while a download of it is open, and they cannot close one early. Its removal
    # would then hang. (logs() would also keep the complete log in memory.)
    with translate_errors(connection.endpoint):
        response = connection.client.get(
            connection.url(path), params=dict(params), stream=True, timeout=CALL_TIMEOUT_S
        )
        with closing(response):
            response.raise_for_status()
            yield response.iter_content(_CHUNK)


def _remove_surely(connection: Connection, name: str, created: bool) -> None:
    """Remove the container even if the user presses Ctrl-C again meanwhile."""
    failing = sys.exc_info()[0] is not None
    try:
        _remove_late(connection, name, created)
    except KeyboardInterrupt:
        with suppress(KitError):
            remove(connection, name)
        raise
    except KitError:
        # The first failure explains more than a failed clean-up after it.
        if not failing:
            raise


def _remove_late(connection: Connection, name: str, created: bool) -> None:
    # An interrupted create call may still create its container a moment later.
    for _ in range(1 if created else 10):
        if remove(connection, name):
            return
        if not created:
            time.sleep(0.1)
