"""`compiler-agent verify`: does every plan of a lock still apply, still win, and still pass?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from compiler_agent.app.findings import Finding, ProgramTests, programs_of
from compiler_agent.app.program_test import retest
from compiler_agent.app.records import Record, recall
from compiler_agent.app.verification import Demands, confirm, establish
from compiler_agent.app.verify_speed import verify_for_speed
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.lock import Lock
from compiler_agent.base.lock_format import RUN_TIME, LockEntry
from compiler_agent.base.trust import Trust
from compiler_agent.evaluation.difftest import ProgramVerdict
from compiler_agent.evaluation.evaluate import Evaluator, Objective, Verdict
from compiler_agent.evaluation.pairing import DEFAULT_SETTINGS, Settings
from compiler_agent.llvm import catalog
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.plan import Plan


def verify_lock(
    path: Path,
    records: Mapping[str, Record] | None = None,
    *,
    demands: Demands | None = None,
    programs: ProgramTests | None = None,
    settings: Settings = DEFAULT_SETTINGS,
    on_finding: Callable[[Finding], None] = lambda finding: None,
) -> list[Finding]:
    """Judges every entry again: its figure, its functions and, where it stands on one, its program's test.

    Args:
        path: The lock.
        records: How each key is compiled; what is missing there is looked up in the user's cache.
        demands: What an entry needs to stay; by default what it needs to be kept at all.
        programs: How programs are built and tested.
        settings: How much is measured, of plans for speed.
        on_finding: Told of each entry as soon as it is judged.
    """
    plans = dict(sorted(Lock.load(path).plans.items()))
    for_speed = {key: entry for key, entry in plans.items() if entry.objective == RUN_TIME}
    findings: dict[str, Finding] = {}
    waiting: dict[str, LockEntry] = {}
    for key, entry in plans.items():
        if key in for_speed:
            continue
        findings[key] = verify_entry(key, entry, (records or {}).get(key) or recall(key), demands or Demands())
        if entry.evidence.differential_test is not None and findings[key].verdict.may_be_kept:
            waiting[key] = entry
        else:
            on_finding(findings[key])
    for key, (program, reason) in run_programs(waiting, programs or ProgramTests()).items():
        findings[key] = with_program(findings[key], program, reason)
        on_finding(findings[key])
    measured = verify_for_speed(for_speed, programs or ProgramTests(), demands or Demands(), settings)
    for key, finding in measured.items():
        findings[key] = finding
        on_finding(finding)
    return [findings[key] for key in plans]


def run_programs(entries: Mapping[str, LockEntry], programs: ProgramTests) -> dict[str, tuple[ProgramVerdict, str]]:
    """Runs the programs' tests behind these entries again, each build once; what each entry's showed, and why."""
    groups, unknown = programs_of(entries, programs)
    found = {key: (ProgramVerdict.NOT_ESTABLISHED, reason) for key, reason in unknown.items()}
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
