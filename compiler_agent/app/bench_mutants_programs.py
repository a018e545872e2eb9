"""A library's own tests on a mutant: the library is built as ever, with the mutant's object in place of clang's.

That is what `tune --run` asks of each plan beside the function tester. It takes builds of whole libraries, so it is
asked only about mutants that the function tester did not catch.
"""

from __future__ import annotations

import os
import shlex
import threading
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from compiler_agent.app.bench_mutants_build import Compiled, emit
from compiler_agent.app.bench_mutants_judge import Answer, Reply
from compiler_agent.base.config import search_path
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.files import remove_tree, write_atomically
from compiler_agent.base.sandbox import Ending, SandboxLimits, run_confined
from compiler_agent.evaluation import libraries, library_build
from compiler_agent.evaluation.libraries import Library
from compiler_agent.evaluation.library_build import Compiler
from compiler_agent.evaluation.library_fetch import prepare
from compiler_agent.llvm.toolchain import Toolchain, discover

_SLOWER, _SLACK_S = 5.0, 10.0
"""A test that takes so many times, and so much more, than without the mistake hangs."""
_JOBS = 1
_SAID_BYTES = 200
_SHIM = """#!/bin/sh
# Clang; but of the source $CC_AGENT_MUTATED comes the object $CC_AGENT_MUTANT, and then there is $CC_AGENT_MUTANT_USED.
compiles=; output=; source=; before=
for word; do
  case $before in -o) output=$word ;; esac
  case $word in
    -c) compiles=yes ;;
    *.c | *.cc | *.cpp) [ "$(realpath -- "$word")" != "$CC_AGENT_MUTATED" ] || source=$word ;;
  esac
  before=$word
done
if [ -z "$source" ] || [ -z "$CC_AGENT_MUTANT" ]; then exec {clang} "$@"; fi
: >"$CC_AGENT_MUTANT_USED"
if [ "$compiles" ]; then
  {clang} "$@" || exit
  name=${source##*/}
  exec cp -- "$CC_AGENT_MUTANT" "${output:-${name%.*}.o}"
fi
for word; do
  shift
  [ "$word" != "$source" ] || word=$CC_AGENT_MUTANT
  set -- "$@" "$word"
done
exec {clang} "$@"
"""


@dataclass
class _Tree:
    """A library, built at a level."""

    library: Library
    """Which."""
    directory: Path
    """Its sources and all that was made of them."""
    compiler: Compiler
    """The shims, by name and on PATH, and the level."""
    seconds: float
    """What its tests take without a mistake."""
    stale: set[Path]
    """Sources of which what was made may be a mutant."""


