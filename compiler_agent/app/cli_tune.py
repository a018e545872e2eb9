"""`compiler-agent tune`, and what it prints."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compiler_agent.app.cli_llm import cost, llm_options, show_prompts
from compiler_agent.app.cli_options import trust_options, workload_options
from compiler_agent.app.cli_words import BUDGET_HELP, SOURCE_SUFFIXES, check_files, is_compiler
from compiler_agent.base.config import Budget, find_lock, user_cache_directory
from compiler_agent.base.errors import UsageError
from compiler_agent.base.lock import check_writable
from compiler_agent.base.trust import counted
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.evaluate import Objective
from compiler_agent.search import strategies

if TYPE_CHECKING:
    from compiler_agent.app.llm import Asking, ModelRun
    from compiler_agent.app.tune import TuneReport
    from compiler_agent.app.unit import UnitResult
    from compiler_agent.app.verification import Demands


@click.command()
@click.option(
    "--objective",
    type=click.Choice(["size", "object", "ir", "speed"]),
    default="size",
    show_default=True,
    help="What is made smaller: executable bytes, the object file, IR instructions, or the time that --run takes.",
)
@click.option(
    "--strategy", type=click.Choice((*strategies.NAMES, *strategies.ASKING)), default="evolve", show_default=True
)
@click.option(
    "--budget",
    show_default="200; for speed 100",
    help=f"{BUDGET_HELP} For speed: for the program, and what counts is timed.",
)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--lock",
    "lock_path",
    type=click.Path(path_type=Path),
    help="Default: the nearest cc-agent.lock upward, else ./cc-agent.lock.",
)
@click.option(
    "--records",
    type=click.Path(path_type=Path, exists=True),
    help="Compilations recorded with CC_AGENT_MODE=record CC_AGENT_RECORD=FILE. For speed: only these units of the "
    "program.",
)
@click.option("--noted", is_flag=True, help="For speed: only units that builds with -O-agent=speed found no plan for.")
@click.option(
    "--guard",
    metavar="LIMIT",
    help='What the other objective may lose: "size<=1.05" for speed, "speed>=0.99" for size (with --run).',
)
@click.option(
    "--comparison-seconds",
    type=click.FloatRange(1.0),
    default=120.0,
    show_default=True,
    help="For speed: most time to compare one candidate. More, where the program runs for long.",
)
@workload_options
@trust_options
@llm_options
@click.option(
    "--allow-experimental", is_flag=True, help="Also use experimental passes; what holds them needs trust `tested`."
)
@click.option("--jobs", type=click.IntRange(1), help="Units at a time; default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def tune(
    objective: str,
    strategy: str,
    budget: str | None,
    seed: int,
    lock_path: Path | None,
    records: Path | None,
    noted: bool,
    guard: str | None,
    comparison_seconds: float,
    tests: tuple[Workload, ...],
    demands: Demands,
    asking: Asking,
    allow_experimental: bool,
    jobs: int | None,
    as_json: bool,
    arguments: tuple[str, ...],
) -> None:
    """Searches better plans and keeps the winners in the lock.

    \b
    compiler-agent tune a.c b.c                   single files, at -Oz
    compiler-agent tune -- clang -DX -c a.c       with the flags of that command
    compiler-agent tune -- make -B -j2            every unit of a build that uses cc-agent
    compiler-agent tune --objective speed --run './a in.txt' -- clang a.c -o a
    compiler-agent tune --objective speed --run ./bench.sh -- make -B
    """
    from compiler_agent.app.guard import Guard
    from compiler_agent.app.llm import ModelRun
    from compiler_agent.app.program_test import record_build
    from compiler_agent.app.progress import Progress
    from compiler_agent.app.records import describe, read_records
    from compiler_agent.app.tune import tune_records
    from compiler_agent.app.tune_build import tune_build
    from compiler_agent.app.unit import TuneOptions

    limit = Budget.parse(budget or ("100" if objective == "speed" else "200"))
    if limit.n_evaluations == 0 or limit.seconds == 0:
        raise UsageError(f"--budget {budget} searches nothing", hint="give at least one evaluation, or some time")
    demands = dataclasses.replace(demands, seed=seed)
    lock = lock_path or _default_lock()
    if objective == "speed":
        from compiler_agent.app.cli_tune_speed import keys_of, tune_for_speed
        from compiler_agent.app.tune_speed import SpeedOptions
        from compiler_agent.evaluation.pairing import Settings

        speed_options = SpeedOptions(
            limit,
            strategy,
            seed,
            demands,
            allow_experimental,
            guard=Guard.parse(guard, objective) if guard else None,
            only=keys_of(user_cache_directory() / "record.jsonl" if noted else records),
            settings=Settings(seconds=comparison_seconds),
        )
        tune_for_speed(arguments, tests, lock, speed_options, as_json=as_json)
        return
    chosen = {"size": Objective.TEXT_BYTES, "object": Objective.OBJECT_BYTES, "ir": Objective.IR_INSTRUCTIONS}[
        objective
    ]
    asked = ModelRun(asking) if strategy in strategies.ASKING else None
    if asking.show_prompt and asked is None:
        raise UsageError(f"--strategy {strategy} sends nothing", hint="--show-prompt belongs to --strategy llm")
    options = TuneOptions(limit, strategy, seed, chosen, allow_experimental, demands, asked)
    build_command: tuple[str, ...] = ()
    if records is not None:
        units = read_records(records)
    elif arguments and all(Path(word).suffix in SOURCE_SUFFIXES for word in arguments):
        check_files(arguments)
        units = [record for word in arguments for record in describe(["-O-agent=size", "-c", word])]
    elif arguments and is_compiler(arguments[0]):
        units = describe(["-O-agent=size", *arguments[1:], "-O-agent=size"])
    elif len(arguments) == 1 and Path(arguments[0]).is_dir():
        raise UsageError(
            f"{arguments[0]} is a directory", hint="name its source files, or the build: compiler-agent tune -- make -B"
        )
    elif arguments:
        build_command, units = arguments, []
    else:
        raise UsageError("nothing to tune", hint="name source files, --records FILE, or -- BUILD COMMAND")
    if tests and not build_command:
        raise UsageError(
            "--run needs a build command, to build the program with the plans",
            hint="compiler-agent tune --run ./test.sh -- make -B",
        )
    size_guard = Guard.parse(guard, "size") if guard else None
    if size_guard is not None and not tests:
        raise UsageError("--guard needs --run: what it limits is the time that takes", hint="--run ./bench.sh")
    if build_command and (asking.show_prompt or not tests):
        check_writable(lock)
        units = record_build(build_command, Path.cwd())
    if asking.show_prompt:
        show_prompts(units, options)
        return
    with Progress(options.budget) as progress:
        if tests:
            report = tune_build(
                build_command,
                cwd=Path.cwd(),
                lock=lock,
                options=options,
                workloads=tests,
                guard=size_guard,
                jobs=jobs,
                progress=progress,
            )
        else:
            report = tune_records(units, lock, options, jobs=jobs, progress=progress)
    _print_report(report, lock, as_json, asked)


def _default_lock() -> Path:
    found = find_lock(Path.cwd() / "here.c")
    return (
        found
        if found.is_file() and found.name == "cc-agent.lock" and Path.cwd().is_relative_to(found.parent)
        else Path("cc-agent.lock").absolute()
    )


def _verdict(result: UnitResult, refuted: set[str]) -> str:
    """One word for what became of a unit; the plans that were refused are named besides."""
    if result.key in refuted:
        return "miscompiled"
    if result.best is not None:
        return "established"
    if not result.refused:
        return "not-better"
    wrong = all(one.verdict.value == "miscompiled" for one in result.refused)
    return "miscompiled" if wrong else "not-established"


def _print_report(report: TuneReport, lock: Path, as_json: bool, asked: ModelRun | None) -> None:
    refuted = {result.key for result in report.miscompiled}
    rows = [
        {
            "source": result.record.source,
            "key": result.key,
            "baseline": result.baseline_value,
            "value": result.best.value if result.best and result.key not in refuted else result.baseline_value,
            "verdict": _verdict(result, refuted),
            "n_evaluations": result.n_evaluations,
            "trust": result.ledger.trust if result.ledger else None,
            "functions": counted(result.ledger.functions) if result.ledger else None,
            "refused": [
                {"plan": str(one.plan), "value": one.value, "verdict": one.verdict, "reason": one.reason}
                for one in result.refused
            ],
            "seconds": round(result.seconds, 1),
            "verification_seconds": round(result.verification_seconds, 1),
            "shown": {name: one.to_json() for name, one in result.shown.functions.items()} if result.shown else {},
            "planner": dataclasses.asdict(result.planner) if result.planner else None,
            "refuted_functions": sorted({name for one in result.ledgers for name in one.refuted_functions}),
        }
        for result in report.results
    ]
    if as_json:
        click.echo(
            json.dumps(
                {
                    "lock": str(lock),
                    "units": rows,
                    "failures": [[record.source, why] for record, why in report.failures],
                    "dropped": report.dropped,
                    "n_untested": report.n_untested,
                    "verification_share": round(report.verification_share, 3),
                    "model": dataclasses.asdict(asked.spent()) if asked else None,
                },
                indent=2,
            )
        )
    else:
        for row in rows:
            click.echo(
                f"{row['source']}: {row['baseline']} -> {row['value']} "
                f"({row['verdict']}, {row['n_evaluations']} evaluations"
                + (f"; functions: {row['functions']})" if row["functions"] else ")")
            )
        for row, result in zip(rows, report.results, strict=True):
            if result.planner:
                click.echo(
                    f"{row['source']}: {cost(result.planner, int(str(row['baseline'])), int(str(row['value'])))}"
                )
        if rows:
            before, after = sum(int(str(row["baseline"])) for row in rows), sum(int(str(row["value"])) for row in rows)
            kept = f"plans in {lock}" if any(row["verdict"] == "established" for row in rows) else "no plan is kept"
            click.echo(
                f"total: {before} -> {after}, {before / after:.4f} times smaller; {kept}"
                if after
                else f"no code in {len(rows)} units"
            )
            if asked is not None:
                click.echo(f"language model, in all: {cost(asked.spent(), before, after)}")
            click.echo(f"verification took {report.verification_share:.0%} of the time")
    for result in report.results:
        for one in result.refused:
            what = "is wrong" if one.verdict.value == "miscompiled" else "is not kept"
            click.echo(f"{result.record.source}: a plan of {one.value} {what}: {one.plan}\n  {one.reason}", err=True)
    for source in report.dropped:
        click.echo(
            f"{source}: the plan that the lock had changed what the test command saw; it was taken out", err=True
        )
    if report.n_untested:
        click.echo(f"{report.n_untested} plans in {lock} were not tested by this run", err=True)
    for record, why in report.failures:
        click.echo(f"cc-agent: {record.source}: {why}", err=True)
    if report.interrupted:
        click.echo("interrupted: what was found so far is kept", err=True)
        sys.exit(130)
    if report.failures or not rows:
        sys.exit(1)
