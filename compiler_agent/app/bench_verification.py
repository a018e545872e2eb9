"""What verification costs and shows: the units of real libraries are tuned by `compiler-agent tune`, each from nothing.

Per unit there is one process with a cache of its own, so that what verification builds once per unit is paid for here,
and so that an interrupt loses one unit.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_mutants import configured_units
from compiler_agent.app.bench_size import serving_argv
from compiler_agent.app.records import Record
from compiler_agent.base.config import child_environment
from compiler_agent.base.journal import Journal, in_parallel
from compiler_agent.base.process import run as run_program
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.base.trust import DEFAULT_TEST_COVERAGE, DEFAULT_TEST_SECONDS, Strength, Trust
from compiler_agent.evaluation.libraries import TranslationUnit
from compiler_agent.llvm.toolchain import discover

LIBRARIES = ("zlib", "lua", "expat", "bzip2", "lz4", "zstd", "libpng", "jsoncpp")
_UNIT_TIMEOUT_S = 2 * 3600.0
_NUMBERS = re.compile(r"\d+")
_MOST_REASONS = 12
_COLUMNS = ("library", "units", "kept", "smaller", "tuning s", "verification s", "share")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the figures depend on."""

    budget: str = "20"
    """Of the search, for each unit."""
    trust: str = Trust.TESTED.value
    """What a plan needs to be kept."""
    test_seconds: float = DEFAULT_TEST_SECONDS
    """For the test, or the proof, of one function."""
    test_coverage: float = DEFAULT_TEST_COVERAGE
    """The share of its edges that a function's test must reach."""
    seed: int = 0
    """Of searches and tests."""
    jobs: int = 2
    """Units at a time: they share the machine, and times are on the clock."""


@dataclass(frozen=True, slots=True)
class Row:
    """One library's figures, or all libraries' together."""

    name: str
    """The library."""
    n_units: int
    """Units that were tuned."""
    n_kept: int
    """Of them, those whose plan may be kept."""
    n_better: int
    """Of them, those for which a smaller object was found, kept or not."""
    tuning_s: float
    """Search and verification of all units, in seconds on the clock."""
    verification_s: float
    """Verification alone."""
    functions: Mapping[str, int]
    """By strength: functions of the plans that are kept, or, where none is, of the best that nothing refutes."""
    n_refuted: int
    """Functions that a plan that was tried was shown to break."""

    @property
    def share(self) -> float:
        """The part of the time that verification took, 0 to 1."""
        return self.verification_s / self.tuning_s if self.tuning_s else 0.0


def run(settings: Settings, names: Sequence[str], directory: Path) -> Journal:
    """Tunes the units that the journal does not have yet, progress on stderr; returns the journal.

    Raises:
        CompilerAgentError: A library cannot be fetched or configured, or the journal is of other settings.
    """
    directory = directory.absolute()
    journal = Journal(directory / "journal.jsonl", {**asdict(settings), "llvm": discover().version})
    units = configured_units(names, directory / "sources")
    todo = [unit for unit in units if journal.get("unit", unit.name) is None]
    done = len(units) - len(todo)
    for unit, future in in_parallel(todo, lambda unit: tune(unit, settings, directory), settings.jobs):
        row = future.result()
        journal.note("unit", unit.name, library=unit.library, **row)
        done += 1
        words = row["error"] or f"{row['verdict']}, {row['search_s']:.0f} s + {row['verification_s']:.0f} s"
        print(f"[{done}/{len(units)}] {unit.name}: {words}", file=sys.stderr, flush=True)
    return journal


def tune(unit: TranslationUnit, settings: Settings, directory: Path) -> dict[str, Any]:
    """What `compiler-agent tune` says of one unit, with an empty cache."""
    record = Record(str(unit.directory), unit.argv[-1], "size", tuple(serving_argv(unit)))
    with ScratchDirectory(dir=directory, prefix="unit-") as scratch:
        records = Path(scratch) / "record.jsonl"
        records.write_text(json.dumps(record.to_json()) + "\n")
        words: list[str | Path] = [sys.executable, "-m", "compiler_agent.app.cli", "tune", "--json", "--jobs", "1"]
        words += ["--records", records, "--lock", directory / f"{unit.library}.lock"]
        words += ["--budget", settings.budget, "--seed", str(settings.seed), "--trust", settings.trust]
        words += ["--test-seconds", f"{settings.test_seconds:g}", "--test-coverage", f"{settings.test_coverage:g}"]
        done = run_program(
            words, env=child_environment(CC_AGENT_CACHE=f"{scratch}/cache", TMPDIR=scratch), timeout_s=_UNIT_TIMEOUT_S
        )
    try:
        answer = json.loads(done.stdout)
        failures = [why for _, why in answer["failures"]]
        (row,) = answer["units"] or [None]
    except (ValueError, KeyError, TypeError):
        failures, row = [done.stderr[-300:].decode(errors="replace").strip() or f"status {done.status}"], None
    if row is None:
        return {"error": "; ".join(failures) or "no answer", "verdict": ""}
    return {
        "error": "",
        "verdict": row["verdict"],
        "baseline": row["baseline"],
        "value": row["value"],
        "search_s": row["seconds"],
        "verification_s": row["verification_seconds"],
        "n_evaluations": row["n_evaluations"],
        "better": row["verdict"] == "established" or bool(row["refused"]),
        "functions": Counter(one["strength"] for one in row["shown"].values()),
        "reasons": Counter(_kind(one["reason"]) for one in row["shown"].values() if one["reason"]),
        "refuted_functions": row["refuted_functions"],
    }


