"""One connection to one engine, the only holder of a docker-py client, and its failures.

Failures become errors of kit, one line each.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import docker
import docker.errors
import requests
import requests.exceptions
import urllib3.exceptions
from docker.errors import InvalidConfigFile
from docker.utils.config import find_config_file

from kit.engine.hardening import DOCKER, Quirks, quirks_of
from kit.errors import HostError, InputError
from kit.files.documents import cleaned
from kit.together import ended_by

CALL_TIMEOUT_S = 120
"""For a call that only changes the engine's state; calls that wait set their own timeout."""
_SETTINGS_REMEDY = "repair it, or move it away: docker works without one"
GONE_REMEDY = "check that the engine still runs (`kit doctor`), then repeat the command"
# docker.errors.APIError must be caught before these: an error answer is not a lost connection.
LOST = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    EOFError,
)


@dataclass(frozen=True)
class Connection:
    """Clients connected to one engine, the engine's URL, and how it differs from Docker.

    ``clients`` returns the client of the calling thread: threads must not share one of docker-py.
    """

    clients: Callable[[], docker.APIClient]
    endpoint: str
    quirks: Quirks = DOCKER
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of every container made over it, in addition to those of its request."""

    @property
    def client(self) -> docker.APIClient:
        """Return docker-py's client of the calling thread."""
        return self.clients()

    @property
    def untyped(self) -> Any:
        """Return the client for calls whose published stubs are missing or too narrow."""
        return self.client

    def url(self, path: str) -> str:
        """Return the URL of a call (by its path) of the engine's API in the negotiated version."""
        return f"{self.client.base_url}/v{self.client.api_version}{path}"

    def post(
        self,
        path: str,
        *,
        params: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        body: IO[bytes] | None = None,
        idle_timeout_s: float,
    ) -> Generator[Mapping[str, Any], None, None]:
        """POST to a path of the engine's API, and yield the JSON lines of the answer as they come.

        ``idle_timeout_s`` is the longest time without any data from the engine. Raises
        ``docker.errors.APIError`` for a refusal, HostError for a lost engine.
        """
        with translate_errors(self.endpoint):
            response = self.client.post(
                self.url(path),
                params=dict(params),
                headers=dict(headers or {}),
                data=body,
                stream=True,
                timeout=(CALL_TIMEOUT_S, idle_timeout_s),
            )
        with closing(response), ended_by(lambda: _cut(response)):
            if response.status_code >= 400:
                raise _refusal(response)
            lines = response.iter_lines()
            while True:
                with translate_errors(self.endpoint):
                    line = next(lines, None)
                if line is None:
                    return
                if line.strip():
                    yield decoded(line)


def connect(url: str, tls: Any = None, timeout_s: float | None = None) -> Connection:
    """Connect to the engine at ``url`` and negotiate an API version. Raises HostError.

    ``tls`` is docker-py's TLSConfig or None. ``timeout_s`` bounds the first call only.
    """
    with translate_errors(url):
        first = _client(url, tls, "auto", int(timeout_s or CALL_TIMEOUT_S))
        version = first.version()
        first.timeout = CALL_TIMEOUT_S
    api_version = str(first.api_version)
    of_thread = threading.local()
    of_thread.client = first

    def client() -> docker.APIClient:
        if not hasattr(of_thread, "client"):
            of_thread.client = _client(url, tls, api_version, CALL_TIMEOUT_S)
        made: docker.APIClient = of_thread.client
        return made

    return Connection(client, url, quirks_of(version))


def decoded(line: bytes) -> Mapping[str, Any]:
    """Return the event in one line of a JSON stream; a line that is not one counts as output."""
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    return {"stream": line.decode("utf-8", "replace") + "\n"}


def error_in(event: Mapping[str, Any]) -> str | None:
    """Return the error in an event of the engine's JSON stream, on one line; None without one."""
    detail = event.get("errorDetail")
    text = detail.get("message") if isinstance(detail, dict) else None
    text = text or event.get("error")
    return full_message(text) if text else None


@contextmanager
def reading_settings() -> Iterator[None]:
    """Raise InputError where docker-py cannot use the user's config.json, which it reads itself.

    docker-py does not check the file's structure: which error it raises for another is accidental.
    """
    found = find_config_file()
    name = None if found is None else str(found)
    if name is not None and not Path(name).is_file():
        raise InputError(f"{name}: not a plain file", _SETTINGS_REMEDY)
    try:
        yield
    except (InvalidConfigFile, AttributeError, TypeError, LookupError, RecursionError) as error:
        if name is None:
            raise
        raise InputError(
            f"{name}: not as docker writes it ({message_line(error)})", _SETTINGS_REMEDY
        ) from error


def message_line(text: object, limit: int = 400) -> str:
    """Return the text as one printable line of at most ``limit`` characters, for messages."""
    line = full_message(text)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def full_message(text: object) -> str:
    """Return the text as one printable line of any length, for matching.

    The shortened line may lack the part that matters.
    """
    return " ".join(cleaned(str(text), keep_newlines=False).split())


def reason_of(error: BaseException) -> str:
    """Return the engine's message for an error as one line, shortened for messages."""
    return message_line(all_of(error))


def all_of(error: BaseException) -> str:
    """Return the engine's message for an error as one line of any length, for matching."""
    if isinstance(error, docker.errors.APIError) and error.explanation:
        return full_message(error.explanation)
    return full_message(error) or type(error).__name__


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
def translate_errors(endpoint: str) -> Iterator[None]:
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


def _client(url: str, tls: Any, version: str, timeout_s: int) -> docker.APIClient:
    with reading_settings():
        client = docker.APIClient(
            base_url=url, version=version, timeout=timeout_s, tls=tls or False
        )
    if url.startswith(("unix://", "ssh://")):
        # A socket needs no proxy; looking for one costs time in every call.
        client.trust_env = False
    return client


def _cut(response: requests.Response) -> None:
    """End an answer that another thread reads; the engine then stops the work behind it."""
    link = getattr(response.raw, "connection", None)
    end = getattr(getattr(link, "sock", None), "shutdown", None)
    if end is not None:
        with suppress(OSError):
            end(socket.SHUT_RDWR)


def _refusal(response: requests.Response) -> docker.errors.APIError:
    body = response.content
    try:
        message = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        message = body.decode("utf-8", "replace")
    return docker.errors.APIError(message, response=response, explanation=message)
