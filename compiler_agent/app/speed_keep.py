"""What a tune for speed leaves behind: plans in the lock, and how their program is built in the user's cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.program import Choice, Objects, Program, Unit, profile_digest
from compiler_agent.app.program_test import remember_build
from compiler_agent.app.records import remember
from compiler_agent.app.tune import source_name
from compiler_agent.app.tune_speed import SpeedOptions, SpeedResult
from compiler_agent.base import lock as locks
from compiler_agent.base.lock_evidence import RunTimeEvidence
from compiler_agent.base.lock_format import RUN_TIME, Evidence, LockEntry
from compiler_agent.base.trust import Trust
from compiler_agent.evaluation.machine import this_machine
from compiler_agent.llvm.toolchain import discover


def keep(
    program: Program, result: SpeedResult, options: SpeedOptions, lock: Path, command: Sequence[str]
) -> dict[str, str]:
    """Puts what was found into the lock, in the place of all that it has for this program, unless that is better.

    Args:
        program: The program.
        result: What its tune gave.
        options: How that searched.
        lock: The lock.
        command: What builds the program, from the current directory, for `verify`.

    Returns:
        The plans that are in the lock now, by their units' sources.
    """
    if result.best is None:
        return {}
    planned = [unit for unit in program.units if unit.key in result.best.candidate.choice.plans]
    entries = {unit.key: _entry(program, unit, result, options, lock) for unit in planned}
    there = locks.Lock.load(lock).plans
    earlier = {unit.key for unit in program.units if unit.key in there and there[unit.key].objective == RUN_TIME}
    # They were measured together, and without what an earlier tune kept for other units, which may be worth more.
    any_of_them = next(iter(entries.values()))
    if any(not entries.get(key, any_of_them).is_better_than(there[key]) for key in earlier):
        return {}
    locks.remove(lock, earlier - entries.keys())
    locks.update(lock, entries, replace=True)
    remember((unit.key, unit.record) for unit in planned)
    remember_build(entries, command, Path.cwd())
    return {unit.record.source: entries[unit.key].plan for unit in planned}


def _entry(program: Program, unit: Unit, result: SpeedResult, options: SpeedOptions, lock: Path) -> LockEntry:
    assert result.best is not None
    assert result.confirmed is not None
    assert result.confirmed.speedup is not None
    objects, choice, ledger = Objects(), result.best.candidate.choice, result.ledgers[unit.key]
    measured, pairs = result.confirmed.speedup, result.confirmed.pairs
    evidence = Evidence(
        baseline_text_bytes=objects.text_bytes(unit, Choice()),
        plan_text_bytes=objects.text_bytes(unit, choice),
        n_evaluations=len(result.found.timed),
        strategy=options.strategy,
        seed=options.seed,
        differential_test=program.evidence(),
        trust=(ledger.trust or Trust.PRODUCTION).raised_to(Trust.TESTED),
        functions=dict(ledger.functions),
        run_time=RunTimeEvidence(
            speedup=round(measured.median, 6),
            low=round(measured.low, 6),
            high=round(measured.high, 6),
            n_samples=len(pairs),
            n_layouts=len({pair.candidate.layout for pair in pairs}),
            baseline=result.stock.level,
            machine=str(this_machine()),
            profile_sha256=profile_digest(unit.record),
            front=result.front,
        ),
    )
    toolchain = discover()
    return LockEntry(
        choice.plans[unit.key],
        source_name(unit.record, lock),
        toolchain.version,
        toolchain.target,
        evidence,
        objective=RUN_TIME,
    )
