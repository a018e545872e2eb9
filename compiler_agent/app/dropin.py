"""`compiler-agent bench drop-in`: real libraries build with `CC=cc-agent`, replay plans, and pass their own tests.

Each library is built and tested by plain clang -Oz; built again by cc-agent, which notes what is compiled; its units
are searched with a small budget; then it is built a third time from the lock alone, and its own tests run on that.
All of it happens below a directory with spaces in its name, unless plain clang's build of the library refuses them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from compiler_agent.app import tune
from compiler_agent.app.library_agent import agent_compiler, record_library
from compiler_agent.app.library_judge import Outcome, Replay, Result, build_and_test
from compiler_agent.app.records import read_records
from compiler_agent.app.unit import TuneOptions
from compiler_agent.app.verification import SIZES_ONLY
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.lock import Lock
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import libraries as catalog
from compiler_agent.evaluation.libraries import Library
from compiler_agent.evaluation.library_build import plain_compiler
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies

_SPACED = "a path with spaces"
DEFAULT_BUDGET = 12
"""Evaluations per unit: the stock plan and the seed plans. The point is that plans are replayed, not how good."""

Tuner = Callable[[Library, Path, Path], tuple[str, ...]]
"""Searches plans for a library's compilations in a record file (first path) and puts them into a lock (second path);
returns what could not be searched, in words."""


@dataclass(frozen=True, slots=True)
class DropIn:
    """One library, with plain clang and with cc-agent."""

    library: Library
    """The library."""
    spaces: bool
    """Built in a directory with spaces in its name; False: plain clang's build refused that."""
    plain: Result
    """With clang -Oz."""
    agent: Result | None
    """From the lock; None: it did not come so far."""
    n_plans: int
    """Plans in the lock."""
    tune_time_s: float
    """The search on the clock."""
    problems: tuple[str, ...]
    """What is not as promised, in words; empty: it is a drop-in."""

    @property
    def not_run(self) -> bool:
        """Nothing is shown: plain clang does not get through, or the library could not be fetched."""
        return self.plain.outcome is not Outcome.PASSED

    @property
    def size_ratio(self) -> float | None:
        """Executable bytes of the library, clang -Oz ÷ cc-agent."""
        if self.agent is None or not self.agent.text_bytes or self.plain.text_bytes is None:
            return None
        return self.plain.text_bytes / self.agent.text_bytes


def drop_in(library: Library, place: Path, tuner: Tuner, *, jobs: int = 2) -> DropIn:
    """Does the whole with one library.

    Args:
        library: The library.
        place: A directory that exists and has nothing of that library.
        tuner: Searches the plans.
        jobs: Programs that the build may run at once.
    """
    compiler = plain_compiler(discover())
    spaces, here = True, place / _SPACED / library.name
    plain = build_and_test(library, here / "plain", compiler, jobs=jobs)
    if plain.outcome in (Outcome.BUILD_FAILED, Outcome.TESTS_FAILED):
        spaces, here = False, place / library.name
        plain = build_and_test(library, here / "plain", compiler, jobs=jobs)
    if plain.outcome is not Outcome.PASSED:
        return DropIn(library, spaces, plain, None, 0, 0.0, (f"plain clang: {plain.outcome.value}: {plain.message}",))
    records, lock = here / "record.jsonl", here / "cc-agent.lock"
    started_s = time.monotonic()
    try:
        record_library(library, here / "record", records, lock, jobs=jobs)
        started_s = time.monotonic()
        failures = tuner(library, records, lock)
    except CompilerAgentError as error:
        return DropIn(library, spaces, plain, None, 0, time.monotonic() - started_s, (str(error),))
    tune_time_s = time.monotonic() - started_s
    agent = build_and_test(library, here / "agent", agent_compiler("replay", records, lock), jobs=jobs)
    keys = frozenset(Lock.load(lock).plans)
    problems = (*failures, *shortcomings(plain, agent, keys))
    return DropIn(library, spaces, plain, agent, len(keys), tune_time_s, problems)


def shortcomings(plain: Result, agent: Result, keys: frozenset[str]) -> list[str]:
    """What is not as promised of the build from the lock, in words.

    Args:
        plain: With clang -Oz.
        agent: From the lock.
        keys: The lock's keys, all found while the same build was recorded in another directory.
    """
    if agent.outcome is not Outcome.PASSED:
        return [f"with cc-agent: {agent.outcome.value}: {agent.message}"]
    replay = agent.replay or Replay()
    found = [*replay.surprises, *(agent.test_replay or Replay()).surprises]
    if replay.n_errors:
        found.append(f"the plugin reported an error for {replay.n_errors} units")
    if not keys:
        found.append("the search found no plan, so none was replayed")
    if unused := keys - replay.keys:
        found.append(f"{len(unused)} of {len(keys)} plans were not replayed in the same build elsewhere")
    if agent.n_objects != plain.n_objects:
        found.append(f"{agent.n_objects} objects, and plain clang's build has {plain.n_objects}")
    if (agent.text_bytes or 0) > (plain.text_bytes or 0):
        found.append(f"{agent.text_bytes} bytes are more than plain clang's {plain.text_bytes}")
    return found


def searching(budget: Budget, strategy: str, jobs: int) -> Tuner:
    """The real search; a library that allows fewer evaluations gets fewer."""

    def search(library: Library, records: Path, lock: Path) -> tuple[str, ...]:
        most = library.evaluations
        own = budget
        if most is not None and (budget.n_evaluations is None or budget.n_evaluations > most):
            own = Budget(n_evaluations=most)
        # A makefile may write a source, ask the compiler about it and remove it, as zstd's do; that is no unit.
        there = [record for record in read_records(records) if Path(record.cwd, record.source).is_file()]
        wanted = [record for record in there if record.objective == "size"]
        report = tune.tune_records(wanted, lock, TuneOptions(own, strategy=strategy, demands=SIZES_ONLY), jobs=jobs)
        return tuple(f"{record.source} was not searched: {why}" for record, why in report.failures)

    return search


