"""Command lines of kit: quoted for a shell, and parsed from a session's header.

The recorded command is data here and is never run. `kit.app.session.repeating` and
`kit.app.ablate` write it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from kit.errors import InputError
from kit.plan.model import ALTERNATING, DESIGNS, DIRECTION, SIZE, Design, Until

_REMEDY = "give the folder as the kit wrote it"
_FLAGS = ("--gpu", "--strict")
_VALUES = (
    "--budget", "--seed", "--study", "--design", "--blocks", "--repeats", "--arms",
    "--gpu-device", "--until", "--cpus", "--memory", "--set", "--nuget-source", "--mirror",
    "--shard",
)  # fmt: skip
"""``--nuget-source`` is in the logs of earlier kits."""
_REPEATED = ("--mirror", "--set")
_LONGEST = 10_000
"""Characters; a log may hold anything, and splitting takes the square of the length."""


def shown(*words: object) -> str:
    """Return a command line of kit with these words after ``kit``, quoted for a shell."""
    return shlex.join(["kit", *map(str, words)])


@dataclass(frozen=True)
class Command:
    """A recorded command: its name and its options, with their values as given."""

    name: str
    options: Mapping[str, str]

    def has(self, option: str) -> bool:
        """Return whether the option was given."""
        return option in self.options

    def text(self, option: str, default: str = "") -> str:
        """Return the option's value, or the default where it was not given."""
        return self.options.get(option, default)

    def number(self, option: str, most: int = 2**63) -> int | None:
        """Return the option as an integer; None: not given.

        Raise InputError if it is not an integer or is above ``most``: the log may have been edited.
        """
        value = self.options.get(option)
        if value is None:
            return None
        if not (value.isascii() and value.removeprefix("-").isdigit() and len(value) < 20):
            raise InputError(f"the recorded command: {option} {value!r} is not a number", _REMEDY)
        if int(value) > most:
            raise InputError(f"the recorded command: {option} {value} is above {most}", _REMEDY)
        return int(value)

    @property
    def arms(self) -> tuple[str, ...]:
        """Return the arms that the command names; empty if it names none, for all."""
        return tuple(name for name in self.text("--arms").split(",") if name)

    @property
    def design(self) -> Design:
        """Return the requested design. Raise InputError for an unknown one."""
        design = self.text("--design", ALTERNATING)
        if design not in DESIGNS:
            raise InputError(f"the recorded command: unknown design {design!r}", _REMEDY)
        return design

    @property
    def until(self) -> Until:
        """Return what the command's session settles: direction, or size too.

        Raise InputError for an unknown word.
        """
        until = self.text("--until", SIZE)
        if until not in (SIZE, DIRECTION):
            raise InputError(f"the recorded command: unknown --until {until!r}", _REMEDY)
        return SIZE if until == SIZE else DIRECTION


def parse_command(text: str) -> Command:
    """Return the command in a line such as ``kit reproduce --budget quick --seed 7``.

    Raise InputError for a line that kit cannot have written.
    """
    words = _words(text)
    if words[:1] != ["kit"] or words[1:2] not in (["reproduce"], ["ablate"], ["explain"]):
        raise InputError("the recorded command is not one that makes a session", _REMEDY)
    options: dict[str, str] = {}
    rest = iter(words[2:])
    for word in rest:
        if word not in (*_FLAGS, *_VALUES):
            raise InputError(f"the recorded command: unknown option {word!r}", _REMEDY)
        value = "" if word in _FLAGS else next(rest, None)
        if value is None or (word in options and word not in _REPEATED):
            raise InputError(
                f"the recorded command: {word} has no value or is there twice", _REMEDY
            )
        options[word] = value
    return Command(words[1], options)


def without_option(text: str, option: str) -> str:
    """Return a recorded command line without that option and its value.

    Raise InputError for text that cannot be split into words.
    """
    words = _words(text)
    kept, rest = words[:2], iter(words[2:])
    for word in rest:
        value = () if word in _FLAGS else tuple(islice(rest, 1))
        if word != option:
            kept += [word, *value]
    return shlex.join(kept)


def _words(text: str) -> list[str]:
    if len(text) > _LONGEST:
        raise InputError(f"the recorded command has more than {_LONGEST:,} letters", _REMEDY)
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InputError(f"the recorded command cannot be read ({error})", _REMEDY) from error
