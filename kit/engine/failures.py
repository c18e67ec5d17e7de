"""Turns what goes wrong below the engine into the kit's errors, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests.exceptions
import urllib3.exceptions

from kit.errors import HostError
from kit.files.text import cleaned

GONE_REMEDY = "check that the engine still runs (`kit doctor`), then repeat the command"

# In the order they must be caught: an answer that is an error is no lost connection.
LOST = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    EOFError,
)


def one_line(text: object, limit: int = 400) -> str:
    """Text as one printable line of at most ``limit`` characters, to be shown."""
    line = whole_line(text)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def whole_line(text: object) -> str:
    """Return the text as one printable line of any length, to decide by.

    What is looked for may stand behind the part that is shown.
    """
    return " ".join(cleaned(str(text), keep_newlines=False).split())


def reason_of(error: BaseException) -> str:
    """The engine's own words for an error, on one line, to be shown."""
    return one_line(all_of(error))


def all_of(error: BaseException) -> str:
    """Return the engine's own words for an error, all of them, to decide by."""
    if isinstance(error, docker.errors.APIError) and error.explanation:
        return whole_line(error.explanation)
    return whole_line(error) or type(error).__name__


def is_timeout(error: BaseException) -> bool:
    """Whether a request ended because nothing was said in time.

    A body that stays silent after the headers reaches requests as a
    ``ConnectionError`` around urllib3's timeout, not as a ``Timeout``.
    """
    if isinstance(error, requests.exceptions.ReadTimeout | TimeoutError):
        return True
    inner = error.args[0] if error.args else None
    return isinstance(inner, urllib3.exceptions.ReadTimeoutError)


@contextmanager
def answering(endpoint: str) -> Iterator[None]:
    """Any failure of the connection or the engine inside becomes a HostError.

    Callers that can say more about an answer (404, a refused container) catch
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
