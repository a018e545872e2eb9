"""`compiler-agent tune -- BUILD COMMAND`: a whole build is recorded, tuned, and tested where there is a test command.

What is tested is what the lock will hold for the build's units: the winners of this run and, where the lock has
something better already, that. A plan of an earlier, untested run is thus either tested now or counted as untested.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from compiler_agent.app.guard import Guard
from compiler_agent.app.program_test import Item, evidence_of, record_build, references, remember_build, try_plans
from compiler_agent.app.progress import Progress
from compiler_agent.app.records import remember
from compiler_agent.app.speed_guard import too_slow
from compiler_agent.app.tune import TuneReport, source_name, tune_records
from compiler_agent.app.unit import TuneOptions
from compiler_agent.base import lock as locks
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.base.trust import Trust
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.llvm.toolchain import discover

_NOT_BUILT_AGAIN = "the build did not compile it again, so its plan was not tested and is not kept"
_TOO_SLOW = "with its plan the program is not shown to be as fast as --guard demands, so it is not kept"


def tune_build(
    command: Sequence[str],
    *,
    cwd: Path,
    lock: Path,
    options: TuneOptions,
    workloads: Sequence[Workload] = (),
    guard: Guard | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> TuneReport:
    """Records a whole build, tunes its units, and, where a test command is given, keeps only what passes it.

    Args:
        command: Builds everything again.
        cwd: Where the commands are run.
        lock: Where winners go.
        options: How to search.
        workloads: What tests what was built, if anything.
        guard: How slow the first workload may become; None: it is not timed.
        jobs: Units at a time; one per core if None.
        progress: Told of everything, if given.

    Raises:
        NotEstablished: A test fails on the -O0 build, is not repeatable, or nothing was built again.
        CompilerAgentError: A build fails, or the lock cannot be written.
    """
    locks.check_writable(lock)
    records = record_build(command, cwd)
    if not workloads:
        return tune_records(records, lock, options, jobs=jobs, progress=progress)
    started_s = time.monotonic()
    expected = references(command, cwd, workloads)
    reference_s = time.monotonic() - started_s
    # What no test of functions established, the program's own test will; what one refuted, it need not run.
    options = dataclasses.replace(options, demands=dataclasses.replace(options.demands, program_follows=True))
    report = tune_records(records, None, options, jobs=jobs, progress=progress)
    started_s = time.monotonic()
    own = {
        result.key: result.lock_entry(source_name(result.record, lock), options, None)
        for result in report.results
        if result.best is not None
    }
    there = locks.Lock.load(lock).plans
    units = {record.key for record in records} | {result.key for result in report.results}
    llvm = discover().version
    preferred = _preferred(own, {key: e for key, e in there.items() if key in units and e.llvm == llvm})
    replayed: set[str] = set()

    def passes(items: Sequence[Item]) -> bool:
        behaves, keys = try_plans(dict(items), command, cwd, expected)
        replayed.update(keys)
        return behaves

    refuted = difftest.culprits(list(preferred.items()), passes)
    good = [item for item in preferred.items() if item not in refuted]
    # Where a plan that was in the lock is refuted, this run's own may still be right.
    second = [(key, own[key]) for key, entry in refuted if key in own and own[key].plan != entry.plan]
    refuted_again = difftest.culprits(second, lambda items: passes([*good, *items]))
    good += [item for item in second if item not in refuted_again]
    wrong = {(key, entry.plan) for key, entry in [*refuted, *refuted_again]}
    dropped = [key for key, entry in there.items() if (key, entry.plan) in wrong]
    if dropped:
        locks.remove(lock, dropped)
    evidence = evidence_of(expected)
    # A unit that the build did not compile again, or whose plan clang did not take, was not tested with it.
    good = [(key, entry) for key, entry in good if key in replayed]
    slow = too_slow(good, command, cwd, workloads, guard, options.seed) if guard is not None else []
    good = [item for item in good if item not in slow]
    now = locks.update(lock, {key: _with_test(entry, evidence) for key, entry in good})
    program_s = reference_s + time.monotonic() - started_s
    remember((result.key, result.record) for result in report.results)
    remember_build([key for key, _ in good], command, cwd)
    tested = {(key, entry.plan) for key, entry in good}
    unseen = [r for r in report.results if r.best and r.key not in replayed]
    slowed = [r for r in report.results if r.best and r.key in dict(slow)]
    return dataclasses.replace(
        report,
        results=tuple(result for result in report.results if result not in (*unseen, *slowed)),
        failures=(
            *report.failures,
            *((result.record, _NOT_BUILT_AGAIN) for result in unseen),
            *((result.record, _TOO_SLOW) for result in slowed),
        ),
        miscompiled=tuple(
            result for result in report.results if result.best and (result.key, str(result.best.plan)) in wrong
        ),
        dropped=tuple(there[key].source for key in dropped),
        program_seconds=program_s,
        n_untested=sum((key, entry.plan) not in tested for key, entry in now.plans.items()),
    )


def _preferred(own: Mapping[str, LockEntry], there: Mapping[str, LockEntry]) -> dict[str, LockEntry]:
    """What the lock would hold of each unit after `update`; of the same plan, this run's entry."""
    chosen = dict(there)
    for key, entry in own.items():
        if key not in there or entry.plan == there[key].plan or entry.is_better_than(there[key]):
            chosen[key] = entry
    return chosen


def _with_test(entry: LockEntry, test: Mapping[str, object]) -> LockEntry:
    trust = entry.evidence.trust.raised_to(Trust.TESTED)
    return dataclasses.replace(entry, evidence=dataclasses.replace(entry.evidence, differential_test=test, trust=trust))
