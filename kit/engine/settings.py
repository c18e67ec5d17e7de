"""Docker's own settings, which docker-py reads from the user's config.json by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker.errors import InvalidConfigFile
from docker.utils.config import find_config_file

from kit.engine.failures import one_line
from kit.errors import InputError

REMEDY = "repair it, or move it away: docker works without one"


@contextmanager
def reading_settings() -> Iterator[None]:
    """Hold docker-py to its settings. Raises InputError where it cannot use the file.

    docker-py takes the file's form on trust: what it raises for another one is accidental.
    """
    found = find_config_file()
    name = None if found is None else str(found)
    if name is not None and not Path(name).is_file():
        raise InputError(f"{name}: not a plain file", REMEDY)
    try:
        yield
    except (InvalidConfigFile, AttributeError, TypeError, LookupError, RecursionError) as error:
        if name is None:
            raise
        raise InputError(f"{name}: not as docker writes it ({one_line(error)})", REMEDY) from error
