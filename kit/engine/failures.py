"""Turns errors of an engine and its connection into kit's errors, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests.exceptions
import urllib3.exceptions

from kit.errors import HostError
from kit.files.documents import cleaned

GONE_REMEDY = "check that the engine still runs (`kit doctor`), then repeat the command"

# docker.errors.APIError must be caught before these: an error answer is not a lost connection.
LOST = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    EOFError,
)


def one_line(text: object, limit: int = 400) -> str:
    """Return the text as one printable line of at most ``limit`` characters, for messages."""
    line = whole_line(text)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def whole_line(text: object) -> str:
    """Return the text as one printable line of any length, for matching.

    The shortened line may lack the part that matters.
    """
    return " ".join(cleaned(str(text), keep_newlines=False).split())


def reason_of(error: BaseException) -> str:
    """Return the engine's message for an error as one line, shortened for messages."""
    return one_line(all_of(error))


def all_of(error: BaseException) -> str:
    """Return the engine's message for an error as one line of any length, for matching."""
    if isinstance(error, docker.errors.APIError) and error.explanation:
        return whole_line(error.explanation)
    return whole_line(error) or type(error).__name__


def is_timeout(error: BaseException) -> bool:
    """Return whether a request ended because no data came in time.

    A body that stays silent after the headers reaches requests as a
    ``ConnectionError`` around urllib3's timeout, not as a ``Timeout``.
    """
    if isinstance(error, requests.exceptions.ReadTimeout | TimeoutError):
        return True
    inner = error.args[0] if error.args else None
    return isinstance(inner, urllib3.exceptions.ReadTimeoutError)


@contextmanager
def answering(endpoint: str) -> Iterator[None]:
    """Raise HostError for any failure of the connection or the engine inside the context.

    Callers that can explain an answer better (404, a refused container) catch
    ``docker.errors.APIError`` inside this context.
    """
    try:
        yield
    except docker.errors.APIError as error:
        raise HostError(
            f"the engine at {endpoint} answered with an error: {reason_of(error)}",
            "look at the engine's log; restarting the engine often helps",
        ) from error
    except LOST as error:
        raise HostError(
            f"the engine at {endpoint} stopped answering: {reason_of(error)}", GONE_REMEDY
        ) from error
    except docker.errors.DockerException as error:
        raise HostError(
            f"the engine at {endpoint} cannot be used: {reason_of(error)}", GONE_REMEDY
        ) from error
