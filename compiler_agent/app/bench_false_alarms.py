"""Whether the function tester cries wolf: functions as stock clang optimizes them, which must raise no alarm."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_mutants import configured_units
from compiler_agent.app.bench_mutants_build import argv_of
from compiler_agent.app.bench_mutants_judge import Answer, Reply, Tester
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.journal import Journal, in_parallel
from compiler_agent.base.process import check
from compiler_agent.evaluation.libraries import TranslationUnit

LIBRARIES = ("zlib", "lua", "expat", "bzip2", "lz4", "libpng", "double-conversion")
LEVELS = ("-O1", "-O2", "-O3", "-Os", "-Oz")
TARGET_FUNCTIONS = 500
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the figures depend on."""

    libraries: tuple[str, ...] = LIBRARIES
    """Where the functions come from."""
    levels: tuple[str, ...] = LEVELS
    """Levels that their units are compiled at."""
    n_functions: int = 500
    """Functions to test, at least; each counts once at each level."""
    n_per_unit: int = 6
    """Most that are drawn from a unit, so that large units do not leave the others out."""
    seconds: float = 10.0
    """Of the tester, for each function."""
    seed: int = 0
    """Of the draw and of the inputs."""


def journal_of(settings: Settings, directory: Path, name: str = "false-alarms") -> Journal:
    """The journal of a run of that name."""
    kept = {name: value for name, value in asdict(settings).items() if name != "n_functions"}
    return Journal(directory.absolute() / f"{name}.jsonl", kept)


def run(settings: Settings, directory: Path, journal: Journal, tester: Tester, jobs: int) -> None:
    """Tests the units that the journal does not have yet.

    Raises:
        CompilerAgentError: Libraries or compiler could not be used at all.
    """
    directory = directory.absolute()
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
            functions = _draw(tester.prepare(argv, unit.directory), unit, settings)
            if functions:
                answers = tester.test(
                    argv, unit.directory, path, functions, seconds=settings.seconds, seed=settings.seed
                )
        except CompilerAgentError as failure:
            error = str(failure)
        finally:
            path.unlink()
        for function, tested in answers.items():
            journal.note(
                "function", f"{key} {function}", unit=unit.name, function=function, library=unit.library,
                part=unit.part.value, level=level, answer=tested.answer.value, reason=tested.reason,
                coverage=tested.coverage, n_inputs=tested.n_inputs, seconds=tested.seconds,
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


def _draw(functions: Sequence[str], unit: TranslationUnit, settings: Settings) -> list[str]:
    """The functions of a unit that are tested: the same at all levels."""
    found = sorted(name for name in functions if name != "main")
    random.Random(f"{unit.name} {settings.seed}").shuffle(found)
    return found[: settings.n_per_unit]


def _work(units: list[TranslationUnit], levels: tuple[str, ...]) -> Iterator[tuple[TranslationUnit, str]]:
    """A unit of each library in turn, so that each beginning has all libraries; each at all levels, which share much.

    Pairs of units take turns, so that two workers do not build one reference twice.
    """
    queues: dict[str, list[TranslationUnit]] = {}
    for unit in units:
        queues.setdefault(unit.library, []).append(unit)
    longest = max(map(len, queues.values()), default=0)
    in_turn = [queue[i] for i in range(longest) for queue in queues.values() if i < len(queue)]
    for first in range(0, len(in_turn), 2):
        for level in levels:
            for unit in in_turn[first : first + 2]:
                yield unit, level


def render(journal: Journal, console: Console) -> int:
    """Prints the tables; returns the number of alarms."""
    rows = [row for _, row in journal.rows("function")]
    for title in ("library", "level"):
        table = Table(title=f"unmutated functions by {title}")
        table.add_column(title)
        for name in ("tested", "distinct", "not established", "alarms", "median coverage"):
            table.add_column(name, justify="right")
        for name in (*sorted({row[title] for row in rows}), "all"):
            chosen = [row for row in rows if name == "all" or row[title] == name]
            count = Counter(row["answer"] for row in chosen)
            covered = sorted(row["coverage"] for row in chosen if row["coverage"] >= 0)
            median = f"{100 * covered[len(covered) // 2]:.0f}%" if covered else "-"
            alarms = count[Answer.ALARM.value]
            table.add_row(
                name, str(count[Answer.PASSED.value] + alarms), str(len(_distinct(chosen))),
                str(count[Answer.NOT_ESTABLISHED.value]), str(alarms), median,
            )  # fmt: skip
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
    tested = [row for row in rows if row["answer"] != Answer.NOT_ESTABLISHED.value]
    console.print(
        f"{len(raised)} alarms on {len(tested)} functions that were tested, each at each level counted once; "
        f"{len(_distinct(rows))} distinct ones, of {len({row['library'] for row in tested})} libraries"
    )
    return len(raised)


def misses(journal: Journal) -> list[str]:
    """The targets that were missed, as sentences."""
    rows = [row for _, row in journal.rows("function") if row["answer"] != Answer.NOT_ESTABLISHED.value]
    n_alarms = sum(row["answer"] == Answer.ALARM.value for row in rows)
    found = [f"{n_alarms} alarms on functions that stock clang compiled, the target is none"] if n_alarms else []
    if len(rows) < TARGET_FUNCTIONS:
        found.append(f"{len(rows)} functions were tested, the target is {TARGET_FUNCTIONS}")
    return found


def _distinct(rows: list[dict[str, object]]) -> set[tuple[object, object]]:
    """Functions that were tested at some level."""
    return {(row["unit"], row["function"]) for row in rows if row["answer"] != Answer.NOT_ESTABLISHED.value}
