"""Pulls over a made-up connection: what ends one, and what each failure is called."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import docker.errors
import pytest

from kit.engine import pull
from kit.engine.protocol import ImageInfo
from kit.errors import (
    AbsentError,
    ContentError,
    DeniedError,
    HostError,
    ImageError,
    UnreachableError,
)

DIGEST = "sha256:" + "a" * 64
REFERENCE = f"registry.example/base@{DIGEST}"


class Connection:
    """Says these events, each after so many seconds; has the image at the end."""

    endpoint = "unix:///x"

    def __init__(self, *events: Mapping[str, Any] | Exception, every_s: float = 0.0) -> None:
        self._events = events
        self._every_s = every_s
        self.client = self
        self.untyped = self

    def post(self, *_: Any, **__: Any) -> Iterator[Mapping[str, Any]]:
        for event in self._events:
            time.sleep(self._every_s)
            if isinstance(event, Exception):
                raise event
            yield event

    def inspect_image(self, reference: str) -> Mapping[str, Any]:
        assert reference == REFERENCE
        return {"Id": "sha256:1", "RepoDigests": [REFERENCE]}


@pytest.fixture(autouse=True)
def _no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "_credentials", lambda connection, name: {})


def pulled(connection: Connection, idle_timeout_s: float = 5.0) -> ImageInfo:
    return pull.pull(connection, REFERENCE, idle_timeout_s)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_slow_pull_that_goes_on_is_not_cut() -> None:
    connection = Connection(*[{"status": "Downloading"}] * 15, every_s=0.1)
    start = time.monotonic()
    assert pulled(connection, idle_timeout_s=1.0).digests == (REFERENCE,)
    assert time.monotonic() - start > 1.2, "longer in all than the silence that ends a pull"


def test_silence_ends_it() -> None:
    connection = Connection({"status": "Pulling"}, every_s=0.3)
    with pytest.raises(UnreachableError, match=r"no answer within 0\.1 s"):
        pulled(connection, idle_timeout_s=0.1)


def test_silence_in_the_middle_is_told_apart() -> None:
    class Stops(Connection):
        def post(self, *_: Any, **__: Any) -> Iterator[Mapping[str, Any]]:
            yield {"status": "Pulling"}
            time.sleep(0.5)

    with pytest.raises(UnreachableError, match=r"nothing more came for 0\.1 s"):
        pulled(Stops(), idle_timeout_s=0.1)


def test_the_first_answer_has_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "FIRST_ANSWER_S", 0.1)
    with pytest.raises(UnreachableError, match=r"no answer within 0\.1 s"):
        pulled(Connection({"status": "Pulling"}, every_s=0.5), idle_timeout_s=60)


# Each as Docker Engine 20.10 says it.
SAID = {
    "filesystem layer verification failed for digest sha256:1": ContentError,
    "manifest verification failed for digest sha256:1": ContentError,
    "error pulling image configuration: config verification failed for digest x": ContentError,
    'Head "https://r/v2/base/manifests/x": no basic auth credentials': DeniedError,
    "pull access denied for base, repository does not exist or may require login": DeniedError,
    "toomanyrequests: You have reached your pull rate limit": DeniedError,
    "received unexpected HTTP status: 429 Too Many Requests": DeniedError,
    "manifest for r/base@sha256:1 not found: manifest unknown: manifest unknown": AbsentError,
    "unknown blob": AbsentError,
    'Get "https://r/v2/": dial tcp 127.0.0.1:9: connect: connection refused': UnreachableError,
    'Get "https://r/v2/": dial tcp: lookup r: no such host': UnreachableError,
    'Get "https://r/v2/": proxyconnect tcp: Proxy Authentication Required': UnreachableError,
    "no space left on device": ImageError,
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("refused", [True, False], ids=["as an answer", "as an event"])
def test_every_failure_has_its_kind_and_keeps_the_engine_s_words(said: str, refused: bool) -> None:
    error = docker.errors.APIError(said, explanation=said)
    with pytest.raises(ImageError) as caught:
        pulled(Connection(error if refused else {"error": said}))
    assert type(caught.value) is SAID[said]
    assert said in caught.value.problem and REFERENCE in caught.value.problem
    assert "\n" not in caught.value.problem + caught.value.remedy


def test_the_address_of_the_network_s_name_server_stays_out_of_reports() -> None:
    said = 'Get "https://r/v2/": dial tcp: lookup r on 10.1.2.3:53: no such host'
    with pytest.raises(UnreachableError) as caught:
        pulled(Connection({"error": said}))
    assert "10.1.2.3" not in caught.value.problem
    assert "lookup r: no such host" in caught.value.problem


def test_kinds_have_remedies_of_their_own() -> None:
    remedies = set()
    kinds = (
        "verification failed",
        "unauthorized",
        "manifest unknown",
        "dial tcp",
        "429 too many requests",
    )
    for said in kinds:
        with pytest.raises(ImageError) as caught:
            pulled(Connection({"error": said}))
        remedies.add(caught.value.remedy)
    assert len(remedies) == len(kinds)
    assert "wait" in caught.value.remedy and "docker login" in caught.value.remedy


def test_a_lost_engine_is_not_the_registry_s_fault() -> None:
    with pytest.raises(HostError, match="gone"):
        pulled(Connection(HostError("the engine is gone", "")))


@pytest.mark.parametrize(
    "words, kind",
    [
        ("digest mismatch", ContentError),
        ("unauthorized", DeniedError),
        ("manifest unknown", AbsentError),
        ("connection refused", UnreachableError),
    ],
)
def test_a_reason_is_found_behind_any_number_of_words(words: str, kind: type[ImageError]) -> None:
    text = "x" * 1000 + f": {words}"
    with pytest.raises(kind) as caught:
        pulled(Connection({"error": text}))
    assert len(caught.value.problem) < 700