def exit_status(rows: Sequence[DropIn]) -> int:
    """0: every library is as promised; 1: one is not; 3: one could not be run, and the others are."""
    if any(row.problems and not row.not_run for row in rows):
        return 1
    return 3 if any(row.not_run for row in rows) else 0


_HEAD = (
    *("library", "version", "system", "spaces", "TUs", "hits", "misses", "in tests"),
    *("clang -Oz", "cc-agent", "ratio", "tune s", "tests clang", "tests cc-agent"),
)
_LEFT = {0, 1, 2, 3, 12, 13}


def table(rows: Sequence[DropIn]) -> str:
    """The results as text; below it, what is not as promised."""
    cells = [list(_HEAD), *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            cell.ljust(width) if i in _LEFT else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    lines += [f"{row.library.name}: {problem}" for row in rows for problem in row.problems]
    n_good = sum(not row.problems for row in rows)
    lines.append(f"{n_good} of {len(rows)} libraries build from the lock and pass their own tests")
    return "\n".join(lines)


def _cells(row: DropIn) -> list[str]:
    agent, plain = row.agent, row.plain
    replay = agent.replay if agent is not None else None
    tested = agent.test_replay if agent is not None else None
    return [
        row.library.name,
        row.library.version,
        row.library.system,
        "yes" if row.spaces else "no",
        *(["-"] * 3 if replay is None else [str(replay.n_units), str(replay.n_hits), str(replay.n_misses)]),
        "-" if tested is None else f"{tested.n_hits} of {tested.n_units}",
        *(
            "-" if result is None or result.text_bytes is None else f"{result.text_bytes:,}"
            for result in (plain, agent)
        ),
        "-" if row.size_ratio is None else f"{row.size_ratio:.3f}",
        f"{row.tune_time_s:.0f}",
        plain.outcome.value,
        "-" if agent is None else agent.outcome.value,
    ]


@click.command(name="dropin")
@click.option("--library", "names", multiple=True, metavar="NAME", help="Only this library; may be repeated.")
@click.option(
    "--budget", default=str(DEFAULT_BUDGET), show_default=True, help="Of the search, per unit: evaluations, or a time."
)
@click.option("--strategy", type=click.Choice(strategies.NAMES), default="evolve", show_default=True)
@click.option(
    "--jobs", default=2, show_default=True, type=click.IntRange(1), help="As in make -j, and units at a time."
)
@click.option("--keep", type=click.Path(path_type=Path), help="Build below this directory, and leave everything there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(names: tuple[str, ...], budget: str, strategy: str, jobs: int, keep: Path | None, as_json: bool) -> None:
    """Builds real libraries with clang -Oz and from a lock with cc-agent, and runs their own tests on both.

    In the table, "TUs" are the units of the build that cc-agent saw, "hits" those that replayed a plan, "misses" those
    for which the search found nothing better; "in tests" are hits among what the tests compile themselves.

    Exit status: 0 all is as promised, 1 something is not, 2 usage, 3 a library could not be run.
    """
    rows: list[DropIn] = []
    try:
        wanted = catalog.select(catalog.load(), names)
        tuner = searching(Budget.parse(budget), strategy, jobs)
        with ScratchDirectory(prefix="cc-agent-dropin-") as scratch:
            for library in wanted:
                click.echo(f"{library.name} {library.version} ...", err=True)
                # With --keep a former run may have left something of that name.
                parent = (keep or Path(scratch)).absolute()
                parent.mkdir(parents=True, exist_ok=True)
                place = Path(tempfile.mkdtemp(prefix=f"{library.name}-", dir=parent))
                rows.append(drop_in(library, place, tuner, jobs=jobs))
                for problem in rows[-1].problems:
                    click.echo(f"{library.name}: {problem}", err=True)
    except CompilerAgentError as error:
        click.echo(f"dropin: {error}", err=True)
        sys.exit(error.exit_code)
    click.echo(json.dumps([_as_json(row) for row in rows], indent=2) if as_json else table(rows))
    sys.exit(exit_status(rows))


def _as_json(row: DropIn) -> dict[str, object]:
    return {
        "library": row.library.name,
        "version": row.library.version,
        "system": row.library.system,
        "spaces": row.spaces,
        "n_plans": row.n_plans,
        "tune_time_s": round(row.tune_time_s, 1),
        "size_ratio": row.size_ratio,
        "problems": list(row.problems),
        "plain": _result_as_json(row.plain),
        "agent": None if row.agent is None else _result_as_json(row.agent),
    }


def _result_as_json(result: Result) -> dict[str, object]:
    def counts(replay: Replay | None) -> dict[str, int] | None:
        if replay is None:
            return None
        return {"n_units": replay.n_units, "n_hits": replay.n_hits, "n_misses": replay.n_misses}

    return {
        "outcome": result.outcome.value,
        "text_bytes": result.text_bytes,
        "n_objects": result.n_objects,
        "build_time_s": round(result.build_time_s, 1),
        "build_cpu_time_s": round(result.build_cpu_time_s, 1),
        "test_time_s": round(result.test_time_s, 1),
        "tests": result.tests,
        "replay": counts(result.replay),
        "test_replay": counts(result.test_replay),
    }


if __name__ == "__main__":
    command()
