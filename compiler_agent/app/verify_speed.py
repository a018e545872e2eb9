"""Plans for speed are judged again: their program is built and run, on this machine, as when they were kept.

A lock's figures are one machine's. On another the programs must still do the same, but whether they are faster there is
not established by this, and nothing is said against the plans.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from compiler_agent.app.findings import Finding, ProgramTests, programs_of
from compiler_agent.app.program import Choice, Objects, Program
from compiler_agent.app.speed_programs import program_of
from compiler_agent.app.speed_verification import Checked, check_behaviour, why_not_faster
from compiler_agent.app.verification import Demands
from compiler_agent.base.errors import CompilerAgentError, NotEstablished
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.difftest import ProgramVerdict
from compiler_agent.evaluation.evaluate import Verdict
from compiler_agent.evaluation.machine import this_machine
from compiler_agent.evaluation.measure import Comparison
from compiler_agent.evaluation.pairing import DEFAULT_SETTINGS, Settings
from compiler_agent.evaluation.session import Session
from compiler_agent.llvm.stock import speed_levels


def verify_for_speed(
    entries: Mapping[str, LockEntry],
    programs: ProgramTests,
    demands: Demands,
    settings: Settings = DEFAULT_SETTINGS,
    seed: int = 0,
) -> dict[str, Finding]:
    """Judges plans for speed again, all of one program together.

    Args:
        entries: Entries of a lock whose objective is run time.
        programs: How programs are built and run.
        demands: What an entry needs to stay.
        settings: How much is measured.
        seed: Of what measuring draws.
    """
    groups, unknown = programs_of(entries, programs)
    findings = {
        key: _finding(key, entries[key], Checked(Verdict.NOT_ESTABLISHED, reason)) for key, reason in unknown.items()
    }
    for (command, cwd, workloads), members in groups.items():
        try:
            # In other layouts than those of a tune with the same seed.
            program = program_of(command, cwd, workloads, f"verify {seed}")
            found = _verify(program, members, demands, settings, seed)
        except CompilerAgentError as error:
            found = {
                key: _finding(key, entry, Checked(Verdict.NOT_ESTABLISHED, str(error)))
                for key, entry in members.items()
            }
        findings |= found
    return findings


def _verify(
    program: Program, members: Mapping[str, LockEntry], demands: Demands, settings: Settings, seed: int
) -> dict[str, Finding]:
    here = {unit.key: unit for unit in program.units}
    present = {key: entry for key, entry in members.items() if key in here}
    found = {
        key: _finding(key, entry, Checked(Verdict.NOT_ESTABLISHED, "the build did not compile it again; tune again"))
        for key, entry in members.items()
        if key not in here
    }
    if not present:
        return found
    level = _baseline(present)
    choice, objects = Choice(plans={key: entry.plan for key, entry in present.items()}), Objects()
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(ScratchDirectory()))
        layouts = program.layouts(choice, objects, scratch / "plans")
        checked = check_behaviour(program, choice, layouts, demands)
        measured = None
        if checked.verdict.may_be_kept:
            baseline = program.layouts(Choice(level), objects, scratch / "baseline")
            executor = stack.enter_context(program.executors()[0])
            session = Session.start(baseline, executor, settings, name=f"{program.name} verified", seed=seed)
            measured = session.confirm("plans", layouts)
    for key, entry in present.items():
        sizes = (objects.text_bytes(here[key], Choice()), objects.text_bytes(here[key], choice))
        now = _with_speed(checked, measured, entry)
        found[key] = _finding(key, entry, now, sizes, measured)
    return found


def _baseline(members: Mapping[str, LockEntry]) -> str:
    """What plans that were measured together were measured against.

    Raises:
        NotEstablished: They were not, or it is no stock configuration: a lock's text is not handed to clang as options.
    """
    levels = {entry.evidence.run_time.baseline for entry in members.values() if entry.evidence.run_time}
    if len(levels) != 1 or not levels <= set(speed_levels(with_profile=True)):
        raise NotEstablished(
            f"plans of one program are compared with one stock configuration, and the lock names {sorted(levels)}",
            hint="tune again",
        )
    return levels.pop()


def _finding(
    key: str,
    entry: LockEntry,
    checked: Checked,
    text_bytes: tuple[int, int] | tuple[None, None] = (None, None),
    measured: Comparison | None = None,
) -> Finding:
    ledger = checked.ledgers.get(key)
    return Finding(
        key,
        entry.source,
        checked.verdict,
        checked.reason,
        baseline_value=text_bytes[0],
        value=text_bytes[1],
        was_judged=checked.verdict in (Verdict.MISCOMPILED, Verdict.NOT_BETTER),
        trust=ledger.trust if ledger else None,
        program=ProgramVerdict.SAME if measured is not None else None,
        functions=ledger.functions if ledger else {},
        speedup=measured.speedup if measured else None,
    )


def _with_speed(checked: Checked, measured: Comparison | None, entry: LockEntry) -> Checked:
    """What a measurement makes of a plan whose program behaves as it should."""
    if measured is None:
        return checked
    reason = why_not_faster(measured, verified=True)
    machine = str(this_machine())
    if reason and entry.evidence.run_time and entry.evidence.run_time.machine != machine:
        where = f"it was found on {entry.evidence.run_time.machine}, and this is {machine}"
        return Checked(Verdict.NOT_ESTABLISHED, f"not established on this machine: {where}; {reason}", checked.ledgers)
    return Checked(Verdict.NOT_BETTER, reason, checked.ledgers) if reason else checked
