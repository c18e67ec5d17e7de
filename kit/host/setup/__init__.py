"""The changes to the machine that a user requests: install and start an engine, or end it."""

from kit.host.setup.steps import ensure_bootstrap_tools, setup

__all__ = ["ensure_bootstrap_tools", "setup"]
