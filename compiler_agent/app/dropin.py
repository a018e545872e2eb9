"""Does a compiler build real libraries, and do they pass their own tests?

Run as `python -m compiler_agent.app.dropin`; see `library_judge` for what counts as a pass.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click

from compiler_agent.app import libraries as catalog
from compiler_agent.app.libraries import Library
from compiler_agent.app.library_build import Compiler
from compiler_agent.app.library_judge import CONTROL, Outcome, Result, build_and_test, judge
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.process import check

_SPACED = "a path with spaces"


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
    head = ["library", "version", "objects", "outcome", "build s", "cpu s", "tests s", "replayed", "text bytes"]
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
            "-" if result.n_replayed is None else f"{result.n_replayed} of {result.n_compilations}",
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


def _as_json(result: Result) -> dict[str, object]:
    fields = {name: getattr(result, name) for name in Result.__slots__}
    return fields | {"outcome": result.outcome.value}


if __name__ == "__main__":
    command()
