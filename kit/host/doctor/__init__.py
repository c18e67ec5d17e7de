"""Checks that the machine can run a reproduction, before anything runs."""

from kit.host.doctor.checks import Facts, Needs, Row, Status, check, ready
from kit.host.doctor.probe import find_facts
from kit.host.doctor.show import table, to_json

__all__ = ["Facts", "Needs", "Row", "Status", "check", "find_facts", "ready", "table", "to_json"]
