"""Changes the machine, and only when asked: installs and starts an engine, or ends it."""

from kit.host.setup.steps import ensure_bootstrap_tools, setup

__all__ = ["ensure_bootstrap_tools", "setup"]
