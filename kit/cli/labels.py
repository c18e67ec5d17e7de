"""The labels of a runner, as ``runs-on`` of GitHub Actions takes them."""

from __future__ import annotations

from kit.errors import InputError
from kit.files.documents import read_yaml

_REMEDY = "give one label, or a list in brackets: '[self-hosted, linux]'; quote labels like '\"1\"'"


def labels_of(option: str, value: str) -> tuple[str, ...]:
    """Return the labels in an option's value: one label, or a list in brackets as in YAML.

    Raises InputError for an invalid list, and for a comma in a label.
    """
    if not value.startswith("["):
        if "," in value:
            raise InputError(f"{option}: {value!r}: a label has no comma", _REMEDY)
        return (value,)
    labels = read_yaml(value.encode("utf-8", "surrogateescape"), f"{option}: {value!r}", _REMEDY)
    if not isinstance(labels, list) or not labels:
        raise InputError(f"{option}: {value!r}: not a list of labels", _REMEDY)
    for label in labels:
        if not isinstance(label, str) or not label.strip() or "," in label:
            raise InputError(f"{option}: {value!r}: {label!r} is not a label", _REMEDY)
    return tuple(labels)
