"""Building an image from a recipe with an engine's tools, or finding the one of an equal recipe."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from kit.engine.connection import one_line
from kit.engine.images import is_step
from kit.engine.protocol import BuildRequest, Engine, ImageInfo
from kit.environment import variables
from kit.errors import ImageError
from kit.host.network import HostNetwork
from kit.images.build.context import Context
from kit.images.names import reference_of
from kit.pins.load import Pins

KEPT_LINES = 500
"""Number of lines of a builder's output to keep, for messages and to find why it failed."""
_STEP_LENGTH = 100
RECIPE_LABEL = "org.kit.recipe"


@dataclass(frozen=True)
class Recipe:
    """Inputs that determine the content of an image.

    Paths that begin with one of ``undigested`` do not: another proxy or CA must not change
    the image. ``extra`` are inputs outside the context. ``target`` is the stage of the
    Dockerfile to stop at; None: its last.
    """

    name: str
    context: Context
    dockerfile: str
    args: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    undigested: tuple[str, ...] = ("host/",)
    target: str | None = None

    @property
    def tag(self) -> str:
        """Return the reference of the built image."""
        return reference_of(self.name)


@dataclass(frozen=True)
class Tools:
    """An engine, the pins, the host's way to the network, and ``say`` for each step."""

    engine: Engine
    pins: Pins
    net: HostNetwork
    say: Callable[[str], None]


def find_built(engine: Engine, recipe: Recipe) -> ImageInfo | None:
    """Return the local image that an equal recipe made; None if there is none."""
    found = engine.find_image(recipe.tag)
    if found is not None and found.labels.get(RECIPE_LABEL) == _digest(recipe):
        return found
    return None


def build_recipe(tools: Tools, recipe: Recipe) -> ImageInfo:
    """Return the image of a recipe; build it unless an equal one is in the store.

    Reports each step. Raises ImageError, whose ``output`` is the end of the builder's output.
    """
    say = tools.say
    found = find_built(tools.engine, recipe)
    if found is not None:
        say(f"{recipe.name}: unchanged")
        return found
    say(f"{recipe.name}: building")
    digest = _digest(recipe)
    debug = bool(variables().get("KIT_DEBUG"))
    kept: deque[str] = deque(maxlen=KEPT_LINES)

    def take(line: str) -> None:
        kept.append(line)
        if debug:
            say(f"{recipe.name}: {line}")
        elif is_step(line):
            say(f"{recipe.name}: {one_line(line, _STEP_LENGTH)}")

    with recipe.context.tar() as stream, _with_output(kept):
        return tools.engine.build(
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
        (recipe.dockerfile, recipe.target or "", *args, *recipe.extra), recipe.undigested
    )
