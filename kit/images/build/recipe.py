"""Recipes of images: their names, their build contexts, and building what no equal recipe made.

A context is an uncompressed tar of a recipe folder and files that the host adds. The same
files give the same bytes, so that the builder's cache and the kit's recipe digest are valid
across runs and machines.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import kit
from kit.engine.connection import message_line
from kit.engine.images import is_step
from kit.engine.protocol import BuildRequest, Engine, ImageInfo, LineSink
from kit.errors import ImageError
from kit.files.folder import Folder
from kit.host.network import HostNetwork
from kit.pins.load import Pins
from kit.study.folder import open_study
from kit.study.model import Arm, Study, Variant

OWN = "kit/"
"""Prefix of the names of all images that the kit builds."""
PYTHON, DOTNET = "python", "dotnet"
"""Stacks for which the kit has recipes; PYTHON is also the role of their base."""
EXACT, SUBSTITUTE = "KerasNet", "PythonNet"
"""Names of the two bindings in the C# project; see images/dotnet/Workload.csproj."""
IN_MEMORY_BYTES = 8_000_000
LEFTOVERS = frozenset({"bin", "obj", "__pycache__"})
KEPT_LINES = 500
"""Number of lines of a builder's output to keep, for messages and to find why it failed."""
_STEP_LENGTH = 100
RECIPE_LABEL = "org.kit.recipe"


@dataclass(frozen=True)
class _OfStudy:
    """A file of a study, read on demand."""

    folder: Path
    name: str


class Context:
    """The files of one build context, by their path in it."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[_OfStudy | Path | bytes, int]] = {}
        self._links: dict[str, str] = {}

    def add_folder(self, folder: Path, below: str = "", skip: tuple[str, ...] = ()) -> None:
        """Add every file under that folder except build leftovers and the skipped names.

        ``below`` is the prefix of their paths in the context.
        """
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if path.is_file() and not LEFTOVERS.union(skip).intersection(parts):
                self.add_file(path, f"{below}{'/'.join(parts)}")

    def add_study(self, study: Folder, inside: str, below: str = "") -> None:
        """Add every file that belongs to a study, from the folder ``inside`` in the study.

        ``below`` is the prefix of their paths in the context.
        """
        start = "" if inside == "." else f"{inside}/"
        for name in study.files(start):
            mode = 0o755 if study.executable(name) else 0o644
            path_in_context = f"{below}{name.removeprefix(start)}"
            self._files[path_in_context] = (_OfStudy(study.path, name), mode)

    def add_file(self, path: Path, path_in_context: str) -> None:
        """Add a file at that path in the context; of its mode only the executable bit is kept."""
        mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
        self._files[path_in_context] = (path, mode)

    def add_bytes(self, content: bytes, path_in_context: str) -> None:
        """Add a file with that content at that path in the context."""
        self._files[path_in_context] = (content, 0o644)

    def add_links(self, links: Mapping[str, str], below: str) -> None:
        """Add symbolic links, path to target; ``below`` is the prefix of each path."""
        self._links.update({below + path: target for path, target in links.items()})

    def tar(self) -> BinaryIO:
        """Return the context as a tar stream, positioned at its start. The caller closes it."""
        spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        stream = cast(BinaryIO, spool)
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in sorted({*self._files, *self._links}):
                self._add(archive, path)
        stream.seek(0)
        return stream

    def digest(self, extra: Iterable[str], ignored: tuple[str, ...]) -> str:
        """Return the sha256 (hex) over the files' paths, modes and contents, and the extra strings.

        Paths that begin with one of ``ignored`` are left out.
        """
        total = hashlib.sha256()
        for text in extra:
            total.update(f"{len(text)}:{text}".encode())
        for path in sorted(p for p in self._files if not p.startswith(ignored)):
            source, mode = self._files[path]
            content = _content(source)
            total.update(f"{path}\0{mode:o}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        for path, target in sorted(self._links.items()):
            total.update(f"{path}\0->{target}\n".encode())
        return total.hexdigest()

    def _add(self, archive: tarfile.TarFile, path: str) -> None:
        member = tarfile.TarInfo(path)
        if path in self._links:
            member.type = tarfile.SYMTYPE
            member.linkname = self._links[path]
            archive.addfile(member)
            return
        source, member.mode = self._files[path]
        content = _content(source)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


@dataclass(frozen=True)
class Recipe:
    """The inputs that determine the content of an image.

    Paths that begin with one of ``excluded_from_digest`` do not: another proxy or CA must not
    change the image. ``digest_salt`` are inputs outside the context. ``target`` is the stage of the
    Dockerfile to stop at; None: its last.
    """

    name: str
    context: Context
    dockerfile: str
    args: Mapping[str, str] = field(default_factory=dict)
    digest_salt: tuple[str, ...] = ()
    excluded_from_digest: tuple[str, ...] = ("host/",)
    target: str | None = None

    @property
    def tag(self) -> str:
        """Return the reference, name:tag, that the recipe's image gets."""
        return reference_of(self.name)


