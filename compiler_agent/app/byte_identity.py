"""Shows that the plugin changes nothing by itself: `python -m compiler_agent.app.byte_identity`.

Each translation unit of the chosen libraries is compiled three times at each level and with each set of flags: by plain
clang, with the plugin and an empty lock, and with the plugin and a lock whose plan names the stock pipeline of that
level. All three objects must be equal byte for byte. Exit status: 0 they are, 1 some differ or could not be compared.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app import bench_size, libraries
from compiler_agent.app.libraries import TranslationUnit
from compiler_agent.base import lock as locks
from compiler_agent.base.config import child_environment, native_directory
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.lock_format import Evidence, LockEntry
from compiler_agent.base.process import start, stop
from compiler_agent.llvm.toolchain import discover

STOCK_PIPELINES = {"-O0": "O0", "-O1": "O1", "-O2": "O2", "-O3": "O3", "-Os": "O2", "-Oz": "O2"}
"""What clang 22 runs at each of its levels; size is in the functions' attributes (see docs/architecture.md)."""
FLAG_SETS = ((), ("-g",), ("-fPIC",), ("-ffunction-sections",), ("-g", "-fPIC", "-ffunction-sections"))
"""Flags that are added to a unit's own."""
DEFAULT_LIBRARIES = ("zlib", "lz4", "lua", "bzip2", "expat", "pugixml", "jsoncpp", "tinyxml2")
_TIMEOUT_S = 600.0
_EVIDENCE = Evidence(0, 0, 0, "stock", 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One translation unit at one level with one set of flags."""

    unit: str
    """What was compiled."""
    level: str
    """-O0 to -Oz."""
    flags: tuple[str, ...]
    """The flags that were added."""
    without_plan: bool
    """The object with an empty lock is clang's."""
    with_stock_plan: bool
    """The stock plan was replayed, and its object is clang's."""
    problem: str = ""
    """Why they could not be compared, or why the stock plan was not replayed."""

    @property
    def identical(self) -> bool:
        """Both are clang's own object."""
        return self.without_plan and self.with_stock_plan


def compare(
    name: str, argv: Sequence[str], cwd: Path, level: str, flags: tuple[str, ...], directory: Path
) -> Comparison:
    """Compiles one unit three ways.

    Args:
        name: What the result calls the unit.
        argv: The compiler and its arguments, without `-c`, `-o` and a level.
        cwd: Where to run it.
        level: -O0 to -Oz.
        flags: More flags.
        directory: For the objects and the lock; it is overwritten.
    """
    command = [argv[0], "-Qunused-arguments", level, *flags, *argv[1:], "-c"]
    lock, objects = directory / "cc-agent.lock", [directory / f"{kind}.o" for kind in ("plain", "empty", "stock")]
    lock.unlink(missing_ok=True)
    try:
        _compile(command, cwd, objects[0], None)
        locks.update(lock, {})
        (miss,) = _compile(command, cwd, objects[1], lock)
        entry = LockEntry(f"-passes=default<{STOCK_PIPELINES[level]}>", name, discover().version, "", _EVIDENCE)
        locks.update(lock, {miss["key"]: entry})
        (hit,) = _compile(command, cwd, objects[2], lock)
    except (CompilerAgentError, ValueError) as error:
        return Comparison(name, level, flags, False, False, str(error))
    plain, empty, stock = (path.read_bytes() for path in objects)
    problem = "" if hit["event"] == "hit" else f"the plan was not replayed: {hit['event']} {hit['message']}"
    return Comparison(name, level, flags, empty == plain, stock == plain and not problem, problem)


def run(units: Sequence[TranslationUnit], levels: Sequence[str], jobs: int | None = None) -> list[Comparison]:
    """Compares units at all levels and with all sets of flags; progress on stderr."""
    toolchain = discover()

    def work(unit: TranslationUnit) -> list[Comparison]:
        clang = toolchain.clangxx if unit.language == "c++" else toolchain.clang
        with tempfile.TemporaryDirectory(prefix="cc-agent-identity-") as directory:
            return [
                compare(unit.name, [str(clang), *unit.argv], unit.directory, level, flags, Path(directory))
                for level in levels
                for flags in FLAG_SETS
            ]

    found: list[Comparison] = []
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        for number, rows in enumerate(pool.map(work, units), 1):
            found += rows
            n_identical = sum(row.identical for row in rows)
            shown = f"[{number}/{len(units)}] {rows[0].unit}: {n_identical} of {len(rows)} identical"
            print(shown, file=sys.stderr, flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; what differs, one line each."""
    parser = argparse.ArgumentParser(prog="compiler_agent.app.byte_identity", description=__doc__)
    parser.add_argument("--library", action="append", help=f"default: {', '.join(DEFAULT_LIBRARIES)}")
    parser.add_argument("--level", action="append", choices=list(STOCK_PIPELINES), help="default: all")
    parser.add_argument("--units", type=int, help="at most so many units of each library")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    try:
        known = {library.name for library in libraries.load()}
        names = given.library or [name for name in DEFAULT_LIBRARIES if name in known]
        with tempfile.TemporaryDirectory(prefix="cc-agent-identity-") as directory:
            units = bench_size.translation_units(names, Path(directory))
            if given.units is not None:
                units = [unit for name in names for unit in [u for u in units if u.library == name][: given.units]]
            found = run(units, given.level or list(STOCK_PIPELINES), given.jobs)
    except CompilerAgentError as error:
        print(f"byte_identity: {error}", file=sys.stderr)
        return error.exit_code
    different = [row for row in found if not row.identical]
    if given.json:
        summary = {"n_units": len(units), "n_libraries": len(names), "n_compared": len(found)}
        print(json.dumps({**summary, "different": [dataclasses.asdict(row) for row in different]}, indent=2))
    else:
        for row in different:
            which = row.problem or ("the stock plan's" if row.without_plan else "without a plan")
            print(f"{row.unit} {row.level} {' '.join(row.flags)}: differs: {which}")
        n_identical = len(found) - len(different)
        print(f"{n_identical} of {len(found)} identical: {len(units)} units of {len(names)} libraries")
    return 1 if different or not found else 0


def _compile(command: Sequence[str], cwd: Path, output: Path, lock: Path | None) -> list[dict[str, str]]:
    """Compiles, with the plugin if there is a lock, and returns what the plugin reports."""
    status, words = os.memfd_create("status"), os.memfd_create("words")
    plugin = [f"-fpass-plugin={native_directory() / 'lib' / 'cc-agent.so'}"] if lock else []
    try:
        child = start(
            [*command, *plugin, "-o", str(output)],
            cwd=cwd,
            env=child_environment(
                CC_AGENT_PLUGIN_LOCK=str(lock) if lock else None,
                CC_AGENT_PLUGIN_STATUS=str(status) if lock else None,
                CC_AGENT_PLUGIN_SERVE=None,
            ),
            pass_fds=[status],
            stdout=subprocess.DEVNULL,
            stderr=words,
        )
        try:
            code = child.wait(_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise CompilerAgentError(f"clang did not end within {_TIMEOUT_S:.0f} s: {' '.join(command)}") from None
        finally:
            stop(child)
        if code != 0:
            tail = _content(words)[-500:].decode(errors="replace").strip()
            raise CompilerAgentError(f"clang failed with status {code}: {' '.join(command)}: {tail}")
        return [json.loads(line) for line in _content(status).splitlines()]
    finally:
        os.close(status)
        os.close(words)


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


if __name__ == "__main__":
    sys.exit(main())
