"""Builds and look-ups over a made-up connection: what is decided by is never cut."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import docker.errors
import pytest
import requests

from kit.engine import images
from kit.engine.protocol import BuildRequest
from kit.errors import ImageError, InputError

LONG = "x" * 5000


class Connection:
    """Says these events of a build; knows the image that it made."""

    endpoint = "unix:///x"

    def __init__(self, *events: Mapping[str, Any]) -> None:
        self._events = events
        self.client = self
        self.untyped = self

    def post(self, *_: Any, **__: Any) -> Iterator[Mapping[str, Any]]:
        yield from self._events

    def inspect_image(self, reference: str) -> Mapping[str, Any]:
        return {"Id": reference}


def said_by(*events: Mapping[str, Any]) -> list[str]:
    """Every line of a build's output, also of one that fails."""
    lines: list[str] = []
    request = BuildRequest(io.BytesIO(), "Dockerfile", "kit/x:1")
    try:
        images.build(Connection(*events), request, lines.append)  # type: ignore[arg-type]
    except ImageError as error:
        lines.append(f"failed: {error.problem}")
    return lines


def test_a_line_is_passed_on_whole_however_long_and_however_it_comes() -> None:
    assert said_by(
        {"stream": "Step 1/2 : RUN x\n"},
        {"stream": LONG + " error NU14"},
        {"stream": "03: differs\r\nnext\r"},
        {"stream": "last, without its end"},
    ) == ["Step 1/2 : RUN x", f"{LONG} error NU1403: differs", "next", "last, without its end"]


def test_what_was_said_last_is_heard_before_a_failure() -> None:
    lines = said_by({"stream": "error: "}, {"stream": LONG}, {"error": "exit code 1"})
    assert lines[0] == f"error: {LONG}"
    assert lines[1].startswith("failed: ") and len(lines[1]) < 600


@pytest.mark.slow
def test_output_without_any_line_end_is_bounded_and_no_word_of_it_is_lost() -> None:
    parts = [{"stream": "." * 1000} for _ in range(200)]
    split = [*parts[:65], {"stream": "." * 534 + "NU14"}, {"stream": "03"}, *parts]
    lines = said_by(*split)
    assert max(map(len, lines)) < 2**17
    assert sum("NU1403" in line for line in lines) == 1


def test_the_image_is_the_one_that_the_output_names() -> None:
    request = BuildRequest(io.BytesIO(), "Dockerfile", "kit/x:1")
    events = ({"stream": "Successfully built 0123"}, {"stream": "456789ab\n"})
    made = images.build(Connection(*events), request, lambda line: None)  # type: ignore[arg-type]
    assert made.id == "0123456789ab"


@pytest.mark.parametrize(
    "said", ["invalid reference format", "repository name must not be more than 255 characters"]
)
def test_a_long_name_that_is_no_reference_is_bad_input(said: str) -> None:
    class Refusing(Connection):
        def inspect_image(self, reference: str) -> Mapping[str, Any]:
            response = requests.Response()
            response.status_code = 400
            text = f"{reference}: {said}"
            raise docker.errors.APIError(text, response=response, explanation=text)

    with pytest.raises(InputError) as caught:
        images.find(Refusing(), LONG)  # type: ignore[arg-type]
    assert len(caught.value.problem) < 500
