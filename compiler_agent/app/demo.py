"""The promise on one real library: smaller objects than `clang -Oz`, and its own tests pass, from nothing to a table.

Plain clang builds it and runs its tests; cc-agent notes what is compiled; the plans are searched for; cc-agent builds
it again from the lock alone, and the tests run again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from compiler_agent.app.library_agent import agent_compiler, record_library
from compiler_agent.app.library_judge import Outcome, Result, build_and_test
from compiler_agent.base import process
from compiler_agent.base.config import native_file
from compiler_agent.base.errors import CompilerAgentError, ToolError
from compiler_agent.base.lock import Lock
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.libraries import Library, load, select
from compiler_agent.evaluation.library_build import parse_sizes, plain_compiler
from compiler_agent.llvm import toolchain
from compiler_agent.llvm.toolchain import Toolchain

DEFAULT_LIBRARY = "bzip2"
DEFAULT_BUDGET = 30
_JOBS = 2
_OBJECT = re.compile(r"(\S.*?) *(?:\(ex (.*)\))?:")
# The tune ran, and not every source could be searched; what was found is in the lock, and the table shows the rest.
_INCOMPLETE = 1

Tuner = Callable[[Path, Path, int], None]
"""Searches plans for the compilations in a record file (first) and puts them into a lock (second), with so many
evaluations per translation unit (third)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One object file, built both ways."""

    name: str
    """The object's name."""
    plain_text_bytes: int
    """Its executable sections as clang -Oz builds it."""
    agent_text_bytes: int
    """The same from cc-agent."""

    @property
    def size_ratio(self) -> float:
        """Plain ÷ cc-agent; above 1 is smaller. 1 for an object without code."""
        return self.plain_text_bytes / self.agent_text_bytes if self.agent_text_bytes else 1.0


def run_demo(library_name: str = DEFAULT_LIBRARY, budget: int = DEFAULT_BUDGET, *, tune: Tuner | None = None) -> int:
    """Runs the whole demonstration; the table goes to stdout, progress to stderr.

    Args:
        library_name: A name in benchmarks/libraries.toml.
        budget: Evaluations per translation unit.
        tune: Replaces `compiler-agent tune`.

    Returns:
        The exit status: 0 all is as promised, 1 it is not.

    Raises:
        CompilerAgentError: Something could not be run: no network, no LLVM, plain clang does not get through.
    """
    (library,) = select(load(), [library_name])
    with ScratchDirectory(prefix="cc-agent-demo-") as scratch:
        return demonstrate(library, Path(scratch), budget, tune or _tune)


def demonstrate(library: Library, place: Path, budget: int, tune: Tuner) -> int:
    """`run_demo` for a library, in a directory that exists and is empty; returns the exit status."""
    found = toolchain.discover()
    native_file("bin/cc-agent")  # else it is said before anything is fetched
    records, lock = place / "record.jsonl", place / "cc-agent.lock"

    _say(f"1/4 {library.name} {library.version}: clang -Oz, and its own tests")
    plain = build_and_test(library, place / "plain", plain_compiler(found), jobs=_JOBS)
    if plain.outcome is not Outcome.PASSED:
        raise CompilerAgentError(f"plain clang: {plain.outcome.value}\n{plain.message}")
    _say("2/4 cc-agent notes what is compiled")
    record_library(library, place / "record", records, lock, jobs=_JOBS)
    _say(f"3/4 search: {budget} evaluations per source file")
    tune(records, lock, budget)
    _say("4/4 cc-agent -O-agent=size from the lock alone, and the library's own tests")
    agent = build_and_test(library, place / "agent", agent_compiler("replay", records, lock), jobs=_JOBS)
    if agent.outcome is Outcome.NOT_RUN:
        raise CompilerAgentError(agent.message)

    rows: list[Row] = []
    if agent.text_bytes is not None:
        rows = compare(_sizes(library, place / "plain", found), _sizes(library, place / "agent", found))
    render(library, rows, plain, agent, Console())
    problems = broken_promises(rows, agent, n_plans=len(Lock.load(lock).plans))
    for problem in problems:
        _say(f"not as promised: {problem}")
    return 1 if problems else 0


