"""`compiler-agent bench`: the benchmarks."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from compiler_agent.app.cli_llm import llm_options
from compiler_agent.app.cli_options import Command, trust_options, with_options
from compiler_agent.app.cli_words import BUDGET_HELP
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import UsageError

if TYPE_CHECKING:
    from compiler_agent.app.llm import Asking
    from compiler_agent.app.verification import Demands


def _resumable(directory: str) -> Callable[[Command], Command]:
    """The options of a benchmark that notes its figures in a journal, and goes on there after an interrupt."""
    return with_options(
        (
            click.option(
                "--state",
                "directory",
                type=click.Path(path_type=Path),
                default=Path(directory),
                show_default=True,
                help="Where its sources and its journal are; an interrupted run goes on there.",
            ),
            click.option(
                "--jobs", type=click.IntRange(1), default=2, show_default=True, help="How much is run at a time."
            ),
            click.option("--report-only", is_flag=True, help="Print what the journal has, and run nothing."),
        )
    )


class _SizeByDefault(click.Group):
    """`bench --strategies …` is `bench size --strategies …`."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """As every group, but a first word that is an option of `size` means that."""
        if words and words[0].startswith("--") and words[0] not in self.get_help_option_names(context):
            words = ["size", *words]
        return super().parse_args(context, words)


@click.group(cls=_SizeByDefault)
def bench() -> None:
    """Benchmarks that print both sides from one run."""


@bench.command("size")
@click.option("--strategies", "names", default="coreset,random,evolve", show_default=True)
@click.option("--budget", default="200", show_default=True, help=BUDGET_HELP)
@click.option(
    "--after", "checkpoints", type=click.IntRange(1), multiple=True, metavar="N", help="Also what N evaluations found."
)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--library",
    "chosen",
    multiple=True,
    help="Only these; default: all but sqlite, whose one unit takes as long as the rest.",
)
@click.option(
    "--knowledge",
    "known",
    type=click.Path(path_type=Path, file_okay=False),
    help="A store of outcomes, for strategies that begin with what worked on similar units: those of other training "
    "libraries, never the unit's own.",
)
@click.option(
    "--learn",
    "learned",
    type=click.Path(path_type=Path, file_okay=False),
    help="Note the outcomes on training libraries in this store.",
)
@click.option("--jobs", type=click.IntRange(1), help="Units at a time; default: one per core.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write every figure to this file.")
@llm_options
def bench_size(
    asking: Asking,
    names: str,
    budget: str,
    checkpoints: tuple[int, ...],
    seed: int,
    chosen: tuple[str, ...],
    known: Path | None,
    learned: Path | None,
    jobs: int | None,
    json_file: Path | None,
) -> None:
    """clang -Oz against our strategies, per translation unit of real libraries, at equal budgets.

    `compiler-agent bench --strategies …` is the same. Judges sizes only: no function is tested, and nothing is kept.
    """
    from compiler_agent.app import bench_size as module
    from compiler_agent.app.bench_size_report import render
    from compiler_agent.app.llm import ModelRun
    from compiler_agent.evaluation import libraries
    from compiler_agent.search import strategies

    wanted = chosen or tuple(library.name for library in libraries.load() if library.name != "sqlite")
    strategy_names = tuple(names.split(","))
    if unknown := set(strategy_names).difference(strategies.NAMES, strategies.ASKING):
        known_names = ", ".join((*strategies.NAMES, *strategies.ASKING))
        raise UsageError(f"there is no strategy {', '.join(sorted(unknown))}", hint=f"choose of {known_names}")
    if asking.show_prompt:
        raise UsageError("a benchmark prints no prompts", hint="compiler-agent tune --strategy llm --show-prompt")
    asked = ModelRun(asking) if set(strategies.ASKING).intersection(strategy_names) else None
    settings = module.Settings(strategy_names, Budget.parse(budget), seed, known, learned, asked)
    figures = module.run_bench(wanted, settings, jobs, json_file)
    render(figures, strategy_names, checkpoints, Console(width=180))
    if any(row.ratio(name) < 1 for row in figures for name in strategy_names):
        sys.exit(1)


@bench.command("engine")
@click.option(
    "--unit", "units", multiple=True, metavar="NAME", help="Only this translation unit, as in zlib/deflate.c."
)
@click.option("--plans", default=20, show_default=True, help="Independent plans of each kind for each unit.")
@click.option("--searched", default=50, show_default=True, help="Plans that each search asks for.")
@click.option("--seed", default=0, show_default=True)
@click.option("--check", "fail_below", is_flag=True, help="Exit with 1 where a target is missed.")
def bench_engine(units: tuple[str, ...], plans: int, searched: int, seed: int, fail_below: bool) -> None:
    """Our evaluations per second and core against processes of opt and llc, on the same plans."""
    from compiler_agent.app import bench_engine as module
    from compiler_agent.app.bench_engine_report import render

    report = module.run_bench(units or module.UNITS, plans, searched, seed)
    render(report, Console(width=160))
    print_misses(report.misses(), fail_below)


@bench.command("replay")
@click.option("--library", "names", multiple=True, help="Only these; default: zlib and bzip2.")
@click.option("--rounds", default=15, show_default=True, help="Builds of each kind, in turns.")
@click.option("--budget", default="15", show_default=True, help="Of the search that fills the lock, per unit.")
@click.option("--check", "fail_above", is_flag=True, help="Exit with 1 where a target is missed.")
def bench_replay(names: tuple[str, ...], rounds: int, budget: str, fail_above: bool) -> None:
    """What a whole build costs through cc-agent: with a full lock, and with none, against plain clang -Oz."""
    from compiler_agent.app import bench_replay as module

    report = module.run_bench(names or module.LIBRARIES, rounds, Budget.parse(budget))
    module.render(report, Console(width=160))
    print_misses(report.misses(), fail_above)


@bench.command("mca")
@click.option("--kernel", "names", multiple=True, help="Only these; default: all of benchmarks/kernels.")
@click.option("--level", "levels", multiple=True, help="Optimization levels; default: -O1, -O2 and -O3.")
@click.option(
    "--rounds", type=click.IntRange(2), default=15, show_default=True, help="Samples of each build, in turns."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write every figure to this file.")
def bench_mca(names: tuple[str, ...], levels: tuple[str, ...], rounds: int, json_file: Path | None) -> None:
    """How far llvm-mca's estimates of loops agree with measured time, on this machine."""
    from compiler_agent.app import bench_mca as module
    from compiler_agent.app import bench_mca_report as report
    from compiler_agent.base.files import write_json

    found = module.run_bench(names, levels or module.LEVELS, rounds)
    report.render(found, Console(width=160))
    if json_file is not None:
        write_json(json_file, report.to_json(found))


