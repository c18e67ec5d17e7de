"""The engine, pins and network that every image build uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kit.engine.protocol import Engine
from kit.host.network import HostNetwork
from kit.pins.load import Pins


@dataclass(frozen=True)
class Tools:
    """An engine, the pins, the host's way to the network, and ``say`` for each step."""

    engine: Engine
    pins: Pins
    net: HostNetwork
    say: Callable[[str], None]
