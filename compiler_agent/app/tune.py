"""`compiler-agent tune`: files, recorded compilations, or a whole build; the winners go into the lock."""

from __future__ import annotations

import os
import shlex
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.progress import Progress
from compiler_agent.app.records import Record, read_records, remember
from compiler_agent.app.unit import TuneOptions, UnitResult, tune_unit
from compiler_agent.base import lock as locks
from compiler_agent.base.config import child_environment, native_directory, user_cache_directory
from compiler_agent.base.errors import CompilerAgentError, NotEstablished, UsageError
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.base.process import run
from compiler_agent.base.store import Store
from compiler_agent.evaluation import difftest
from compiler_agent.llvm.toolchain import discover

_BUILD_TIMEOUT_S = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What a tune did."""

    results: tuple[UnitResult, ...]
    """One for each unit that could be searched, in the order they were given."""
    failures: tuple[tuple[Record, str], ...]
    """Units that could not, and why."""
    miscompiled: tuple[UnitResult, ...] = ()
    """Units whose plan was refuted by the test command."""
    interrupted: bool = False
    """Ended early by the user."""


def tune_records(
    records: Sequence[Record],
    lock: Path | None,
    options: TuneOptions,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    differential_test: dict[str, object] | None = None,
) -> TuneReport:
    """Tunes translation units on all cores; each winner is in the lock as soon as it is found.

    Ctrl-C ends the searches where they are and keeps what they found.

    Args:
        records: The units.
        lock: Where winners go; None: nowhere, the caller decides.
        options: How to search.
        jobs: Units at a time; one per core if None.
        progress: Told of everything, if given.
        differential_test: What testing stands behind the plans, for the evidence.
    """
    locks.Lock.load(lock) if lock is not None else None  # a lock that cannot be read is said before hours are spent
    toolchain = discover()
    stop = threading.Event()
    results: dict[int, UnitResult] = {}
    failures: list[tuple[Record, str]] = []
    with Store.open(user_cache_directory()) as store, ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:

        def work(record: Record) -> UnitResult:
            shown = progress.unit(record.source) if progress else None
            try:
                return tune_unit(
                    record,
                    toolchain,
                    options,
                    store,
                    on_evaluation=shown.evaluated if shown else lambda evaluation: None,
                    should_stop=stop.is_set,
                )
            finally:
                if shown:
                    shown.done()

        futures: dict[Future[UnitResult], int] = {pool.submit(work, record): i for i, record in enumerate(records)}
        pending = set(futures)
        try:
            while pending:
                try:
                    done, _ = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                    for future in done:
                        index = futures[future]
                        try:
                            results[index] = result = future.result()
                        except CompilerAgentError as error:
                            failures.append((records[index], str(error)))
                        else:
                            if lock is not None and result.best is not None:
                                keep([result], lock, options, differential_test)
                        pending.discard(future)
                except KeyboardInterrupt:  # what has ended, kept or half kept, is collected next time round
                    stop.set()
                    pending = {future for future in pending if not future.cancel()}
        except BaseException:  # the lock cannot be written: the other searches end now, not when their budgets do
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return TuneReport(tuple(results[i] for i in sorted(results)), tuple(failures), interrupted=stop.is_set())


def keep(
    results: Sequence[UnitResult], lock: Path, options: TuneOptions, differential_test: dict[str, object] | None = None
) -> None:
    """Puts the winners into the lock, and their commands into the cache."""
    entries: dict[str, LockEntry] = {}
    for result in results:
        if result.best is not None:
            source = _source_name(result.record, lock)
            entries[result.key] = result.lock_entry(source, options, differential_test)
    locks.update(lock, entries)
    remember((result.key, result.record) for result in results)


def record_build(command: Sequence[str], cwd: Path) -> list[Record]:
    """Runs a build once with clang's own code and returns its translation units.

    Raises:
        CompilerAgentError: The build fails, or nothing in it went through cc-agent with -O-agent.
    """
    with tempfile.TemporaryDirectory(prefix="cc-agent-") as directory:
        path = Path(directory) / "records.jsonl"
        path.touch()
        build(
            command,
            cwd,
            CC_AGENT_MODE="record",
            CC_AGENT_RECORD=str(path),
            CC_AGENT_LOCK=str(Path(directory) / "none.lock"),
        )
        records = [record for record in read_records(path) if record.objective == "size"]
    if not records:
        raise UsageError(
            f"no compilation of `{shlex.join(command)}` went through cc-agent with -O-agent=size",
            hint="let the build use them: `compiler-agent tune -- make -B CC=cc-agent CFLAGS=-O-agent=size`",
        )
    return records


def tune_build(
    command: Sequence[str],
    *,
    cwd: Path,
    lock: Path,
    options: TuneOptions,
    run_command: str | None = None,
    run_timeout_s: float = 600,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> TuneReport:
    """Records a whole build, tunes its units, and, where a test command is given, keeps only what passes it."""
    records = record_build(command, cwd)
    if run_command is None:
        return tune_records(records, lock, options, jobs=jobs, progress=progress)
    expected = difftest.reference(run_command, cwd, run_timeout_s)
    report = tune_records(records, None, options, jobs=jobs, progress=progress)
    winners = [result for result in report.results if result.best is not None]

    def passes(group: Sequence[UnitResult]) -> bool:
        return _behaves(group, command, cwd, options, run_command, run_timeout_s, expected)

    refuted = difftest.culprits(winners, passes)
    _take_out(refuted, lock)
    good = [result for result in winners if result not in refuted]
    evidence: dict[str, object] = {"command": run_command, "compared": "exit status and standard output", "runs": 1}
    keep(good, lock, options, evidence)
    return TuneReport(report.results, report.failures, tuple(refuted), report.interrupted)


def build(command: Sequence[str], cwd: Path, **variables: str) -> None:
    """Runs a build command with cc-agent as its compiler, unless the command says otherwise itself."""
    launcher = native_directory() / "bin"
    done = run(
        command,
        cwd=cwd,
        env=child_environment(
            CC=str(launcher / "cc-agent"),
            CXX=str(launcher / "cc-agent++"),
            **{
                "CFLAGS": os.environ.get("CFLAGS", "-O-agent=size"),
                "CXXFLAGS": os.environ.get("CXXFLAGS", "-O-agent=size"),
                **variables,
            },
        ),
        timeout_s=_BUILD_TIMEOUT_S,
    )
    if done.status != 0:
        tail = done.stderr.decode(errors="replace")[-1500:].strip()
        raise CompilerAgentError(f"the build failed with status {done.status}: {shlex.join(command)}\n{tail}")


def _behaves(
    group: Sequence[UnitResult],
    command: Sequence[str],
    cwd: Path,
    options: TuneOptions,
    run_command: str,
    timeout_s: float,
    expected: difftest.Behaviour,
) -> bool:
    with tempfile.TemporaryDirectory(prefix="cc-agent-") as directory:
        lock, log = Path(directory) / "cc-agent.lock", Path(directory) / "log.jsonl"
        keep(group, lock, options)
        build(command, cwd, CC_AGENT_MODE="replay", CC_AGENT_LOCK=str(lock), CC_AGENT_LOG=str(log))
        if group and (not log.exists() or b'"replayed"' not in log.read_bytes()):
            raise NotEstablished(
                f"the second run of `{shlex.join(command)}` compiled nothing, so no plan could be tested",
                hint="give a build command that builds everything again, such as `make -B`",
            )
        seen, _ = difftest.observe(run_command, cwd, timeout_s)
        return not expected.difference(seen)


def _take_out(refuted: Sequence[UnitResult], lock: Path) -> None:
    """Removes plans that the test command refuted from a lock that an earlier, untested tune put them into."""
    there = locks.Lock.load(lock).plans
    wrong = [
        result.key
        for result in refuted
        if result.best is not None and result.key in there and there[result.key].plan == str(result.best.plan)
    ]
    if wrong:
        locks.remove(lock, wrong)


def _source_name(record: Record, lock: Path) -> str:
    """The source relative to the lock's directory; a lock is committed, so it names no path of this machine."""
    full = Path(os.path.realpath(Path(record.cwd) / record.source))
    root = Path(os.path.realpath(lock)).parent
    return str(full.relative_to(root)) if full.is_relative_to(root) else full.name
