"""What was found on the machine, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kit.engine.protocol import EngineInfo
from kit.host.gpu.facts import Found


@dataclass(frozen=True)
class Facts:
    """Everything the checks look at. None: could not be told. Sizes in bytes.

    ``engine_problem`` and ``engine_remedy`` say why ``engine`` is None.
    ``registries`` maps each registry host to why it cannot be reached ("": it can);
    ``sources`` a base image's role to the hosts of those, any of which may have it.
    ``images_there``: the engine has an image of every arm, so nothing must be fetched.
    ``scratch_problem`` says why mmdebstrap could not work in the folder of temporary files.
    ``gpu_driver`` is what the system says of NVIDIA's driver, ``gpus`` what that says.
    ``proxies`` holds the proxy variables set, without passwords. ``ca_files`` maps
    a variable to its file and whether that file can be read.
    """

    engine: EngineInfo | None
    engine_local: bool = True
    engine_problem: str = ""
    engine_remedy: str = ""
    governors: tuple[str, ...] = ()
    available_memory: int | None = None
    free_disk: int | None = None
    registries: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    images_there: bool = False
    mmdebstrap: str | None = None
    scratch_problem: str = ""
    host_python: str | None = None
    gpu_driver: str | None = None
    gpus: Found = field(default_factory=Found)
    proxies: Mapping[str, str] = field(default_factory=dict)
    ca_files: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
