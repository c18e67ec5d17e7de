"""Pulling of images, and the kinds of a registry's failure, by the message the engine passes on."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias

import docker.errors
from docker import auth

from kit.engine.connection import Connection, all_of, error_in, message_line, translate_errors
from kit.engine.images import find, present
from kit.engine.protocol import ImageInfo
from kit.errors import (
    AbsentError,
    ContentError,
    DeniedError,
    HostError,
    ImageError,
    InputError,
    KitError,
    UnreachableError,
)
from kit.together import ended_by

_BY_DIGEST = re.compile(r"(?P<name>[^@\s]+)@(?P<digest>sha256:[0-9a-f]{64})")
FIRST_ANSWER_S = 30.0
"""A reachable registry sends a manifest, or a refusal, within this time."""
_TAG = re.compile(r":[^:/]+$")
_Events: TypeAlias = "Generator[Mapping[str, Any], None, None]"
_Answers: TypeAlias = "queue.Queue[Mapping[str, Any] | BaseException | None]"
REMEDY = "check the registry with `kit doctor`, or use a mirror or a substitute base"
_RESOLVER = re.compile(r"(?<=lookup )(\S+) on \S+(?=: )")
"""Finds the address of the network's name server, which published reports must not contain."""


@dataclass(frozen=True)
class _Fault:
    """One kind of a registry's failure, recognised by the engine's words for it."""

    kind: type[ImageError]
    words: re.Pattern[str]
    meaning: str
    remedy: str


def _fault(kind: type[ImageError], words: str, meaning: str, remedy: str) -> _Fault:
    return _Fault(kind, re.compile(words, re.IGNORECASE), meaning, remedy)


# The words are those of Docker Engine 20.10 (its distribution client, and Go's network
# errors for a registry that was never reached). The first match counts: where a proxy
# requires a password, the registry behind it has denied nothing.
_FAULTS = (
    _fault(
        ContentError,
        r"verification failed|digest mismatch|does not match digest",
        "what it serves is not what the digest names",
        "do not trust this copy: use another mirror, and tell who runs that registry",
    ),
    _fault(
        UnreachableError,
        r"dial tcp|no such host|connection refused|connection reset|proxyconnect|i/o timeout"
        r"|TLS handshake|request canceled|deadline exceeded|no route|unreachable|: EOF$",
        "it does not answer",
        REMEDY,
    ),
    _fault(
        DeniedError,
        r"toomanyrequests|too many requests|pull rate limit",
        "it limits how much it serves to one user or address in a time",
        "wait and repeat the command (Docker Hub counts hours), log in with `docker login` and the "
        "registry's name for a higher limit, or use a mirror",
    ),
    _fault(
        DeniedError,
        r"unauthorized|no basic auth credentials|authentication required|denied",
        "it denies access to your user",
        "log in with `docker login` and the registry's name, or use a mirror",
    ),
    _fault(
        AbsentError,
        r"manifest unknown|unknown blob|blob unknown|name unknown|not found",
        "it has no image, or not all of one, with that digest",
        "use a mirror that still has it, or a bundle made where it was available",
    ),
)


def split_digest(reference: str) -> tuple[str, str]:
    """Split ``name[:tag]@sha256:...`` into name and digest. Raises InputError for all else.

    A readable tag next to the digest is allowed and has no effect.
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

    A pull with progress is never stopped, however slow. It ends when a registry sends
    no first answer within ``FIRST_ANSWER_S``, or no event for ``idle_timeout_s`` seconds.
    """
    name, digest = split_digest(reference)
    answers: _Answers = queue.Queue()
    cancelled = threading.Event()
    # The engine sends nothing at all while a registry does not answer, so another thread
    # reads. It ends by itself: it has an idle timeout too (longer than this one's, whose
    # message explains more), and the engine stops a pull whose client is gone.
    events = _events(connection, name, digest, idle_timeout_s + FIRST_ANSWER_S)
    threading.Thread(target=_read, args=(events, answers, cancelled), daemon=True).start()
    try:
        with ended_by(lambda: answers.put(None)):
            _wait(answers, reference, idle_timeout_s)
    finally:
        cancelled.set()
    return find(connection, f"{name}@{digest}") or present(connection, reference, "the pull")


def remote_digest(connection: Connection, reference: str) -> str:
    """Return the digest that a registry has for a reference now; see ``Engine.remote_digest``."""
    try:
        with translate_errors(connection.endpoint):
            try:
                answer = connection.untyped.inspect_distribution(reference)
            except docker.errors.APIError as error:
                raise refusal(reference, all_of(error), "asked for") from error
    except HostError as error:
        # The engine itself waits for the registry, and has its own timeout.
        raise UnreachableError(f"{reference}: {error.problem}", REMEDY) from error
    return str(answer["Descriptor"]["digest"])


def refusal(reference: str, message: str, done: str = "pulled") -> ImageError:
    """Return the error for a registry's refusal of ``reference``, of the kind that applies.

    ``message`` is the engine's complete message, ``done`` what was tried, such as "pulled".
    """
    problem, shown = f"{reference} could not be {done}", message_line(_RESOLVER.sub(r"\1", message))
    for fault in _FAULTS:
        if fault.words.search(message):
            return fault.kind(f"{problem}: {fault.meaning} ({shown})", fault.remedy)
    return ImageError(f"{problem}: {shown}", REMEDY)


def _read(events: _Events, answers: _Answers, cancelled: threading.Event) -> None:
    """Put every event into ``answers``, then None; on failure the error, for ``_wait`` to raise."""
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
    """Return when the pull is done. Raise ImageError where it fails or no event comes."""
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


def _events(connection: Connection, name: str, digest: str, idle_timeout_s: float) -> _Events:
    return connection.post(
        "/images/create",
        params={"fromImage": name, "tag": digest},
        headers=_credentials(connection, name),
        idle_timeout_s=idle_timeout_s,
    )


def _credentials(connection: Connection, name: str) -> dict[str, str]:
    """Return the header with the user's docker login credentials for that registry, if any."""
    try:
        registry, _ = auth.resolve_repository_name(name)
        header = auth.get_config_header(connection.client, registry)
    except docker.errors.DockerException:
        # A broken credential helper must not stop a pull that needs no login.
        return {}
    return {"X-Registry-Auth": header.decode("ascii")} if header else {}


def _silent(reference: str, seconds: float, heard: bool) -> ImageError:
    reason = "nothing more came for" if heard else "no answer within"
    return UnreachableError(f"{reference} could not be pulled: {reason} {seconds:g} s", REMEDY)
