"""Building an image from a recipe, or finding the one an equal recipe made."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import kit
from kit.engine.protocol import LABEL, BuildRequest, Engine, ImageInfo, LineSink
from kit.environment import variables
from kit.errors import ImageError
from kit.host.network import HostNetwork
from kit.images.build.context import Context

_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")
"""How the classic builder announces an instruction."""
_INSTRUCTION = 60
_LAST_LINES = 40
RECIPE_LABEL = "org.kit.recipe"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what an image holds.

    Places that begin with one of ``undigested`` do not: another proxy or CA makes
    no other image. ``extra`` are facts that decide it without being in the context.
    ``target`` is the stage of the Dockerfile to stop at; None: its last.
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
        """The reference of the built image."""
        return f"kit/{self.name}:{kit.__version__}"


def find_built(engine: Engine, recipe: Recipe) -> ImageInfo | None:
    """The local image that an equal recipe made; None when there is none."""
    found = engine.find_image(recipe.tag)
    if found is not None and found.labels.get(RECIPE_LABEL) == _digest(recipe):
        return found
    return None


def build_recipe(
    engine: Engine,
    recipe: Recipe,
    net: HostNetwork,
    say: Callable[[str], None],
    hear: LineSink | None = None,
) -> ImageInfo:
    """Return the image of a recipe, built unless an equal one is there. Raise ImageError.

    ``say`` gets a line per step and, where the build fails, the end of the builder's output;
    all of it with KIT_DEBUG. ``hear`` gets every line instead, for a build that may fail.
    """
    found = find_built(engine, recipe)
    if found is not None:
        say(f"{recipe.name}: unchanged")
        return found
    say(f"{recipe.name}: building")
    output = _Output(recipe.name, say, hear)
    try:
        with recipe.context.tar() as stream:
            return engine.build(
                BuildRequest(
                    context=stream,
                    dockerfile=recipe.dockerfile,
                    tag=recipe.tag,
                    args={**recipe.args, **net.proxy_args},
                    labels={LABEL: "kit", RECIPE_LABEL: _digest(recipe)},
                    target=recipe.target,
                ),
                output.line,
            )
    except ImageError:
        output.failed()
        raise


class _Output:
    """A builder's output: steps are shown, the rest is kept until it is needed."""

    def __init__(self, name: str, say: Callable[[str], None], hear: LineSink | None) -> None:
        self._name, self._say, self._hear = name, say, hear
        self._all = bool(variables().get("KIT_DEBUG"))
        self._last: deque[str] = deque(maxlen=_LAST_LINES)

    def line(self, line: str) -> None:
        """Take one line."""
        if self._hear is not None:
            self._hear(line)
        step = _STEP.match(line)
        if self._all:
            self._say(f"{self._name}: {line}")
        elif step:
            shown = step[3] if len(step[3]) <= _INSTRUCTION else f"{step[3][:_INSTRUCTION]}…"
            self._say(f"{self._name}: step {step[1]} of {step[2]}, {shown}")
        if step:
            self._last.clear()
        self._last.append(line)

    def failed(self) -> None:
        """Show the output of the step that failed, unless the caller expects that."""
        if self._hear is None and not self._all:
            for line in self._last:
                self._say(f"{self._name}: {line}")


def _digest(recipe: Recipe) -> str:
    args = (f"{name}={value}" for name, value in sorted(recipe.args.items()))
    return recipe.context.digest(
        (recipe.dockerfile, recipe.target or "", *args, *recipe.extra), recipe.undigested
    )
