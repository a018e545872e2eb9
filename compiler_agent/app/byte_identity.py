"""Shows that cc-agent changes nothing by itself: `python -m compiler_agent.app.byte_identity`.

Each translation unit of the chosen libraries is compiled at each level with several sets of flags by plain clang, by
cc-agent without a plan, and by cc-agent with the plan that names the stock pipeline of that level. All three objects
must be equal byte for byte. Exit status: 0 they are, 1 some differ, could not be compared, or are still to do.

The sets of flags are a fractional factorial design: each unit sees each pair of the flags in all four states at each
level, and the units take turns between the two halves of the design, so that each library of two units or more sees
all eight combinations at each level.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.byte_comparison import STOCK_PIPELINES, Comparison, Kind, compare
from compiler_agent.base.config import native_directory
from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import libraries, library_build
from compiler_agent.evaluation.libraries import TranslationUnit
from compiler_agent.llvm.toolchain import Toolchain, discover

FLAGS = ("-g", "-fPIC", "-ffunction-sections")
FLAG_SETS = (
    ((), ("-g", "-fPIC"), ("-g", "-ffunction-sections"), ("-fPIC", "-ffunction-sections")),
    (("-g",), ("-fPIC",), ("-ffunction-sections",), FLAGS),
)
"""The two halves of the design: what is added to a unit's own flags."""
DEFAULT_LIBRARIES = (
    *("zlib", "lz4", "lua", "bzip2", "expat"),
    *("pugixml", "jsoncpp", "tinyxml2", "double-conversion"),
)
_COLUMNS = ("library", "language", "units", "combinations", "objects compared", *(kind.value for kind in Kind))


@dataclass(frozen=True, slots=True)
class Case:
    """One combination that is to be compared."""

    unit: TranslationUnit
    """The unit."""
    level: str
    """-O0 to -Oz."""
    flags: tuple[str, ...]
    """More flags."""

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """What the state knows it by."""
        return self.unit.name, self.level, self.flags


