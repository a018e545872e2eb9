"""`compiler-agent tune` for single translation units: searches on all cores, and the winners go into the lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.progress import Progress
from compiler_agent.app.records import Record, remember
from compiler_agent.app.unit import TuneOptions, UnitResult, tune_unit
from compiler_agent.base import lock as locks
from compiler_agent.base.config import user_cache_directory
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.base.store import Store
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.knowledge import NOTHING, Knowledge


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
    dropped: tuple[str, ...] = ()
    """Sources, as the lock names them, whose plan of an earlier tune was refuted and taken out of the lock."""
    n_untested: int = 0
    """Plans in the lock that this run's test command says nothing about."""
    program_seconds: float = 0.0
    """Time on the clock for builds and runs of the test command."""

    @property
    def verification_share(self) -> float:
        """The part of the tune's work that was verification, 0 to 1: of unit-seconds, and the program's own."""
        verification = sum(result.verification_seconds for result in self.results) + self.program_seconds
        total = sum(result.seconds for result in self.results) + verification
        return verification / total if total else 0.0


def tune_records(
    records: Sequence[Record],
    lock: Path | None,
    options: TuneOptions,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> TuneReport:
    """Tunes translation units on all cores; each winner is in the lock as soon as it is found.

    Ctrl-C ends the searches where they are; what they found is established. Once more, and that ends at the next
    functions. What is established then is kept.

    Args:
        records: The units.
        lock: Where winners go; None: nowhere, the caller decides.
        options: How to search.
        jobs: Units at a time; one per core if None.
        progress: Told of everything, if given.
    """
    if lock is not None:
        locks.check_writable(lock)  # what cannot be kept is said before hours are spent
    if progress is not None:
        progress.expect(len(records))
    toolchain = discover()
    stop = threading.Event()
    interrupts: list[None] = []
    results: dict[int, UnitResult] = {}
    failures: list[tuple[Record, str]] = []
    with Store.open(user_cache_directory()) as store, ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        # Read once: what this run finds on one unit must not change its search on the next.
        uses_knowledge = options.strategy in strategies.USES_KNOWLEDGE
        known = Knowledge.read(store, toolchain.digest, options.objective) if uses_knowledge else NOTHING

        def work(record: Record) -> UnitResult:
            shown = progress.unit(record.source) if progress else None
            try:
                return tune_unit(
                    record,
                    toolchain,
                    options,
                    store,
                    known,
                    on_evaluation=shown.evaluated if shown else lambda evaluation: None,
                    should_stop=stop.is_set,
                    n_interrupts=lambda: len(interrupts),
                    on_function=shown.verified if shown else lambda done, of: None,
                    say=lambda text: progress.say(f"{record.source}: {text}") if progress else None,
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
                                keep([result], lock, options)
                        pending.discard(future)
                except KeyboardInterrupt:  # what has ended, kept or half kept, is collected next time round
                    stop.set()
                    interrupts.append(None)
                    if progress is not None:
                        progress.say("interrupted: what was found is verified; once more leaves that out")
                    pending = {future for future in pending if not future.cancel()}
        except BaseException:  # the lock cannot be written: the other searches end now, not when their budgets do
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return TuneReport(tuple(results[i] for i in sorted(results)), tuple(failures), interrupted=stop.is_set())


def keep(results: Sequence[UnitResult], lock: Path, options: TuneOptions) -> None:
    """Puts the winners into the lock, and their commands into the cache."""
    entries: dict[str, LockEntry] = {}
    for result in results:
        if result.best is not None:
            entries[result.key] = result.lock_entry(source_name(result.record, lock), options, None)
    locks.update(lock, entries)
    remember((result.key, result.record) for result in results)


def source_name(record: Record, lock: Path) -> str:
    """The source relative to the lock's directory; a lock is committed, so it names no path of this machine."""
    full = Path(os.path.realpath(Path(record.cwd) / record.source))
    root = Path(os.path.realpath(lock)).parent
    return str(full.relative_to(root)) if full.is_relative_to(root) else full.name
