"""Runs the commands that configure, build and test a library with a given compiler, and measures what came out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compiler_agent.base.config import child_environment, search_path
from compiler_agent.base.errors import CompilerAgentError, ToolchainError
from compiler_agent.base.process import Completed, check, run
from compiler_agent.evaluation.libraries import Library, TranslationUnit, translation_units
from compiler_agent.evaluation.library_fetch import prepare
from compiler_agent.llvm.toolchain import Toolchain

# A build of ours may itself run under make; what that make passes down must not reach the library's own build.
_CLEARED = (
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    "MAKEOVERRIDES",
    "CPPFLAGS",
    "LDFLAGS",
    "LIBS",
    "CONFIG_SITE",
    "DESTDIR",
)
_EXECUTABLE_SECTION = re.compile(r"(\.text(?:\..*)?|\.init|\.fini) +(\d+) +\d+")
_LOG_TAIL_BYTES = 4000


@dataclass(frozen=True, slots=True)
class Compiler:
    """The compilers that a build is told to use."""

    cc: str
    """The C compiler, a program's name or absolute path."""
    cxx: str
    """The C++ compiler."""
    cflags: str
    """The flags for both languages, as in CFLAGS."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables to set in the build and in the tests."""


@dataclass(frozen=True, slots=True)
class Step:
    """What became of configure, build or test."""

    name: str
    """Which: configure, build or test."""
    passed: bool
    """All its commands exited with 0, in time."""
    reason: str
    """Why it did not pass; empty if it did."""
    wall_time_s: float
    """Time on the clock."""
    cpu_time_s: float
    """Processor time of all its programs, user and system."""
    log: Path
    """Everything that it printed."""

    def tail(self) -> str:
        """The last of what it printed."""
        return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace").strip()


@dataclass(frozen=True, slots=True)
class Artifacts:
    """What a build left, measured."""

    n_objects: int
    """Object files in the library's artifacts."""
    text_bytes: int
    """Sum of their executable sections."""


def plain_compiler(found: Toolchain) -> Compiler:
    """The control: the very clang that cc-agent runs, at -Oz."""
    return Compiler(cc=str(found.clang), cxx=str(found.clangxx), cflags="-Oz")


def configure(library: Library, directory: Path, compiler: Compiler, *, jobs: int = 2) -> Step:
    """Runs the library's configure commands; passed at once if it has none.

    Raises:
        ToolchainError: A program that the library's build needs is missing.
    """
    check_requirements(library)
    return _step("configure", library, library.configure, directory, compiler, jobs)


def build(library: Library, directory: Path, compiler: Compiler, *, jobs: int = 2) -> Step:
    """Runs the library's build commands in a configured directory."""
    return _step("build", library, library.build, directory, compiler, jobs)


def run_tests(library: Library, directory: Path, compiler: Compiler, *, jobs: int = 2) -> Step:
    """Runs the library's own tests in a built directory."""
    return _step("test", library, library.test, directory, compiler, jobs)


def configured_units(
    library: Library, directory: Path, compiler: Compiler, *, cache: Path | None = None
) -> list[TranslationUnit]:
    """Fetches and configures a library in a new directory and lists its translation units.

    Raises:
        CompilerAgentError: It could not be fetched or configured.
    """
    prepare(library, directory, cache)
    step = configure(library, directory, compiler)
    if not step.passed:
        raise CompilerAgentError(f"{library.name} {library.version}: configure {step.reason}\n{step.tail()}")
    return translation_units(library, directory)


def check_requirements(library: Library) -> None:
    """Makes sure that everything is installed that the library's own build needs.

    Raises:
        ToolchainError: Something is not; the hint is the command that installs it.
    """
    missing = {
        need: package
        for need, package in library.requires
        if not (Path(need).is_file() if need.startswith("/") else shutil.which(need, path=search_path()))
    }
    if missing:
        raise ToolchainError(
            f"{library.name} {library.version} cannot be built without {', '.join(missing)}",
            hint=f"apt-get install {' '.join(sorted(set(missing.values())))}",
        )


def measure(library: Library, directory: Path, *, llvm_size: str = "llvm-size-22") -> Artifacts:
    """Counts the objects and the executable bytes of what the build left.

    Raises:
        ToolError: An artifact is missing or is no object file.
    """
    answer = check([llvm_size, "-A", *library.artifacts], cwd=directory, timeout_s=60)
    return parse_sizes(answer.stdout.decode("utf-8", "replace"))


def parse_sizes(text: str) -> Artifacts:
    """Reads what `llvm-size -A` prints for objects and archives."""
    lines = text.splitlines()
    sections = [match for line in lines if (match := _EXECUTABLE_SECTION.fullmatch(line.strip()))]
    n_objects = sum(line.startswith("section ") for line in lines)
    return Artifacts(n_objects=n_objects, text_bytes=sum(int(section[2]) for section in sections))


def variables(library: Library, compiler: Compiler, jobs: int) -> dict[str, str]:
    """What the commands of a library find in their environment beside what is always there."""
    given = {
        "LC_ALL": "C.UTF-8",
        "CC": compiler.cc,
        "CXX": compiler.cxx,
        "CFLAGS": compiler.cflags,
        "CXXFLAGS": compiler.cflags,
        "FLAGS": " ".join(library.flags),
        "JOBS": str(jobs),
    }
    return {**given, **compiler.environment}


def script(commands: tuple[str, ...]) -> str:
    """Commands as one for `sh -ec`; all that they print is one stream, so that a log has everything in its order."""
    return "exec 2>&1\n" + "\n".join(commands)


def _step(
    name: str, library: Library, commands: tuple[str, ...], directory: Path, compiler: Compiler, jobs: int
) -> Step:
    log = directory / f"cc-agent-{name}.log"
    environment = child_environment(**dict.fromkeys(_CLEARED)) | variables(library, compiler, jobs)
    done = run(["sh", "-ec", script(commands)], cwd=directory, env=environment, timeout_s=library.timeout_s)
    log.write_bytes(done.stdout)
    return Step(
        name=name,
        passed=done.status == 0 and not done.timed_out,
        reason=_reason(done, library),
        wall_time_s=done.wall_time_s,
        cpu_time_s=done.cpu_time_s,
        log=log,
    )


def _reason(done: Completed, library: Library) -> str:
    if done.timed_out:
        return f"was not finished after {library.timeout_s:g} s"
    if done.status < 0:
        return f"was killed by signal {-done.status}"
    return f"failed with status {done.status}" if done.status else ""
