"""Building an image from a recipe, or finding the one an equal recipe made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import kit
from kit.engine.protocol import LABEL, BuildRequest, Engine, ImageInfo
from kit.host.network import HostNetwork
from kit.images.build.context import Context

# What the classic builder says between steps.
_CHATTER = ("--->", "Removing intermediate container")
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
    engine: Engine, recipe: Recipe, net: HostNetwork, say: Callable[[str], None]
) -> ImageInfo:
    """The image of a recipe, built unless an equal one is there. Raises ImageError."""
    found = find_built(engine, recipe)
    if found is not None:
        say(f"{recipe.name}: unchanged")
        return found
    say(f"{recipe.name}: building")
    digest = _digest(recipe)
    with recipe.context.tar() as stream:
        return engine.build(
            BuildRequest(
                context=stream,
                dockerfile=recipe.dockerfile,
                tag=recipe.tag,
                args={**recipe.args, **net.proxy_args},
                labels={LABEL: "kit", RECIPE_LABEL: digest},
                target=recipe.target,
            ),
            lambda line: None if line.startswith(_CHATTER) else say(f"{recipe.name}: {line}"),
        )


def _digest(recipe: Recipe) -> str:
    args = (f"{name}={value}" for name, value in sorted(recipe.args.items()))
    return recipe.context.digest(
        (recipe.dockerfile, recipe.target or "", *args, *recipe.extra), recipe.undigested
    )