class OwnTests:
    """Builds libraries with mutants in them, in a directory of its own, and runs their tests in the sandbox.

    Args:
        directory: For the builds; what is there is used again.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._trees: dict[str, _Tree | CompilerAgentError] = {}
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def test(self, compiled: Compiled, mutant: Path) -> Reply:
        """Runs the tests of the unit's library with a mutant of the unit.

        Args:
            compiled: The unit and level.
            mutant: The object.

        Returns:
            An alarm where they fail or hang, or the library does not build, and all is well with clang's own object.

        Raises:
            CompilerAgentError: They say nothing of mistakes: they fail without one, too, or are made without the unit.
        """
        name = f"{compiled.unit.library}{compiled.level}"
        with self._locks[name]:  # there is one tree
            tree = self._tree_of(name, compiled)
            why, seconds = _tried(tree, compiled, mutant)
            if why:  # a full disk, a busy machine, flags that this object does not have: whose fault is it?
                own = tree.directory.with_suffix(".own.o")
                write_atomically(own, emit(compiled, compiled.bitcode))
                excuse, _ = _tried(tree, compiled, own)
                if excuse:
                    raise CompilerAgentError(f"{compiled.name}, with clang's own object in its place: {excuse}")
        return Reply(Answer.ALARM if why else Answer.PASSED, why, seconds, -1.0, 1)

    def _tree_of(self, name: str, compiled: Compiled) -> _Tree:
        if name not in self._trees:
            try:
                self._trees[name] = self._tree(compiled)
            except CompilerAgentError as error:  # the next mutant would fare no better
                self._trees[name] = error
        tree = self._trees[name]
        if isinstance(tree, CompilerAgentError):
            raise tree
        return tree

    def _tree(self, compiled: Compiled) -> _Tree:
        (library,) = libraries.select(libraries.load(), [compiled.unit.library])
        place = self._directory / f"{library.name}{compiled.level}"
        finished = place.with_suffix(".seconds")
        compiler = _compiler(place.with_suffix(".compilers"), compiled.level, discover())
        tree = _Tree(library, place, compiler, library.timeout_s, set())
        if finished.exists():  # what was tested last may still be in it
            tree.stale = {place / unit.source for unit in libraries.translation_units(library, place)}
        else:
            remove_tree(place)  # an interrupt or an error came between
            prepare(library, place)
            for make in (library_build.configure, library_build.build):
                step = make(library, place, compiler, jobs=_JOBS)
                if not step.passed:
                    raise CompilerAgentError(f"{place.name}: {step.name} {step.reason}\n{step.tail()}")
            why, seconds = _tested(tree, compiler)
            if why:
                raise CompilerAgentError(f"{place.name}, without any mistake: {why}")
            write_atomically(finished, repr(seconds).encode())
        tree.seconds = float(finished.read_text())
        return tree


def _compiler(directory: Path, level: str, toolchain: Toolchain) -> Compiler:
    directory.mkdir(parents=True, exist_ok=True)
    cc, cxx = "cc", "c++"
    for name, clang in ((cc, toolchain.clang), (cxx, toolchain.clangxx)):
        write_atomically(directory / name, _SHIM.replace("{clang}", shlex.quote(str(clang))).encode())
        (directory / name).chmod(0o755)
    # By name: a path that has spaces is several words to make.
    return Compiler(cc, cxx, level, {"PATH": f"{directory}{os.pathsep}{search_path()}"})


def _tried(tree: _Tree, compiled: Compiled, target: Path) -> tuple[str, float]:
    """Builds the library with an object in the unit's place; as `_tested`, or why it does not build.

    Raises:
        CompilerAgentError: No command compiles the unit.
    """
    source, used = tree.directory / compiled.unit.source, tree.directory / "cc-agent-mutant-used"
    environment = {
        **tree.compiler.environment,
        "CC_AGENT_MUTATED": str(source.resolve()),
        "CC_AGENT_MUTANT": str(target.resolve()),
        "CC_AGENT_MUTANT_USED": str(used),
    }
    compiler = replace(tree.compiler, environment=environment)
    for stale in {*tree.stale, source}:
        os.utime(stale)
    tree.stale = {source}
    used.unlink(missing_ok=True)
    built = library_build.build(tree.library, tree.directory, compiler, jobs=_JOBS)
    if not built.passed:
        return f"its build {built.reason}", built.wall_time_s
    why, seconds = _tested(tree, compiler)
    if not why and not used.exists():
        raise CompilerAgentError(f"{compiled.name}: its library is built and tested without compiling it")
    return why, seconds


def _tested(tree: _Tree, compiler: Compiler) -> tuple[str, float]:
    """Why the library's tests do not pass, or empty; and the seconds that they took."""
    limits = SandboxLimits(wall_time_s=min(tree.library.timeout_s, _SLOWER * tree.seconds + _SLACK_S))
    done = run_confined(
        ["sh", "-ec", library_build.script(tree.library.test)],
        tree.directory,
        limits=limits,
        variables=library_build.variables(tree.library, compiler, _JOBS),
    )
    completed = done.completed
    ended = f"status {completed.status}" if done.ending is Ending.EXITED else str(done.ending)
    if done.ending is Ending.EXITED and completed.status == 0:
        return "", completed.wall_time_s
    said = completed.stdout[-_SAID_BYTES:].decode("utf-8", "replace").strip()
    return f"its own tests fail: {ended}: {said}", completed.wall_time_s
