"""Checks that the machine can run a reproduction, before anything runs."""

from kit.host.doctor.checks import Facts, Needs, Row, Status, check, ready, table, to_json
from kit.host.doctor.probe import find_facts

__all__ = ["Facts", "Needs", "Row", "Status", "check", "find_facts", "ready", "table", "to_json"]