class State:
    """What has been compared already, in a file that grows by whole lines; safe for threads.

    What another build of the native component or another clang gave does not count.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._component = _component()
        self._turn = threading.Lock()
        self.done: dict[tuple[str, str, tuple[str, ...]], Comparison] = {}
        """What was compared, by `Case.key`."""
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # cut short when a run was killed: that combination is compared again
            if row["component"] == self._component:
                self._keep(
                    Comparison(row["unit"], row["level"], tuple(row["flags"]), Kind(row["kind"]), row["problem"])
                )

    def add(self, row: Comparison) -> None:
        """Remembers one comparison."""
        text = {"component": self._component, **_as_json(row)}
        with self._turn, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(text) + "\n")
            self._keep(row)

    def _keep(self, row: Comparison) -> None:
        self.done[row.unit, row.level, row.flags] = row


def plan_cases(units: Sequence[TranslationUnit], levels: Sequence[str]) -> list[Case]:
    """All combinations, the libraries in turns, so that a run that is cut short has seen all of them."""
    numbered = enumerate(units)
    own = [
        [Case(unit, level, flags) for level in levels for flags in FLAG_SETS[number % 2]] for number, unit in numbered
    ]
    by_library = [
        list(group) for _, group in itertools.groupby(own, key=lambda cases: cases[0].unit.library if cases else "")
    ]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*by_library))
    return [case for cases in turns if cases is not None for case in cases]


def run(cases: Sequence[Case], state: State, jobs: int | None = None, seconds: float | None = None) -> None:
    """Compares what the state does not have yet; progress on stderr.

    Args:
        cases: The combinations.
        state: Where the outcomes go.
        jobs: Units at a time; one per core if None.
        seconds: Nothing new is begun after so long on the clock; None: all is done.
    """
    toolchain = discover()
    deadline = None if seconds is None else time.monotonic() + seconds
    todo = [list(group) for _, group in itertools.groupby(cases, key=lambda case: case.unit)]
    shown = itertools.count(1)

    def work(cases: list[Case]) -> None:
        with ScratchDirectory(prefix="cc-agent-identity-") as directory:
            for case in cases:
                if case.key not in state.done and (deadline is None or time.monotonic() < deadline):
                    state.add(_compare(case, toolchain, Path(directory)))
        rows = [state.done[case.key] for case in cases if case.key in state.done]
        n_equal = sum(row.identical for row in rows)
        words = f"{cases[0].unit.name}: {n_equal} of {len(rows)} equal, {len(cases) - len(rows)} to do"
        print(f"[{next(shown)}/{len(todo)}] {words}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        list(pool.map(work, todo))


def configured_units(names: Iterable[str], place: Path, limit: int | None = None) -> list[TranslationUnit]:
    """Configures libraries below a directory, where that was not done before, and lists their units."""
    toolchain = discover()
    compiler = library_build.Compiler(str(toolchain.clang), str(toolchain.clangxx), "-Oz")
    found: list[TranslationUnit] = []
    for library in libraries.select(libraries.load(), names):
        directory, stamp = place / library.name, place / f"{library.name}.configured"
        if stamp.is_file() and stamp.read_text() == library.sha256:
            units = libraries.translation_units(library, directory)
        else:
            if directory.exists():
                raise UsageError(f"{directory} is there and was not configured", hint="remove it, and start again")
            units = library_build.configured_units(library, directory, compiler)
            stamp.write_text(library.sha256)
        found += units if limit is None else units[:limit]
    return found


def summary(cases: Sequence[Case], state: State) -> str:
    """A table that a person can read: one line for each library, and their sum."""
    rows = [list(_COLUMNS)]
    totals: Counter[str] = Counter()
    grouped = itertools.groupby(sorted(cases, key=lambda case: case.unit.library), key=lambda case: case.unit.library)
    for library, group in grouped:
        cells, language = _figures(list(group), state)
        totals.update(cells)
        rows.append([library, language, *(str(cells[column]) for column in _COLUMNS[2:])])
    rows.append([f"{len(rows) - 1} libraries", "", *(str(totals[column]) for column in _COLUMNS[2:])])
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = [
        "  ".join(cell.ljust(width) if i < 2 else cell.rjust(width) for i, (cell, width) in enumerate(pairs)).rstrip()
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    n_missing = sum(case.key not in state.done for case in cases)
    return "\n".join(lines + ([f"{n_missing} combinations are still to do"] if n_missing else []))


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what differs, one line each, and the figures."""
    parser = argparse.ArgumentParser(prog="compiler_agent.app.byte_identity", description=__doc__)
    parser.add_argument("--library", action="append", help=f"default: {', '.join(DEFAULT_LIBRARIES)}")
    parser.add_argument("--level", action="append", choices=list(STOCK_PIPELINES), help="default: all")
    parser.add_argument("--units", type=int, help="at most so many units of each library")
    parser.add_argument("--jobs", type=int, help="units at a time; default: one per core")
    parser.add_argument("--state", type=Path, help="a directory; a run that finds one there goes on where it ended")
    parser.add_argument("--seconds", type=float, help="begin nothing new after so long; the state keeps what is done")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.seconds is not None and given.state is None:
        parser.error("--seconds without --state would forget what was done")
    try:
        with ScratchDirectory(prefix="cc-agent-identity-") as scratch:
            place = (given.state or Path(scratch)).absolute()
            place.mkdir(parents=True, exist_ok=True)
            units = configured_units(given.library or DEFAULT_LIBRARIES, place, given.units)
            state = State(place / "comparisons.jsonl")
            cases = plan_cases(units, given.level or list(STOCK_PIPELINES))
            run(cases, state, given.jobs, given.seconds)
    except CompilerAgentError as error:
        print(f"byte_identity: {error}", file=sys.stderr)
        return error.exit_code
    rows = [state.done[case.key] for case in cases if case.key in state.done]
    different = [row for row in rows if not row.identical]
    if given.json:
        figures = {
            "n_units": len(units),
            "n_libraries": len({unit.library for unit in units}),
            "n_combinations": len(cases),
            "n_compared": len(rows),
            "n_equal": len(rows) - len(different),
            "different": [_as_json(row) for row in different],
        }
        print(json.dumps(figures, indent=2))
    else:
        for row in different:
            print(f"{' '.join((row.unit, row.level, *row.flags))}: {row.kind.value}: {row.problem}")
        print(summary(cases, state))
    return 1 if different or len(rows) < len(cases) or not rows else 0


def _compare(case: Case, toolchain: Toolchain, directory: Path) -> Comparison:
    unit = case.unit
    clang = toolchain.clangxx if unit.language == "c++" else toolchain.clang
    return compare(unit.name, [str(clang), *unit.argv], unit.directory, case.level, case.flags, directory)


def _figures(cases: Sequence[Case], state: State) -> tuple[Counter[str], str]:
    rows = [state.done[case.key] for case in cases if case.key in state.done]
    cells = Counter(row.kind.value for row in rows)
    cells["units"] = len({case.unit.name for case in cases})
    cells["combinations"] = len(rows)
    # With each combination's reference two objects are compared: without a plan and with the stock plan.
    cells["objects compared"] = 2 * sum(row.kind is not Kind.NOT_COMPARED for row in rows)
    return cells, cases[0].unit.language


def _as_json(row: Comparison) -> dict[str, object]:
    return {
        "unit": row.unit,
        "level": row.level,
        "flags": list(row.flags),
        "kind": row.kind.value,
        "problem": row.problem,
    }


def _component() -> str:
    """A digest of what is compared: the native component and clang."""
    digest = hashlib.sha256(discover().digest.encode())
    for path in ("bin/cc-agent", "lib/cc-agent.so"):
        digest.update(hashlib.sha256((native_directory() / path).read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