@dataclass(frozen=True)
class Tools:
    """The tools of image builds: engine, pins, network settings, and where lines go.

    ``say`` gets a line per image and per decision, ``step`` one per step of a builder, ``built``
    one per image when it is built, ``output`` every line of a builder.
    """

    engine: Engine
    pins: Pins
    net: HostNetwork
    say: LineSink
    step: LineSink = lambda _line: None
    built: LineSink = lambda _line: None
    output: LineSink = lambda _line: None


def reference_of(name: str) -> str:
    """Return the reference, name:tag, of a kit image; the tag is the version of the kit."""
    return f"{OWN}{name}:{kit.__version__}"


def python_name(variant: Variant) -> str:
    """Return the name of the Python image of that variant, the base of its dotnet image."""
    return f"{PYTHON}-{variant}"


def dotnet_name(variant: Variant, binding: str) -> str:
    """Return the name of the dotnet image of that variant and binding.

    ``binding`` is ``EXACT`` or ``SUBSTITUTE``.
    """
    return f"{DOTNET}-{variant}-{binding.lower()}"


def own_name(study: Study, arm: Arm) -> str:
    """Return the name of the image that the study's own Dockerfile for the arm makes."""
    return f"{study.id}-{arm.name}"


def references(study: Study, arm: Arm) -> tuple[str, ...]:
    """Return the references (name:tag) that the arm's image may have: one, or one per binding."""
    if arm.recipe is not None:
        names = [own_name(study, arm)]
    elif arm.stack == DOTNET:
        names = [dotnet_name(arm.variant, binding) for binding in (EXACT, SUBSTITUTE)]
    else:
        names = [f"{arm.stack}-{arm.variant}"]
    return tuple(map(reference_of, names))


def largest(study: Study, arm: Arm) -> str:
    """Return the reference (name:tag) of the image with most of the arm's bytes.

    With the kit's recipes that is the python image, which all stacks share.
    """
    if arm.recipe is None:
        return reference_of(python_name(arm.variant))
    return references(study, arm)[0]


def recipes() -> Path:
    """Return the folder of image recipes: in the wheel, or the repository's images/."""
    package = Path(kit.__file__).parent
    shipped = package / "images" / "recipes"
    return shipped if shipped.is_dir() else package.parent / "images"


def checkout() -> Path | None:
    """Return the repository that the running kit is imported from; None for an installed kit.

    Only the place of the recipes decides: site-packages may have a pyproject.toml of another
    distribution.
    """
    top = Path(kit.__file__).resolve().parent.parent
    return top if recipes().resolve() == top / "images" else None


def find_built(engine: Engine, recipe: Recipe) -> ImageInfo | None:
    """Return the local image that an equal recipe made; None if there is none."""
    found = engine.find_image(recipe.tag)
    if found is not None and found.labels.get(RECIPE_LABEL) == _digest(recipe):
        return found
    return None


def build_recipe(tools: Tools, recipe: Recipe) -> ImageInfo:
    """Return the image of a recipe; build it unless an equal one is in the store.

    Raises ImageError, whose ``output`` is the end of the builder's output.
    """
    say = tools.say
    found = find_built(tools.engine, recipe)
    if found is not None:
        say(f"{recipe.name}: unchanged")
        return found
    say(f"{recipe.name}: building")
    digest = _digest(recipe)
    begun = time.monotonic()
    kept: deque[str] = deque(maxlen=KEPT_LINES)

    def take(line: str) -> None:
        kept.append(line)
        tools.output(f"{recipe.name}: {line}")
        if is_step(line):
            tools.step(f"{recipe.name}: {message_line(line, _STEP_LENGTH)}")

    with recipe.context.tar() as stream, _with_output(kept):
        built = tools.engine.build(
            BuildRequest(
                context=stream,
                dockerfile=recipe.dockerfile,
                tag=recipe.tag,
                args={**recipe.args, **tools.net.proxy_args},
                labels={RECIPE_LABEL: digest},
                target=recipe.target,
            ),
            take,
        )
    tools.built(f"{recipe.name}: built in {time.monotonic() - begun:.0f} s")
    return built


def _content(source: _OfStudy | Path | bytes) -> bytes:
    if isinstance(source, _OfStudy):
        with open_study(source.folder) as study:
            return study.read(source.name)
    return source.read_bytes() if isinstance(source, Path) else source


@contextmanager
def _with_output(lines: Collection[str]) -> Iterator[None]:
    try:
        yield
    except ImageError as error:
        error.output = tuple(lines)
        raise


def _digest(recipe: Recipe) -> str:
    args = (f"{name}={value}" for name, value in sorted(recipe.args.items()))
    return recipe.context.digest(
        (recipe.dockerfile, recipe.target or "", *args, *recipe.digest_salt),
        recipe.excluded_from_digest,
    )
