"""Images in the engine's store: find, load, import, build, save, tag, remove."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import docker.errors
from docker.utils import parse_repository_tag

from kit.engine.connection import (
    Connection,
    all_of,
    error_in,
    full_message,
    message_line,
    reason_of,
    translate_errors,
)
from kit.engine.objects import OWNER
from kit.engine.protocol import LABEL, OWNED, BuildRequest, ImageInfo, LineSink
from kit.environment import build_log
from kit.errors import ImageError, InputError

STORE_IDLE_TIMEOUT_S = 1800
"""Loading or importing an image may take minutes without output."""
BUILD_IDLE_TIMEOUT_S = 3600
"""A step of a build may print nothing for long; the complete build has no limit."""
_STEP = re.compile(r"^step \d+(/\d+)?\s*:", re.IGNORECASE)
_INVALID = re.compile("invalid reference|repository name must not be more than")
_BUILT = re.compile(r"^Successfully built ([0-9a-f]{12,64})")
_LOADED = re.compile(r"Loaded image(?: ID)?(?:\(s\))?: (\S+)")
_LAST_LINES = 8
_LINE_END = re.compile(r"\r\n|[\r\n]")
_LONGEST_LINE, _LONGEST_WORD = 2**16, 2**8
_CHUNK = 2**20
_CONFIG_KEYS = ("Cmd", "Entrypoint", "Env", "User", "Volumes", "WorkingDir")


def find(connection: Connection, reference: str) -> ImageInfo | None:
    """Return the local image of that tag, digest or id; None if the engine has none.

    Raises InputError for an invalid reference.
    """
    with translate_errors(connection.endpoint):
        try:
            return _info(connection.untyped.inspect_image(reference))
        except docker.errors.NullResource:
            raise InputError("an image reference is empty", "name an image") from None
        except docker.errors.NotFound:
            return None
        except docker.errors.APIError as error:
            if not _INVALID.search(all_of(error)):
                raise
            raise InputError(
                f"invalid image reference: {message_line(reference)}",
                "use name:tag, a digest or an id",
            ) from error


def present(connection: Connection, reference: str, done: str) -> ImageInfo:
    """Return the local image of that reference. Raises ImageError if the engine does not have it.

    ``done`` names, for the message, what should have brought it, such as "the load".
    """
    image = find(connection, reference)
    if image is None:
        raise ImageError(f"{reference} is not in the engine's store after {done}", "repeat it")
    return image


def load(connection: Connection, archive: Path) -> tuple[ImageInfo, ...]:
    """Load an archive of images (`docker save`) into the engine; see ``Engine.load``."""
    names: list[str] = []
    try:
        with archive.open("rb") as body:
            answer = connection.post(
                "/images/load",
                params={"quiet": "1"},
                body=body,
                idle_timeout_s=STORE_IDLE_TIMEOUT_S,
            )
            with closing(answer) as events:
                for event in events:
                    failure = error_in(event)
                    if failure:
                        raise _not_loaded(archive, failure)
                    names += _LOADED.findall(str(event.get("stream", "")))
    except docker.errors.APIError as error:
        raise _not_loaded(archive, reason_of(error)) from error
    except OSError as error:
        raise _not_loaded(archive, message_line(error.strerror or error)) from error
    if not names:
        raise _not_loaded(archive, "the engine found no image in it")
    return tuple(present(connection, name, "the load") for name in names)


def import_rootfs(
    connection: Connection, tar: Path, reference: str, changes: Sequence[str]
) -> ImageInfo:
    """Make a one-layer image of a root file system tar; see ``Engine.import_rootfs``.

    The tar is streamed from disk. kit's own label is added to ``changes``.
    """
    repository, tag = parse_repository_tag(reference)
    # The engine takes several changes as one multi-line value as well as repeated.
    text = "\n".join([f"LABEL {LABEL}={OWNER}", *changes])
    params = {"fromSrc": "-", "repo": repository, "tag": tag or "latest", "changes": text}
    try:
        with tar.open("rb") as body:
            answer = connection.post(
                "/images/create",
                params=params,
                headers={"Content-Type": "application/x-tar"},
                body=body,
                idle_timeout_s=STORE_IDLE_TIMEOUT_S,
            )
            with closing(answer) as events:
                for event in events:
                    failure = error_in(event)
                    if failure:
                        raise _not_imported(tar, reference, failure)
    except docker.errors.APIError as error:
        raise _not_imported(tar, reference, reason_of(error)) from error
    except OSError as error:
        raise _not_imported(tar, reference, message_line(error.strerror or error)) from error
    return present(connection, reference, "the import")


def is_step(line: str) -> bool:
    """Return whether that line of builder output begins a step of the Dockerfile."""
    return _STEP.match(line) is not None


def build(connection: Connection, request: BuildRequest, on_line: LineSink) -> ImageInfo:
    """Build an image with the engine's classic builder; see ``Engine.build``."""
    log = _BuildLog(on_line)
    # Not docker-py's build(): it hides a refused Dockerfile until the first read,
    # adds the user's own build arguments, and cannot be closed; closing makes the
    # engine stop an interrupted build.
    answer = connection.post(
        "/build",
        params=_build_params(request),
        headers={"Content-Type": "application/x-tar"},
        body=request.context,
        idle_timeout_s=BUILD_IDLE_TIMEOUT_S,
    )
    try:
        with closing(answer) as events:
            for event in events:
                failure = error_in(event)
                if failure:
                    log.end()
                    raise _not_built(request.tag, log, failure)
                log.built = _id_in(event) or log.built
                log.feed(str(event.get("stream", "")))
    except docker.errors.APIError as error:
        raise _not_built(request.tag, log, reason_of(error)) from error
    log.end()
    return present(connection, log.built or request.tag, f"the build of {request.tag}")


