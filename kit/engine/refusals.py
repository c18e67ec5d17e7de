"""The kinds of a registry's failure, recognised in the message that the engine passes on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kit.engine.failures import one_line
from kit.errors import AbsentError, ContentError, DeniedError, ImageError, UnreachableError

REMEDY = "check the registry with `kit doctor`, or use a mirror or a substitute base"


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
        "it gives nothing to who you are",
        "log in with `docker login` and the registry's name, or use a mirror",
    ),
    _fault(
        AbsentError,
        r"manifest unknown|unknown blob|blob unknown|name unknown|not found",
        "it has no image, or not all of one, with that digest",
        "use a mirror that still has it, or a bundle made where it could be had",
    ),
)
_RESOLVER = re.compile(r"(?<=lookup )(\S+) on \S+(?=: )")
"""Finds the address of the network's name server, which published reports must not contain."""


def refusal(reference: str, message: str, done: str = "pulled") -> ImageError:
    """Return the error for the kind of failure in ``message``, the engine's complete message."""
    problem, shown = f"{reference} could not be {done}", one_line(_RESOLVER.sub(r"\1", message))
    for fault in _FAULTS:
        if fault.words.search(message):
            return fault.kind(f"{problem}: {fault.meaning} ({shown})", fault.remedy)
    return ImageError(f"{problem}: {shown}", REMEDY)