def sizes_by_object(text: str) -> list[tuple[str, int]]:
    """Reads what `llvm-size -A` prints: each object's name and the bytes of its executable sections, in its order."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if header := _OBJECT.fullmatch(line.strip()):
            found.append((header[1], []))
        elif found:
            found[-1][1].append(line)
    return [(name, parse_sizes("\n".join(lines)).text_bytes) for name, lines in found]


def compare(plain: Sequence[tuple[str, int]], agent: Sequence[tuple[str, int]]) -> list[Row]:
    """Puts the objects of both builds beside each other.

    Raises:
        CompilerAgentError: The builds did not make the same objects.
    """
    if [name for name, _ in plain] != [name for name, _ in agent]:
        raise CompilerAgentError(f"the builds made different objects: {dict(plain)} and {dict(agent)}")
    return [Row(name, size, ours) for (name, size), (_, ours) in zip(plain, agent, strict=True)]


def broken_promises(rows: Sequence[Row], agent: Result, *, n_plans: int) -> list[str]:
    """What is not as promised, in sentences; empty if all is."""
    problems = []
    if agent.outcome is not Outcome.PASSED:
        problems.append(f"with cc-agent: {agent.outcome.value}\n{agent.message}")
    for row in rows:
        if row.agent_text_bytes > row.plain_text_bytes:
            problems.append(f"{row.name} is bigger: {row.agent_text_bytes} bytes, clang {row.plain_text_bytes}")
    if n_plans == 0:
        problems.append("the search found no plan")
    elif not (agent.replay and agent.replay.n_hits):
        problems.append(f"{n_plans} plans are in the lock, and none was replayed")
    elif rows and sum(row.agent_text_bytes for row in rows) >= sum(row.plain_text_bytes for row in rows):
        problems.append("the library did not become smaller")
    return problems


def render(library: Library, rows: Sequence[Row], plain: Result, agent: Result, console: Console) -> None:
    """Prints the table."""
    table = Table(title=f"{library.name} {library.version}: bytes of code (.text)", show_footer=True)
    total = Row("all", sum(row.plain_text_bytes for row in rows), sum(row.agent_text_bytes for row in rows))
    table.add_column("object", total.name)
    table.add_column("clang -Oz", f"{total.plain_text_bytes:,}", justify="right")
    table.add_column("cc-agent", f"{total.agent_text_bytes:,}", justify="right")
    table.add_column("clang ÷ cc-agent", f"{total.size_ratio:.3f}", justify="right")
    for row in rows:
        table.add_row(row.name, f"{row.plain_text_bytes:,}", f"{row.agent_text_bytes:,}", f"{row.size_ratio:.3f}")
    console.print(table)
    if agent.replay is not None:
        console.print(f"compilations that replayed a plan: {agent.replay.n_hits} of {agent.replay.n_units}")
    console.print(f"the library's own tests ({library.tests}):", highlight=False, soft_wrap=True)
    console.print(f"  clang -Oz: {plain.outcome.value}; cc-agent: {agent.outcome.value}", highlight=False)


def _tune(records: Path, lock: Path, budget: int) -> None:
    """Runs `compiler-agent tune` in a process of its own; all it prints is progress here, so it goes to stderr."""
    # -P: a random.py in the directory that this is called from must not become Python's.
    command = [sys.executable, "-P", "-m", "compiler_agent.app.cli", "tune"]
    command += ["--records", str(records), "--lock", str(lock), "--budget", str(budget)]
    # The library's own tests, which follow, are the program's test: what cannot be tested alone is no obstacle.
    command += ["--trust", "production", "--test-seconds", "0.5"]
    child = process.start(command, stdout=2)
    try:
        status = child.wait()
    finally:
        process.stop(child)
    if status not in (0, _INCOMPLETE):
        raise ToolError(command, status)


def _sizes(library: Library, directory: Path, found: Toolchain) -> list[tuple[str, int]]:
    answer = process.check([found.llvm_size, "-A", *library.artifacts], cwd=directory, timeout_s=60)
    return sizes_by_object(answer.stdout.decode("utf-8", "replace"))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
