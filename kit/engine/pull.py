"""Pull by digest, with an end even where a registry never answers."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import Any, TypeAlias

import docker.errors
from docker import auth

from kit.engine.connection import Connection, error_in
from kit.engine.failures import all_of, answering
from kit.engine.images import find, present
from kit.engine.protocol import ImageInfo
from kit.engine.refusals import REMEDY, refusal
from kit.errors import HostError, ImageError, InputError, KitError, UnreachableError
from kit.together import ended_by

_BY_DIGEST = re.compile(r"(?P<name>[^@\s]+)@(?P<digest>sha256:[0-9a-f]{64})")
FIRST_ANSWER_S = 30.0
"""A registry that can be reached has sent a manifest, or a refusal, by then."""
_TAG = re.compile(r":[^:/]+$")
_Events: TypeAlias = "Generator[Mapping[str, Any], None, None]"
_Answers: TypeAlias = "queue.Queue[Mapping[str, Any] | BaseException | None]"


def split_digest(reference: str) -> tuple[str, str]:
    """``name[:tag]@sha256:...`` as name and digest. Raises InputError for all else.

    A readable tag beside the digest is allowed and has no effect.
    """
    match = _BY_DIGEST.fullmatch(reference)
    if match is None:
        raise InputError(
            f"{reference} does not name an image by digest",
            "pin it: name@sha256:<64 hex digits>; a tag can change its content",
        )
    return _TAG.sub("", match["name"]), match["digest"]


def pull(connection: Connection, reference: str, idle_timeout_s: float) -> ImageInfo:
    """Pull ``reference``; see ``Engine.pull``.

    A pull that goes on is never cut, however slow: what ends it is a registry that
    gives no first answer within ``FIRST_ANSWER_S``, or ``idle_timeout_s`` without an event.
    """
    name, digest = split_digest(reference)
    answers: _Answers = queue.Queue()
    cancelled = threading.Event()
    # The engine sends nothing at all while a registry keeps silent, so reading happens
    # beside us. The thread ends by itself: its silence is bounded too (later than ours,
    # which says more), and the engine gives up a pull whose client is gone.
    events = _events(connection, name, digest, idle_timeout_s + FIRST_ANSWER_S)
    threading.Thread(target=_read, args=(events, answers, cancelled), daemon=True).start()
    try:
        with ended_by(lambda: answers.put(None)):
            _wait(answers, reference, idle_timeout_s)
    finally:
        cancelled.set()
    return find(connection, f"{name}@{digest}") or present(connection, reference, "the pull")


def _read(events: _Events, answers: _Answers, cancelled: threading.Event) -> None:
    """Hand over every event, then None; what goes wrong is raised where it can be seen."""
    try:
        with closing(events):
            for event in events:
                if cancelled.is_set():
                    return
                answers.put(event)
        answers.put(None)
    except Exception as error:
        answers.put(error)


def _wait(answers: _Answers, reference: str, idle_timeout_s: float) -> None:
    """Return when the pull is done. Raise ImageError where it fails or nothing comes."""
    patience_s = min(idle_timeout_s, FIRST_ANSWER_S)
    heard = False
    while True:
        try:
            answer = answers.get(timeout=patience_s)
        except queue.Empty:
            raise _silent(reference, patience_s, heard) from None
        heard, patience_s = True, idle_timeout_s
        if answer is None:
            return
        if isinstance(answer, KitError):
            raise answer
        if isinstance(answer, BaseException):
            raise refusal(reference, all_of(answer)) from answer
        if failure := error_in(answer):
            raise refusal(reference, failure)


def remote_digest(connection: Connection, reference: str) -> str:
    """What a registry gives for a reference now; see ``Engine.remote_digest``."""
    try:
        with answering(connection.endpoint):
            try:
                answer = connection.untyped.inspect_distribution(reference)
            except docker.errors.APIError as error:
                raise refusal(reference, all_of(error), "asked for") from error
    except HostError as error:
        # The engine itself waits for the registry, with an end of its own.
        raise UnreachableError(f"{reference}: {error.problem}", REMEDY) from error
    return str(answer["Descriptor"]["digest"])


def _events(connection: Connection, name: str, digest: str, idle_timeout_s: float) -> _Events:
    return connection.post(
        "/images/create",
        params={"fromImage": name, "tag": digest},
        headers=_credentials(connection, name),
        idle_timeout_s=idle_timeout_s,
    )


def _credentials(connection: Connection, name: str) -> dict[str, str]:
    """The header with what the user's docker login keeps for that registry."""
    try:
        registry, _ = auth.resolve_repository_name(name)
        header = auth.get_config_header(connection.client, registry)
    except docker.errors.DockerException:
        # A broken credential helper must not stop a pull that needs no login.
        return {}
    return {"X-Registry-Auth": header.decode("ascii")} if header else {}


def _silent(reference: str, seconds: float, heard: bool) -> ImageError:
    said = "nothing more came for" if heard else "no answer within"
    return UnreachableError(f"{reference} could not be pulled: {said} {seconds:g} s", REMEDY)