class _BuildLog:
    """A builder's output, line by line: its current step, its last lines, the image it made.

    Lines are complete: an event may end in the middle of one, and the text to match may be at
    its end.
    """

    def __init__(self, on_line: LineSink) -> None:
        self.step = "the Dockerfile"
        self.last: deque[str] = deque(maxlen=_LAST_LINES)
        self.built: str | None = None
        self._on_line = on_line
        self._begun = ""

    def feed(self, text: str) -> None:
        """Take the lines that this text ends; split a line that is too long into parts."""
        *lines, self._begun = _LINE_END.split(self._begun + text)
        for line in lines:
            self._take(line)
        if len(self._begun) > _LONGEST_LINE:
            self._take(self._begun)
            # A word across two parts is complete in the second.
            self._begun = self._begun[-_LONGEST_WORD:]

    def end(self) -> None:
        """Take the last line, which has no line end."""
        begun, self._begun = self._begun, ""
        self._take(begun)

    def _take(self, line: str) -> None:
        text = full_message(line)
        if not text:
            return
        self._on_line(text)
        if _STEP.match(text):
            self.step = text
            self.last.clear()
        else:
            self.last.append(text)
        match = _BUILT.match(text)
        if match and self.built is None:
            self.built = match[1]


def save(connection: Connection, references: Sequence[str], archive: BinaryIO) -> None:
    """Write images into one archive (`docker save`); see ``Engine.save``."""
    for reference in references:
        present(connection, reference, "its build")
    with translate_errors(connection.endpoint):
        # Not docker-py's save of one image: shared layers would be written repeatedly.
        response = connection.client.get(
            connection.url("/images/get"),
            params=[("names", reference) for reference in references],
            stream=True,
            timeout=STORE_IDLE_TIMEOUT_S,
        )
        with closing(response):
            response.raise_for_status()
            for chunk in response.iter_content(_CHUNK):
                archive.write(chunk)


def tag(connection: Connection, image_id: str, reference: str) -> None:
    """Give a local image the further name ``reference`` (name:tag). Raises ImageError."""
    repository, name = parse_repository_tag(reference)
    with translate_errors(connection.endpoint):
        try:
            connection.client.tag(image_id, repository, name or "latest")
        except docker.errors.APIError as error:
            raise ImageError(
                f"{image_id} cannot be tagged {reference}: {reason_of(error)}", "build it again"
            ) from error


def remove(connection: Connection, reference: str) -> bool:
    """Remove an image (its tag, if others remain); return whether there was one.

    Raises ImageError while it is in use.
    """
    with translate_errors(connection.endpoint):
        try:
            connection.client.remove_image(reference, force=True)
        except docker.errors.NotFound:
            return False
        except docker.errors.APIError as error:
            raise ImageError(
                f"{reference} cannot be removed: {reason_of(error)}", "remove what uses it first"
            ) from error
    return True


def _build_params(request: BuildRequest) -> dict[str, str]:
    params = {
        "t": request.tag,
        "dockerfile": request.dockerfile,
        "rm": "1",
        "forcerm": "1",
        "buildargs": json.dumps(dict(request.args)),
        "labels": json.dumps({**OWNED, **request.labels}),
    }
    if not request.cache:
        params["nocache"] = "1"
    return {**params, "target": request.target} if request.target else params


def _id_in(event: Mapping[str, Any]) -> str | None:
    aux = event.get("aux")
    value = aux.get("ID") if isinstance(aux, dict) else None
    return str(value) if value else None


def _info(image: Mapping[str, Any]) -> ImageInfo:
    config = image.get("Config") or {}
    return ImageInfo(
        id=str(image["Id"]),
        tags=tuple(image.get("RepoTags") or ()),
        digests=tuple(image.get("RepoDigests") or ()),
        size_bytes=int(image.get("Size") or 0),
        labels=dict(config.get("Labels") or {}),
        created=str(image.get("Created") or ""),
        architecture=str(image.get("Architecture") or ""),
        config={key: config.get(key) for key in _CONFIG_KEYS},
        layers=tuple((image.get("RootFS") or {}).get("Layers") or ()),
    )


def _not_loaded(archive: Path, reason: str) -> ImageError:
    return ImageError(
        f"{archive} cannot be loaded: {message_line(reason)}",
        "give a complete archive made by `docker save`",
    )


def _not_imported(tar: Path, reference: str, reason: str) -> ImageError:
    return ImageError(
        f"{reference} cannot be made of {tar}: {message_line(reason)}",
        "check the tar and the free disk space",
    )


def _not_built(tag: str, log: _BuildLog, reason: str) -> ImageError:
    # The builder's own reason repeats the command and adds the exit code; the
    # command's error lines explain more, where there are any.
    last = log.last
    errors = [line for line in last if "error" in line.lower()]
    shown = message_line(" | ".join(errors), 400)
    if not shown:
        output = message_line(" | ".join(list(last)[-3:]), 400)
        shown = f"{message_line(reason, 200)}; the end of its output: {output}"
    return ImageError(
        f"the build of {tag} failed at {message_line(log.step, 60)}: {shown}",
        f"see the output of that step, all of it {_where()}; if a download failed, check "
        "`kit doctor` and repeat",
    )


def _where() -> str:
    log = build_log()
    return "with -v" if log is None else f"in {log}"
