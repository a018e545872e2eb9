"""What judging a lock's entries again finds, and which programs stand behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compiler_agent.app.program_test import recall_build, workloads_of
from compiler_agent.base.errors import NotEstablished
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.base.trust import FunctionRecord, Trust
from compiler_agent.evaluation.difftest import ProgramVerdict, Workload
from compiler_agent.evaluation.evaluate import Verdict
from compiler_agent.evaluation.stats import Speedup


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry of a lock, judged again."""

    key: str
    """The entry."""
    source: str
    """Its source, as the lock names it."""
    verdict: Verdict
    """What was established now."""
    reason: str
    """Why it is not established."""
    baseline_value: int | None
    """The baseline's figure now."""
    value: int | None
    """The plan's figure now."""
    was_judged: bool = False
    """The plan itself was tried on its own source; False: it could not be, and nothing is said against it."""
    trust: Trust | None = None
    """How far it is established now."""
    program: ProgramVerdict | None = None
    """What the program's test said now, where one stands behind the plan; None: none does."""
    functions: Mapping[str, FunctionRecord] = field(default_factory=dict)
    """What was shown for each function now."""
    speedup: Speedup | None = None
    """How much faster the program is now, for a plan for speed."""


@dataclass(frozen=True, slots=True)
class ProgramTests:
    """What the user says of the programs' tests that stand behind plans."""

    build: tuple[str, ...] = ()
    """The command that builds everything again, from the current directory; empty: as the last tune on this machine."""
    workloads: tuple[Workload, ...] = ()
    """The tests to run; empty: those that the lock names."""
    no_sandbox: bool = False
    """Whether a test that ran without the sandbox may do that again."""


Programs = dict[tuple[tuple[str, ...], Path, tuple[Workload, ...]], dict[str, LockEntry]]
"""Entries by key, for each program: its build command, its directory, and what is run of it."""


def programs_of(entries: Mapping[str, LockEntry], programs: ProgramTests) -> tuple[Programs, dict[str, str]]:
    """The programs behind entries; and, by key, why one is not known here."""
    groups: Programs = {}
    unknown: dict[str, str] = {}
    for key, entry in entries.items():
        known = (programs.build, Path.cwd()) if programs.build else recall_build(key)
        if known is None:
            unknown[key] = "how it is built is not known here: give the build after --"
            continue
        try:
            workloads = programs.workloads or workloads_of(
                entry.evidence.differential_test or {}, no_sandbox=programs.no_sandbox
            )
        except NotEstablished as error:
            unknown[key] = error.message
            continue
        groups.setdefault((*known, workloads), {})[key] = entry
    return groups, unknown
