"""`compiler-agent bench speed`, and `bench measurement`: whether what it measures can be believed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from compiler_agent.app.cli_bench import print_misses
from compiler_agent.app.cli_words import BUDGET_HELP
from compiler_agent.app.signals import end_in_order
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error, write_atomically, write_json


@click.command("speed")
@click.option("--strategies", "names", default="evolve,random", show_default=True)
@click.option("--budget", default="100", show_default=True, help=BUDGET_HELP.replace("translation unit", "program"))
@click.option("--program", "programs", multiple=True, metavar="NAME", help="Only this one; may be given again.")
@click.option("--part", type=click.Choice(["training", "held-out"]), help="Only these programs; default: both parts.")
@click.option("--march", default="", help="-march of all builds, baselines too, as in native.")
@click.option("--pgo", is_flag=True, help="Give all builds, baselines too, a profile of the input that is timed.")
@click.option("--seed", default=0, show_default=True, help="Of searches, and of what measuring draws.")
@click.option("--seconds", type=click.FloatRange(1.0), help="A search ends after so long, whatever its budget.")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path("build/bench-speed"),
    show_default=True,
    help="Where its journal and the raw times are; an interrupted run goes on there.",
)
@click.option("--report-only", is_flag=True, help="Print what the journal has, and measure nothing.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write every figure to this file.")
@click.option(
    "--markdown", type=click.Path(path_type=Path), help="Also write the tables to this file, plots beside it."
)
@click.option(
    "--again",
    type=click.Path(path_type=Path, exists=True),
    metavar="A.json",
    help="Search nothing: measure the plans that run A kept once more, with this --seed.",
)
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path, exists=True),
    metavar="A.json B.json",
    help="Measure nothing: say how many of the plans that run A kept have overlapping intervals in run B.",
)
@click.option(
    "--report",
    "runs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="A.json",
    help="Measure nothing: print what run A found, or, given again, what several did on different programs; "
    "--strategies, --part and --program choose from that.",
)
@click.option("--check", "fail_below", is_flag=True, help="Exit with 1 where a program is slower beyond its interval.")
def bench_speed(
    names: str,
    budget: str,
    programs: tuple[str, ...],
    part: str | None,
    march: str,
    pgo: bool,
    seed: int,
    seconds: float | None,
    state: Path,
    report_only: bool,
    json_file: Path | None,
    markdown: Path | None,
    again: Path | None,
    compare: tuple[Path, Path] | None,
    runs: tuple[Path, ...],
    fail_below: bool,
) -> None:
    """Strategies for speed on the programs of benchmarks/, against the fastest stock build of each.

    Stock builds are -O2 and -O3 for the same CPU; with --pgo each with and without the profile. The speedup is that of
    samples which neither the search nor the choice among its best has seen.
    """
    from compiler_agent.app import bench_speed as module
    from compiler_agent.app import bench_speed_report as report
    from compiler_agent.app.bench_speed_figures import replicated

    if sum(map(bool, (compare, again, runs))) > 1:
        raise UsageError("--again, --compare and --report exclude each other: give one of them")
    console = Console(width=200)
    if compare:
        found = replicated(*(_read(path) for path in compare))
        report.render_replication(found, console)
        sys.exit(0 if found.share >= 0.9 else 1)
    settings = module.Settings(Budget.parse(budget), seed, march, pgo, seconds, again=again is not None)
    end_in_order()
    chosen, strategies = module.chosen(programs, part or ""), names.split(",")
    if runs:
        figures = module.together([_read(path) for path in runs], chosen, strategies)
    else:
        earlier = _read(again) if again else []
        figures = module.run_bench(chosen, strategies, settings, state, measure=not report_only, earlier=earlier)
    report.render(figures, console)
    if json_file is not None:
        write_json(json_file, [row.to_json() for row in figures])
    if markdown is not None:
        plots = {}
        for one in dict.fromkeys(row.part for row in figures):
            plots[one] = f"{markdown.stem}-{one}.svg"
            members = [row for row in figures if row.part == one]
            report.draw(members, markdown.with_name(plots[one]), f"{one} programs, budget {budget}")
        write_atomically(markdown, report.markdown(figures, plots).encode())
    if fail_below and any(row.is_slower for row in figures):
        sys.exit(1)


@click.command("measurement")
@click.option("--comparisons", default=200, show_default=True, help="Of programs with themselves.")
@click.option("--trials", default=60, show_default=True, help="With a slowdown of 2%.")
@click.option("--repeats", default=5, show_default=True, help="Comparisons for each win that is one of layout alone.")
@click.option("--pairs", type=click.IntRange(6), default=60, show_default=True, help="Most of one comparison.")
@click.option("--seconds", default=600.0, show_default=True, help="Most for each of the three questions.")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--samples",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Measure nothing: judge what the sessions of this file of raw times began with; may be given again.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write every figure to this file.")
@click.option("--check", "fail", is_flag=True, help="Exit with 1 where a target is missed.")
def bench_measurement(
    comparisons: int,
    trials: int,
    repeats: int,
    pairs: int,
    seconds: float,
    seed: int,
    samples: tuple[Path, ...],
    json_file: Path | None,
    fail: bool,
) -> None:
    """Whether times measured on this machine can be believed.

    Programs are compared with themselves, with themselves with 2% more work, and with themselves in another layout.
    Each session of `bench speed` begins with such a comparison, too: --samples judges those.
    """
    if samples:
        _judge_sessions(samples, fail)
        return
    from compiler_agent.app import bench_measurement as module
    from compiler_agent.app import bench_measurement_report as report

    settings = module.Settings(comparisons, trials, repeats, pairs, seconds=seconds, seed=seed)
    with module.Bench(settings) as running:
        found = running.run()
    report.render(found, Console(width=160))
    if json_file is not None:
        write_json(json_file, report.to_json(found))
    print_misses(list(report.misses(found)), fail)


def _judge_sessions(files: tuple[Path, ...], fail: bool) -> None:
    from compiler_agent.app.bench_measurement_report import MOST_DIFFERENT
    from compiler_agent.app.bench_measurement_sessions import of_samples
    from compiler_agent.evaluation.machine import this_machine

    found = of_samples(files, this_machine())
    for name in found.different:
        click.echo(f"different: {name}")
    click.echo(f"{found}; at most {MOST_DIFFERENT:.0%} may be")
    print_misses([str(found)] if not found.n or len(found.different) > MOST_DIFFERENT * found.n else [], fail)


def _read(path: Path) -> list:
    from compiler_agent.app.bench_speed_figures import ProgramFigures

    try:
        return [ProgramFigures.from_json(row) for row in json.loads(path.read_text())]
    except OSError as error:
        raise file_error("read", path, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not what `bench speed --json` writes") from error
