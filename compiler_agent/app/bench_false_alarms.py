"""Whether the function tester cries wolf: functions as stock clang optimizes them, which must raise no alarm."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_journal import Journal, in_parallel
from compiler_agent.app.bench_mutants import configured_units
from compiler_agent.app.bench_mutants_build import argv_of
from compiler_agent.app.bench_mutants_judge import Answer, Reply, Tester
from compiler_agent.app.libraries import TranslationUnit
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.process import check

LIBRARIES = ("zlib", "lua", "expat", "bzip2", "lz4", "libpng")
LEVELS = ("-O1", "-O2", "-O3", "-Os", "-Oz")
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the figures depend on."""

    libraries: tuple[str, ...] = LIBRARIES
    """Where the functions come from."""
    levels: tuple[str, ...] = LEVELS
    """Levels, taken in turn by the units."""
    n_functions: int = 500
    """Functions to test, at least: units are tested whole."""
    seconds: float = 10.0
    """Of the tester, for each function."""
    seed: int = 0
    """Of the inputs."""


def run(settings: Settings, directory: Path, tester: Tester, jobs: int) -> Journal:
    """Tests the units that the journal does not have yet; returns the journal.

    Raises:
        CompilerAgentError: Libraries or compiler could not be used at all.
    """
    directory = directory.absolute()
    kept = {name: value for name, value in asdict(settings).items() if name != "n_functions"}
    journal = Journal(directory / "journal.jsonl", kept)
    work = _work(configured_units(settings.libraries, directory / "sources"), settings.levels)

    def test(job: tuple[TranslationUnit, str]) -> int:
        unit, level = job
        key = f"{unit.name} {level}"
        done = journal.get("unit", key)
        if done is not None:
            return int(done["n_tested"])
        argv = argv_of(unit, level)
        path = directory / "objects" / f"{key.replace('/', '.').replace(' ', '')}.o"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(check(argv, cwd=unit.directory, timeout_s=_TIMEOUT_S).stdout)
        started_s = time.monotonic()
        answers: dict[str, Reply] = {}
        error = ""
        try:
            answers = tester.test(argv, unit.directory, path, (), seconds=settings.seconds, seed=settings.seed)
        except CompilerAgentError as failure:
            error = str(failure)
        finally:
            path.unlink()
        for function, tested in answers.items():
            journal.note(
                "function", f"{key} {function}", library=unit.library, part=unit.part.value, level=level,
                answer=tested.answer.value, reason=tested.reason, coverage=tested.coverage,
                n_inputs=tested.n_inputs, seconds=tested.seconds,
            )  # fmt: skip
        n_tested = sum(tested.answer is not Answer.NOT_ESTABLISHED for tested in answers.values())
        journal.note("unit", key, n_tested=n_tested, error=error, seconds=time.monotonic() - started_s)
        return n_tested

    n_tested = 0
    for (unit, level), future in in_parallel(work, test, jobs):
        n_tested += future.result()
        print(f"[{n_tested} of {settings.n_functions}] {unit.name} {level}", file=sys.stderr, flush=True)
        if n_tested >= settings.n_functions:
            break
    return journal


def _work(units: list[TranslationUnit], levels: tuple[str, ...]) -> Iterator[tuple[TranslationUnit, str]]:
    """Every unit at one level, then every unit at the next, so that each beginning has all libraries and levels."""
    queues: dict[str, list[TranslationUnit]] = {}
    for unit in units:
        queues.setdefault(unit.library, []).append(unit)
    longest = max(map(len, queues.values()), default=0)
    in_turn = [queue[i] for i in range(longest) for queue in queues.values() if i < len(queue)]
    for turn in range(len(levels)):
        for number, unit in enumerate(in_turn):
            yield unit, levels[(number + turn) % len(levels)]


def render(journal: Journal, console: Console) -> int:
    """Prints the tables; returns the number of alarms."""
    rows = [row for _, row in journal.rows("function")]
    for title in ("library", "level"):
        table = Table(title=f"unmutated functions by {title}")
        table.add_column(title)
        for name in ("tested", "not established", "alarms", "median coverage"):
            table.add_column(name, justify="right")
        for name in (*sorted({row[title] for row in rows}), "all"):
            chosen = [row for row in rows if name == "all" or row[title] == name]
            count = Counter(row["answer"] for row in chosen)
            covered = sorted(row["coverage"] for row in chosen if row["coverage"] >= 0)
            median = f"{100 * covered[len(covered) // 2]:.0f}%" if covered else "-"
            alarms = count[Answer.ALARM.value]
            table.add_row(
                name, str(count[Answer.PASSED.value]), str(count[Answer.NOT_ESTABLISHED.value]), str(alarms), median
            )
        console.print(table)
    reasons = Counter(row["reason"] for row in rows if row["answer"] == Answer.NOT_ESTABLISHED.value)
    for reason, number in reasons.most_common():
        console.print(f"not established, {number}: {reason}", highlight=False)
    for key, row in journal.rows("unit"):
        if row["error"]:
            console.print(f"unit not tested: {key}: {row['error']}", highlight=False)
    raised = [(key, row) for key, row in journal.rows("function") if row["answer"] == Answer.ALARM.value]
    for key, row in raised:
        console.print(f"FALSE ALARM: {key}: {row['reason']}", highlight=False)
    console.print(f"{len(raised)} alarms on {len(rows)} functions")
    return len(raised)
