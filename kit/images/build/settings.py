"""Settings of the kit's recipes that users give by name: ``--set NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kit.errors import InputError

NUGET_SOURCE = "nuget_source"
"""Name of the setting for the feed of Keras.NET's packages, a folder or a URL."""
NAMES = (NUGET_SOURCE,)
_KNOWN = f"the kit's recipes know: {', '.join(NAMES)}"


def parse_settings(given: Sequence[str]) -> Mapping[str, str]:
    """Return the value of each given setting, by its name.

    ``given`` are the values of ``--set``. Raises InputError for a value not of the form
    ``NAME=VALUE``, an unknown name, and a name given twice.
    """
    settings: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set: {text!r} is no NAME=VALUE", _KNOWN)
        if name not in NAMES:
            raise InputError(f"--set: there is no setting {name!r}", _KNOWN)
        if name in settings:
            raise InputError(f"--set: {name} is given twice", "give it once")
        settings[name] = value
    return settings
