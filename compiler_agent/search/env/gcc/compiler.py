"""GCC as a program: where it is, which options it has, and what it makes of a benchmark. It runs under limits."""

from __future__ import annotations

import enum
import functools
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base import config
from compiler_agent.base.errors import ToolchainError, UsageError
from compiler_agent.base.process import Completed, check, run
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.llvm.engine import Outcome
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.gcc import options
from compiler_agent.search.env.gcc.options import Option
from compiler_agent.search.env.served import Limits

INSTALL_COMMAND = "apt-get install gcc g++"
_TIMEOUT_S = 60.0
_WALL_FACTOR = 4.0
"""As for a step of LLVM's: a busy machine gives a program a part of the clock's time."""
_CLANG_ONLY = ("-Qunused-arguments",)
_VERSION = re.compile(r"^gcc version (\d[\d.]*)", re.MULTILINE)
_MESSAGE_BYTES = 1000
_CRASHED = re.compile(r"internal compiler error|signal terminated program|Segmentation fault|Aborted")
_NO_MEMORY = re.compile(
    r"out of memory|virtual memory exhausted|[Cc]annot allocate memory|std::bad_alloc|failed to map segment"
)
_NO_TIME = re.compile(r"CPU time limit exceeded")


class Form(enum.StrEnum):
    """What GCC is asked for."""

    OBJECT = "object"
    """The object file."""
    ASSEMBLY = "assembly"
    """Assembly text."""
    RTL = "rtl"
    """The register transfer language of the last pass, as text."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one compilation gave."""

    outcome: Outcome
    """ok; rejected: GCC says that it is wrong; crash, timeout or memory: it did not survive it."""
    content: bytes = b""
    """What it was asked for; for ok."""
    message: str = ""
    """What GCC said, for every other outcome."""
    wall_time_s: float = 0.0
    """Time on the clock."""


@dataclass(frozen=True, slots=True)
class Gcc:
    """A GCC that is installed. Use `find`."""

    path: Path
    """The C compiler."""
    version: str
    """As in 12.2.0."""

    @property
    def cxx(self) -> Path:
        """The C++ compiler beside it, whether it is there or not."""
        return self.path.with_name(self.path.name.replace("gcc", "g++"))

    @property
    def options(self) -> tuple[Option, ...]:
        """All its optimization options and parameters; GCC is asked once."""
        return _options(self.path)

    def command(self, benchmark: Benchmark) -> tuple[str, ...]:
        """What compiles a benchmark, up to the options that say how and to what: clang's own words left out.

        Raises:
            UsageError: It is LLVM IR.
            ToolchainError: It is C++, and there is no g++.
        """
        if benchmark.is_ir:
            raise UsageError(f"{benchmark.uri} is LLVM IR, which GCC does not read", hint="take a C or C++ source")
        compiler = self.cxx if benchmark.argv[0].endswith("++") else self.path
        if not compiler.is_file():
            raise ToolchainError(f"{benchmark.uri} is C++, and there is no {compiler}", hint=INSTALL_COMMAND)
        words = [word for word in benchmark.argv[1:] if word not in _CLANG_ONLY]
        place = words.index("-o")  # `-c -o -`, as all benchmarks have it
        rest = [*words[:place], *words[place + 2 :]]
        rest.remove("-c")
        return (str(compiler), *rest)


def find(name: str = "gcc") -> Gcc:
    """Finds GCC.

    Args:
        name: A program on the PATH, or its path.

    Raises:
        ToolchainError: It is not there, or it is another compiler.
    """
    path = shutil.which(name, path=config.search_path())
    if path is None:
        raise ToolchainError(
            f"GCC was not found: there is no {name} on the PATH",
            hint=f'{INSTALL_COMMAND}, or name one: gymnasium.make("compiler_agent/gcc-v0", gcc="/path/to/gcc")',
        )
    said = run([path, "-v"], env=_environment(), timeout_s=_TIMEOUT_S).stderr.decode(errors="replace")
    version = _VERSION.search(said)
    if version is None:
        last = said.strip().splitlines()[0] if said.strip() else "it says no version"
        raise ToolchainError(f"{path} is not GCC: {last}", hint=f"{INSTALL_COMMAND}, or name another one")
    return Gcc(Path(path).absolute(), version[1])


def compile_benchmark(
    command: Sequence[str], words: Sequence[str], form: Form, directory: Path, limits: Limits
) -> Compiled:
    """Compiles with options.

    Args:
        command: Of `Gcc.command`.
        words: Options, of which later ones hold; without a level among them it is -O0.
        form: What is asked for.
        directory: Where it runs.
        limits: The time counts four times, on the clock; the memory is each process's address space.
    """
    with ScratchDirectory(prefix="cc-agent-gcc-") as scratch:
        output = Path(scratch) / "output"
        asked = {
            Form.OBJECT: ["-c", "-o", str(output)],
            Form.ASSEMBLY: ["-S", "-o", str(output)],
            Form.RTL: ["-S", "-o", "/dev/null", f"-fdump-rtl-dfinish={output}"],
        }[form]
        done = run(
            [*command, "-O0", *words, *asked],
            cwd=directory,
            env=_environment(TMPDIR=scratch),  # what a killed GCC leaves goes with it
            timeout_s=_WALL_FACTOR * limits.timeout_s,
            memory_bytes=limits.memory_bytes,
        )
        outcome = _outcome(done)
        if outcome is not Outcome.OK:
            return Compiled(outcome, message=_message(done, limits), wall_time_s=done.wall_time_s)
        content = output.read_bytes() if output.is_file() else b""
        return Compiled(outcome, content, wall_time_s=done.wall_time_s)


def _outcome(done: Completed) -> Outcome:
    said = done.stderr.decode(errors="replace")
    if done.timed_out or (done.status != 0 and _NO_TIME.search(said)):
        return Outcome.TIMEOUT
    if done.status == 0:
        return Outcome.OK
    if _NO_MEMORY.search(said):
        return Outcome.MEMORY
    return Outcome.CRASH if done.status < 0 or _CRASHED.search(said) else Outcome.REJECTED


def _message(done: Completed, limits: Limits) -> str:
    if done.timed_out:
        return f"not finished after {_WALL_FACTOR * limits.timeout_s:g} s"
    return done.stderr[:_MESSAGE_BYTES].decode(errors="replace").strip() or f"status {done.status}"


def _environment(**changes: str) -> dict[str, str]:
    """Ours, with messages in English and without colours; the characters of sources stay as they are."""
    names: dict[str, str | None] = {"LC_ALL": None, "LC_MESSAGES": "C", "LANGUAGE": None, "GCC_COLORS": ""}
    return config.child_environment(**{**names, **changes})


@functools.cache
def _options(path: Path) -> tuple[Option, ...]:
    def said(*words: str) -> str:
        return check([path, *words], env=_environment(), timeout_s=_TIMEOUT_S).stdout.decode(errors="replace")

    return options.parse(
        said("-Q", "--help=optimizers", "-O2"),
        said("-Q", "--help=optimizers,params", "-O2"),
        said("--help=optimizers,params"),
    )