def rows_of(journal: Journal) -> list[Row]:
    """The figures by library, in the order of the journal, and last those of all."""
    units = [row for _, row in journal.rows("unit") if not row["error"]]
    names = list(dict.fromkeys(row["library"] for row in units))
    return [_sum(name, [row for row in units if row["library"] == name]) for name in names] + [_sum("all", units)]


def _sum(name: str, units: Sequence[Mapping[str, Any]]) -> Row:
    functions: Counter[str] = Counter()
    for unit in units:
        functions.update(unit["functions"])
    verification_s = sum(unit["verification_s"] for unit in units)
    return Row(
        name=name,
        n_units=len(units),
        n_kept=sum(unit["verdict"] == "established" for unit in units),
        n_better=sum(unit["better"] for unit in units),
        tuning_s=sum(unit["search_s"] for unit in units) + verification_s,
        verification_s=verification_s,
        functions=functions,
        n_refuted=sum(len(unit["refuted_functions"]) for unit in units),
    )


def _kind(reason: str) -> str:
    """A reason without its numbers, and its first sentence only, so that equal ones are counted together."""
    return _NUMBERS.sub("N", reason.splitlines()[0][:120])


def cells(row: Row) -> list[str]:
    """A row as the tables show it."""
    figures = [str(row.n_units), str(row.n_kept), str(row.n_better), f"{row.tuning_s:.0f}", f"{row.verification_s:.0f}"]
    counts = [str(row.functions.get(strength.value, 0)) for strength in Strength]
    return [row.name, *figures, f"{row.share:.0%}", *counts, str(row.n_refuted)]


def titles() -> list[str]:
    """The columns of the tables."""
    return [*_COLUMNS, *(strength.value.replace("-", " ") for strength in Strength), "refuted"]


def render(journal: Journal, console: Console) -> None:
    """Prints the table, why functions are not established, and the units that could not be tuned."""
    table = Table(title="verification in `compiler-agent tune`")
    for number, title in enumerate(titles()):
        table.add_column(title, justify="right" if number else "left")
    for row in rows_of(journal):
        table.add_row(*cells(row))
    console.print(table)
    for reason, number in _reasons(journal):
        console.print(f"not established, {number}: {reason}", highlight=False, markup=False)
    for name, unit in journal.rows("unit"):
        if unit["error"]:
            console.print(f"not tuned: {name}: {unit['error']}", highlight=False, markup=False)


def to_markdown(journal: Journal, settings: Settings) -> str:
    """The page with the table."""
    lines = [
        "# What verification costs",
        "",
        "Written by `compiler-agent bench verification --page FILE`; do not edit.",
        "",
        f"`compiler-agent tune --budget {settings.budget} --trust {settings.trust} --test-seconds "
        f"{settings.test_seconds:g} --test-coverage {settings.test_coverage:g} --seed {settings.seed}`",
        f"for each unit at `-Oz`, {settings.jobs} at a time, each with an empty cache; LLVM {discover().version}.",
        "Times are sums over units, on the clock. `smaller`: units for which a smaller object was found; `kept`: units",
        "whose plan is established. Functions are those of the plan that is kept, or, where none is, of the best",
        "one that nothing refutes; what a strength means: [plan-lock.md](plan-lock.md). `refuted`: functions that some",
        "plan that was tried was shown to break; such a plan is never kept.",
        "",
        f"| {' | '.join(titles())} |",
        f"|---{'|---:' * (len(titles()) - 1)}|",
        *(f"| {' | '.join(cells(row))} |" for row in rows_of(journal)),
        "",
        "Why functions are not established (N: a number):",
        "",
        *(f"* {number}: {reason}" for reason, number in _reasons(journal)),
    ]
    failed = [f"* {name}: {unit['error'].splitlines()[0]}" for name, unit in journal.rows("unit") if unit["error"]]
    return "\n".join(lines + (["", "Units that could not be tuned:", "", *failed] if failed else [])) + "\n"


def to_json(journal: Journal) -> dict[str, Any]:
    """All figures."""
    rows = [{**asdict(row), "functions": dict(row.functions), "share": row.share} for row in rows_of(journal)]
    return {"libraries": rows, "units": [{"unit": name, **row} for name, row in journal.rows("unit")]}


def _reasons(journal: Journal) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for _, unit in journal.rows("unit"):
        counts.update(unit.get("reasons") or {})
    return counts.most_common(_MOST_REASONS)
