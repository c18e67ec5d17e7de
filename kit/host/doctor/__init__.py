"""Checks that the machine can run a reproduction, before anything runs."""

from kit.host.doctor.checks import (
    DoctorFacts,
    Needs,
    Requirement,
    Status,
    check,
    ready,
    table,
    to_json,
)
from kit.host.doctor.probe import find_facts

__all__ = [
    "DoctorFacts",
    "Needs",
    "Requirement",
    "Status",
    "check",
    "find_facts",
    "ready",
    "table",
    "to_json",
]
