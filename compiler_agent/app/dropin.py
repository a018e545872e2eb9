"""Does a compiler build real libraries, and do they pass their own tests? Run as `python -m compiler_agent.app.dropin`.

Where a library does not come through, plain clang is tried in a directory of the same kind: what plain clang cannot
do either (some build systems refuse a path with spaces) is neither a pass nor our fault, and is reported as such.
"""

from __future__ import annotations

import enum
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from compiler_agent.app import libraries as catalog
from compiler_agent.app.libraries import Library
from compiler_agent.app.library_build import Compiler, Step, build, check_requirements, configure, measure, run_tests
from compiler_agent.app.library_fetch import prepare
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.process import check

CONTROL = Compiler(cc="clang-22", cxx="clang++-22", cflags="-Oz")
_SPACED = "a path with spaces"


class Outcome(enum.Enum):
    """What became of one library; only PASSED is a pass."""

    PASSED = "passed"
    """Built, and its own tests pass."""
    BUILD_FAILED = "build failed"
    """It does not build, and does with plain clang."""
    TESTS_FAILED = "tests failed"
    """It builds, its tests do not pass, and they do with plain clang."""
    CONTROL_FAILS = "plain clang fails too"
    """Plain clang does not get through it in such a directory either: nothing is shown about the compiler."""
    NOT_RUN = "could not be run"
    """It could not be fetched, or something that its build needs is not installed."""


@dataclass(frozen=True, slots=True)
class Result:
    """One library built and tested with one compiler."""

    library: str
    """The library's name."""
    version: str
    """Its version."""
    outcome: Outcome
    """What became of it."""
    n_objects: int | None
    """Object files in what was built; None: it was not built."""
    build_time_s: float
    """Configure and build on the clock."""
    build_cpu_time_s: float
    """Processor time of configure and build."""
    test_time_s: float
    """The library's own tests on the clock."""
    text_bytes: int | None
    """Executable sections of the library's objects; None: it was not built."""
    tests: str
    """What its tests are."""
    message: str
    """What went wrong, with the end of the log; empty for a pass."""


def build_and_test(library: Library, directory: Path, compiler: Compiler, *, jobs: int = 2) -> Result:
    """Builds a library in a new directory and runs its own tests; does not try plain clang.

    Args:
        library: The library.
        directory: Where to; it must not exist.
        compiler: The compiler.
        jobs: Programs that the build may run at once.
    """
    try:
        check_requirements(library)
        prepare(library, directory)
    except CompilerAgentError as error:
        return _result(library, Outcome.NOT_RUN, [], message=str(error))
    steps: list[Step] = []
    for run_step in (configure, build):
        steps.append(run_step(library, directory, compiler, jobs=jobs))
        if not steps[-1].passed:
            return _result(library, Outcome.BUILD_FAILED, steps, message=_why(library, steps[-1]))
    try:
        artifacts = measure(library, directory)
    except CompilerAgentError as error:
        return _result(library, Outcome.BUILD_FAILED, steps, message=str(error))
    tests = run_tests(library, directory, compiler, jobs=jobs)
    return _result(
        library,
        Outcome.PASSED if tests.passed else Outcome.TESTS_FAILED,
        steps,
        test_time_s=tests.wall_time_s,
        n_objects=artifacts.n_objects,
        text_bytes=artifacts.text_bytes,
        message="" if tests.passed else _why(library, tests),
    )


def judge(library: Library, directory: Path, compiler: Compiler, *, jobs: int = 2) -> Result:
    """As `build_and_test`, and where it fails, finds out whether plain clang gets through.

    Args:
        library: The library.
        directory: Where the builds go, each in a directory of its own below; must exist.
        compiler: The compiler.
        jobs: Programs that the build may run at once.
    """
    result = build_and_test(library, directory / "build", compiler, jobs=jobs)
    if result.outcome not in (Outcome.BUILD_FAILED, Outcome.TESTS_FAILED):
        return result
    control = result if compiler == CONTROL else build_and_test(library, directory / "control", CONTROL, jobs=jobs)
    if control.outcome is Outcome.PASSED:
        return result
    return _result(library, Outcome.CONTROL_FAILS, [], message=f"with plain clang: {control.message}")


def exit_status(results: Iterable[Result], *, spaces: bool) -> int:
    """0: every library passed; 1: one failed; 3: one could not be run.

    Args:
        results: What became of the libraries.
        spaces: The path has spaces. Then a library whose own build refuses them does not count; otherwise plain clang
            has to get through, or nothing was shown.
    """
    excused = {Outcome.PASSED, Outcome.CONTROL_FAILS} if spaces else {Outcome.PASSED}
    bad = {result.outcome for result in results} - excused
    if not bad:
        return 0
    return 3 if bad == {Outcome.NOT_RUN} else 1


