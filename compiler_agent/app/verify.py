"""`compiler-agent verify`: does every plan of a lock still apply, still win, and still pass?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.program_test import recall_build, retest, workloads_of
from compiler_agent.app.records import Record, recall
from compiler_agent.app.verification import Demands, confirm, establish
from compiler_agent.base.errors import CompilerAgentError, NotEstablished
from compiler_agent.base.lock import Lock
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.base.trust import FunctionRecord, Trust
from compiler_agent.evaluation.difftest import ProgramVerdict, Workload
from compiler_agent.evaluation.evaluate import Evaluator, Objective, Verdict
from compiler_agent.llvm import catalog
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.plan import Plan


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
    functions: Mapping[str, FunctionRecord] = dataclasses.field(default_factory=dict)
    """What was shown for each function now."""


@dataclass(frozen=True, slots=True)
class ProgramTests:
    """What the user says of the programs' tests that stand behind plans."""

    build: tuple[str, ...] = ()
    """The command that builds everything again, from the current directory; empty: as the last tune on this machine."""
    workloads: tuple[Workload, ...] = ()
    """The tests to run; empty: those that the lock names."""
    no_sandbox: bool = False
    """Whether a test that ran without the sandbox may do that again."""


def verify_lock(
    path: Path,
    records: Mapping[str, Record] | None = None,
    *,
    demands: Demands | None = None,
    programs: ProgramTests | None = None,
    on_finding: Callable[[Finding], None] = lambda finding: None,
) -> list[Finding]:
    """Judges every entry again: its figure, its functions and, where it stands on one, its program's test.

    Args:
        path: The lock.
        records: How each key is compiled; what is missing there is looked up in the user's cache.
        demands: What an entry needs to stay; by default what it needs to be kept at all.
        programs: How programs are built and tested.
        on_finding: Told of each entry as soon as it is judged.
    """
    plans = dict(sorted(Lock.load(path).plans.items()))
    findings: dict[str, Finding] = {}
    waiting: dict[str, LockEntry] = {}
    for key, entry in plans.items():
        findings[key] = verify_entry(key, entry, (records or {}).get(key) or recall(key), demands or Demands())
        if entry.evidence.differential_test is not None and findings[key].verdict.may_be_kept:
            waiting[key] = entry
        else:
            on_finding(findings[key])
    for key, (program, reason) in run_programs(waiting, programs or ProgramTests()).items():
        findings[key] = with_program(findings[key], program, reason)
        on_finding(findings[key])
    return [findings[key] for key in plans]


def run_programs(entries: Mapping[str, LockEntry], programs: ProgramTests) -> dict[str, tuple[ProgramVerdict, str]]:
    """Runs the programs' tests behind these entries again, each build once; what each entry's showed, and why."""
    found: dict[str, tuple[ProgramVerdict, str]] = {}
    groups: dict[tuple[tuple[str, ...], Path, tuple[Workload, ...]], dict[str, LockEntry]] = {}
    for key, entry in entries.items():
        known = (programs.build, Path.cwd()) if programs.build else recall_build(key)
        if known is None:
            found[key] = ProgramVerdict.NOT_ESTABLISHED, "how it is built is not known here: give the build after --"
            continue
        try:
            workloads = programs.workloads or workloads_of(
                entry.evidence.differential_test or {}, no_sandbox=programs.no_sandbox
            )
        except NotEstablished as error:
            found[key] = ProgramVerdict.NOT_ESTABLISHED, error.message
            continue
        groups.setdefault((*known, workloads), {})[key] = entry
    for (command, cwd, workloads), plans in groups.items():
        try:
            refuted, replayed = retest(plans, command, cwd, workloads)
        except CompilerAgentError as error:
            found |= dict.fromkeys(plans, (ProgramVerdict.NOT_ESTABLISHED, error.message))
            continue
        for key in plans:
            if key in refuted:
                tests = "; ".join(workload.command for workload in workloads)
                found[key] = ProgramVerdict.DIFFERENT, f"the program does something else: {tests}"
            elif key not in replayed:
                found[key] = ProgramVerdict.NOT_ESTABLISHED, "the build did not compile it again"
            else:
                found[key] = ProgramVerdict.SAME, ""
    return found


def with_program(finding: Finding, program: ProgramVerdict, reason: str) -> Finding:
    """What a program's test makes of an entry that stands on one, once its functions have been judged."""
    finding = dataclasses.replace(finding, program=program)
    if program is ProgramVerdict.SAME:
        return dataclasses.replace(finding, trust=(finding.trust or Trust.TESTED).raised_to(Trust.TESTED))
    if program is ProgramVerdict.DIFFERENT:
        return dataclasses.replace(finding, verdict=Verdict.MISCOMPILED, reason=reason, trust=None)
    # Nothing is said against the plan: it is not to be taken out of the lock for this.
    return dataclasses.replace(
        finding,
        verdict=Verdict.NOT_ESTABLISHED,
        reason=f"its program's test was not run again: {reason}",
        was_judged=False,
    )


def verify_entry(key: str, entry: LockEntry, record: Record | None, demands: Demands) -> Finding:
    """Judges one entry again: the same command, the same plan, a fresh compiler, all functions; not its program."""
    program_tested = entry.evidence.differential_test is not None
    demands = dataclasses.replace(demands, program_follows=program_tested)

    def finding(verdict: Verdict, reason: str, baseline: int | None = None, value: int | None = None) -> Finding:
        return Finding(key, entry.source, verdict, reason, baseline, value, was_judged=baseline is not None)

    if record is None:
        return finding(
            Verdict.NOT_ESTABLISHED, "its compile command is not known here: give the build command after --"
        )
    try:
        with Engine(record.argv, record.cwd) as engine:
            if engine.key != key:
                return finding(
                    Verdict.NOT_ESTABLISHED, f"the source has changed: its key is now {engine.key}; tune again"
                )
            evaluator = Evaluator(
                engine,
                catalog.load(),
                objective=Objective(entry.objective),
                allow_experimental=True,  # the ledger says whether it may stay
            )
            evaluation = evaluator.evaluate(Plan.parse(entry.plan), fresh=True)
            verdict, reason = evaluation.verdict, evaluation.reason
            if verdict.may_be_kept and not confirm(record, engine, evaluation):
                verdict, reason = Verdict.NOT_ESTABLISHED, "a real compilation does not give the measured object"
            made = finding(verdict, reason, evaluator.baseline_value, evaluation.value)
            if not verdict.may_be_kept:
                return made
            ledger = establish(record, key, evaluation.plan, evaluator.catalog, demands)
            verdict, reason = demands.verdict(ledger)
            return dataclasses.replace(
                made, verdict=verdict, reason=reason, trust=ledger.trust, functions=dict(ledger.functions)
            )
    except CompilerAgentError as error:
        return finding(Verdict.NOT_ESTABLISHED, str(error))