@bench.command("drop-in", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench_drop_in(arguments: tuple[str, ...]) -> None:
    """Real libraries from a lock with CC=cc-agent, and their own tests; --help lists the options."""
    from compiler_agent.app.dropin import command

    command.main(args=list(arguments), prog_name="compiler-agent bench drop-in", standalone_mode=False)


@bench.command("mutants")
@_resumable("build/bench-planted")
@click.option(
    "--library", "chosen", multiple=True, help="Only these; default: six C libraries, three of them held out."
)
@click.option("--level", "levels", multiple=True, help="Stock levels; default: -Oz and -O2.")
@click.option("--functions", "n_functions", default=48, show_default=True)
@click.option("--mutants", "n_mutants", default=1200, show_default=True)
@click.option("--draw", "draw_seed", default=0, show_default=True, help="Seed of the draw of functions and mistakes.")
@click.option(
    "--only", "phases", type=click.Choice(["make", "judge", "test", "programs", "confirm"]), multiple=True,
    help="Only these phases; default: make, judge, test. No test is needed to judge.",
)  # fmt: skip
@click.option("--judge-seconds", default=5.0, show_default=True, help="Of the validator, for each mutant.")
@click.option("--judge-missed", is_flag=True, help="Judge only those that were let through.")
@click.option("--seconds", default=10.0, show_default=True, help="Of the function tester, for each mutant.")
@click.option("--long-seconds", default=120.0, show_default=True, help="Of the run that confirms one let through.")
@click.option("--seed", default=0, show_default=True, help="Of the tester's inputs.")
@click.option("--run", "run_name", default="tests", show_default=True, help="Names the tests: another for each tester.")
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON instead of tables.")
@click.option("--check", "fail_below", is_flag=True, help="Exit with 1 where the target is missed.")
def bench_mutants(
    directory: Path,
    chosen: tuple[str, ...],
    levels: tuple[str, ...],
    n_functions: int,
    n_mutants: int,
    draw_seed: int,
    phases: tuple[str, ...],
    judge_seconds: float,
    judge_missed: bool,
    seconds: float,
    long_seconds: float,
    seed: int,
    run_name: str,
    jobs: int,
    report_only: bool,
    as_json: bool,
    fail_below: bool,
) -> None:
    """What the function tester catches of mistakes planted into optimized functions of real libraries."""
    from compiler_agent.app import bench_mutants as module
    from compiler_agent.app import bench_mutants_oracles as oracles
    from compiler_agent.app import bench_mutants_report as report

    settings = module.Settings(
        chosen or module.LIBRARIES, levels or module.LEVELS, n_functions, n_mutants, draw_seed
    )  # fmt: skip
    limits = module.Limits(seconds, judge_seconds, long_seconds, seed)
    bench = module.Bench(settings, limits, directory, oracles.FunctionTester(), oracles.provers(), jobs, run_name)
    try:
        if not report_only:
            bench.run(phases or ("make", "judge", "test"), only_missed=judge_missed)
    finally:
        console = Console(width=200, quiet=as_json)
        rows = report.render(bench.mutants, bench.tests, n_mutants, console)
        if as_json:
            click.echo(json.dumps(report.summary(rows), indent=1))
    print_misses(report.misses(rows), fail_below)


@bench.command("false-alarms")
@_resumable("build/bench-planted")
@click.option("--library", "chosen", multiple=True, help="Only these; default: six C libraries and one in C++.")
@click.option("--level", "levels", multiple=True, help="Stock levels; default: -O1, -O2, -O3, -Os and -Oz.")
@click.option(
    "--functions", "n_functions", default=500, show_default=True, help="To test, at least; at each level counts once."
)
@click.option("--per-unit", "n_per_unit", default=6, show_default=True, help="Most functions drawn from one unit.")
@click.option("--seconds", default=10.0, show_default=True, help="Of the function tester, for each function.")
@click.option("--seed", default=0, show_default=True)
@click.option("--run", "run_name", default="false-alarms", show_default=True, help="Another for each tester.")
def bench_false_alarms(
    directory: Path,
    chosen: tuple[str, ...],
    levels: tuple[str, ...],
    n_functions: int,
    n_per_unit: int,
    seconds: float,
    seed: int,
    run_name: str,
    jobs: int,
    report_only: bool,
) -> None:
    """Whether the function tester raises alarms on functions as stock clang optimizes them; exit 1 if it does."""
    from compiler_agent.app import bench_false_alarms as module
    from compiler_agent.app.bench_mutants_oracles import FunctionTester

    settings = module.Settings(
        chosen or module.LIBRARIES, levels or module.LEVELS, n_functions, n_per_unit, seconds, seed
    )  # fmt: skip
    journal = module.journal_of(settings, directory, run_name)
    try:
        if not report_only:
            module.run(settings, directory, journal, FunctionTester(), jobs)
    finally:
        n_alarms = module.render(journal, Console(width=160))
    print_misses(module.misses(journal), False)
    if n_alarms:
        sys.exit(1)


@bench.command("verification")
@_resumable("build/bench-verification")
@click.option("--library", "chosen", multiple=True, help="Only these; default: eight C and C++ libraries.")
@click.option("--budget", default="20", show_default=True, help=BUDGET_HELP)
@trust_options
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write every figure to this file.")
@click.option("--page", type=click.Path(path_type=Path), help="Also write the table as a page in Markdown.")
def bench_verification(
    directory: Path,
    chosen: tuple[str, ...],
    budget: str,
    demands: Demands,
    seed: int,
    jobs: int,
    report_only: bool,
    json_file: Path | None,
    page: Path | None,
) -> None:
    """What share of tuning verification takes, and how many functions are proved, tested, not established, refuted.

    Each unit is tuned by a process of its own with an empty cache, as `compiler-agent tune` does it.
    """
    from compiler_agent.app import bench_verification as module
    from compiler_agent.base.files import write_atomically, write_json

    Budget.parse(budget)
    settings = module.Settings(budget, demands.trust, demands.test_seconds, demands.test_coverage, seed, jobs)
    journal = module.run(settings, () if report_only else chosen or module.LIBRARIES, directory)
    module.render(journal, Console(width=180))
    if json_file is not None:
        write_json(json_file, module.to_json(journal))
    if page is not None:
        write_atomically(page, module.to_markdown(journal, settings).encode())


def print_misses(misses: Sequence[str], fail: bool) -> None:
    """Prints what is not as it should be; ends with 1 then, if that is asked for."""
    for miss in misses:
        click.echo(f"target missed: {miss}", err=True)
    if misses and fail:
        sys.exit(1)