def table(results: Sequence[Result], controls: Sequence[Result] = ()) -> str:
    """The results as text; with plain clang's beside them, also what the code's size is relative to it."""
    head = ["library", "version", "objects", "outcome", "build s", "cpu s", "tests s", "text bytes"]
    rows = [head + (["plain clang", "ratio"] if controls else [])]
    base = {control.library: control for control in controls}
    for result in results:
        row = [
            result.library,
            result.version,
            "-" if result.n_objects is None else str(result.n_objects),
            result.outcome.value,
            f"{result.build_time_s:.1f}",
            f"{result.build_cpu_time_s:.1f}",
            f"{result.test_time_s:.1f}",
            "-" if result.text_bytes is None else f"{result.text_bytes:,}",
        ]
        if controls:
            plain = base[result.library].text_bytes
            row.append("-" if plain is None else f"{plain:,}")
            row.append(f"{plain / result.text_bytes:.3f}" if plain and result.text_bytes else "-")
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    left = {0, 1, 3}
    lines = [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    n_passed = sum(result.outcome is Outcome.PASSED for result in results)
    n_excused = sum(result.outcome is Outcome.CONTROL_FAILS for result in results)
    lines.append(
        f"{n_passed} of {len(results)} passed" + (f", {n_excused} fail with plain clang too" if n_excused else "")
    )
    return "\n".join(lines)


@click.command(name="dropin")
@click.option("--library", "names", multiple=True, metavar="NAME", help="Only this library; may be repeated.")
@click.option("--cc", default=CONTROL.cc, show_default=True, metavar="PROGRAM", help="The C compiler.")
@click.option("--cxx", default=CONTROL.cxx, show_default=True, metavar="PROGRAM", help="The C++ compiler.")
@click.option("--cflags", default=CONTROL.cflags, show_default=True, metavar="FLAGS", help="Flags for both.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1), help="As in make -j.")
@click.option(
    "--directory-with-spaces", "spaces", is_flag=True, help="Build below a directory with spaces in its name."
)
@click.option(
    "--control", is_flag=True, help="Build and test each library with plain clang -Oz too, and compare sizes."
)
@click.option("--keep", type=click.Path(path_type=Path), help="Build below this directory, and leave everything there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    names: tuple[str, ...],
    cc: str,
    cxx: str,
    cflags: str,
    jobs: int,
    spaces: bool,
    control: bool,
    keep: Path | None,
    as_json: bool,
) -> None:
    """Builds real libraries with a compiler and runs their own tests.

    Exit status: 0 all passed, 1 some did not, 2 usage, 3 could not run.
    """
    try:
        wanted = catalog.select(catalog.load(), names)
        compiler = Compiler(cc=cc, cxx=cxx, cflags=cflags)
        with tempfile.TemporaryDirectory(prefix="cc-agent-dropin-", ignore_cleanup_errors=True) as scratch:
            place = (keep or Path(scratch)).absolute()
            if spaces:
                place = place / _SPACED
            place.mkdir(parents=True, exist_ok=True)
            results, controls = _run_all(wanted, place, compiler, jobs=jobs, control=control)
    except CompilerAgentError as error:
        click.echo(f"dropin: {error}", err=True)
        sys.exit(error.exit_code)
    if as_json:
        document = {"results": [_as_json(result) for result in results]}
        if control:
            document["controls"] = [_as_json(result) for result in controls]
        click.echo(json.dumps(document, indent=2))
    else:
        click.echo(table(results, controls))
    sys.exit(exit_status(results, spaces=spaces))


def _run_all(
    wanted: Sequence[Library], place: Path, compiler: Compiler, *, jobs: int, control: bool
) -> tuple[list[Result], list[Result]]:
    results: list[Result] = []
    controls: list[Result] = []
    for name in (compiler.cc, compiler.cxx):
        check([name, "--version"], timeout_s=60, hint="name a compiler with --cc and --cxx")
    for library in wanted:
        click.echo(f"{library.name} {library.version} ...", err=True)
        if control:
            controls.append(
                build_and_test(library, _fresh(place, f"{library.name}-plain") / "build", CONTROL, jobs=jobs)
            )
        results.append(judge(library, _fresh(place, library.name), compiler, jobs=jobs))
        _report(results[-1], lambda text: click.echo(text, err=True))
    return results, controls


def _report(result: Result, write: Callable[[str], None]) -> None:
    write(f"{result.library}: {result.outcome.value}" + (f"\n{result.message}" if result.message else ""))


def _fresh(place: Path, name: str) -> Path:
    # With --keep a former run may have left something of that name.
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place))


def _result(
    library: Library,
    outcome: Outcome,
    steps: Sequence[Step],
    *,
    test_time_s: float = 0.0,
    n_objects: int | None = None,
    text_bytes: int | None = None,
    message: str = "",
) -> Result:
    return Result(
        library=library.name,
        version=library.version,
        outcome=outcome,
        n_objects=n_objects,
        build_time_s=sum(step.wall_time_s for step in steps),
        build_cpu_time_s=sum(step.cpu_time_s for step in steps),
        test_time_s=test_time_s,
        text_bytes=text_bytes,
        tests=library.tests,
        message=message,
    )


def _why(library: Library, step: Step) -> str:
    return f"{library.name} {library.version}: {step.name} {step.reason}, log {step.log}\n{step.tail()}"


def _as_json(result: Result) -> dict[str, object]:
    fields = {name: getattr(result, name) for name in Result.__slots__}
    return fields | {"outcome": result.outcome.value}


if __name__ == "__main__":
    command()
