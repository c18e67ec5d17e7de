"""Made-up sources of pins: every question has a scripted answer, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kit.pins.sources import IndexWheel, NoAnswer

DOWN = NoAnswer("no route")


@dataclass
class FakeSources:
    """Answers by what is asked for; anything else is not reached."""

    digests: Mapping[str, str | NoAnswer] = field(default_factory=dict)
    offers: Mapping[str, Sequence[IndexWheel]] = field(default_factory=dict)
    npm: str | NoAnswer = DOWN
    suites: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    payloads: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str | NoAnswer] = field(default_factory=dict)

    def image_digest(self, reference: str) -> str | NoAnswer:
        return self.digests.get(reference, DOWN)

    def wheels(self, name: str, version: str) -> Sequence[IndexWheel] | NoAnswer:
        return self.offers.get(f"{name} {version}", DOWN)

    def npm_sha512(self, package: str) -> str | NoAnswer:
        return self.npm

    def debian(self, suite: str, packages: Sequence[str]) -> Mapping[str, str] | NoAnswer:
        return self.suites.get(suite, DOWN)

    def payload_sha256(self, urls: Sequence[str]) -> str | NoAnswer:
        return next((self.payloads[url] for url in urls if url in self.payloads), DOWN)

    def nuget_sha512(self, name: str, version: str) -> str | NoAnswer:
        return self.packages.get(name, DOWN)
