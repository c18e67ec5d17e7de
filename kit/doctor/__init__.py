"""Checks, before anything runs, that the machine can do what will be asked of it."""

from kit.doctor.checks import Needs, Row, Status, check, ready
from kit.doctor.facts import Facts
from kit.doctor.probe import gather
from kit.doctor.show import table, to_json

__all__ = ["Facts", "Needs", "Row", "Status", "check", "gather", "ready", "table", "to_json"]
