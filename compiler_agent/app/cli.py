"""The `compiler-agent` command. Results go to stdout, progress and logs to stderr.

Exit status: 0 done, 1 ran but negative or not established, 2 usage, 3 could not run.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from compiler_agent.app import doctor as doctor_module
from compiler_agent.base.config import Budget, find_lock
from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.evaluation.evaluate import Objective
from compiler_agent.search import strategies

_BUDGET_HELP = "Evaluations per translation unit (200), or a time (30s, 2m)."
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=_CONTEXT)
@click.version_option(package_name="cc-agent")
def cli() -> None:
    """Finds, proves and keeps LLVM pass plans that make C and C++ smaller than clang's best flags.

    A build replays them with CC=cc-agent CFLAGS=-O-agent=size.
    """


@cli.command()
@click.option(
    "--objective",
    type=click.Choice(["size", "object", "ir"]),
    default="size",
    show_default=True,
    help="What is made smaller: executable bytes, the object file, IR instructions.",
)
@click.option("--strategy", type=click.Choice(strategies.NAMES), default="evolve", show_default=True)
@click.option("--budget", default="200", show_default=True, help=_BUDGET_HELP)
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
    help="Compilations recorded with CC_AGENT_MODE=record CC_AGENT_RECORD=FILE.",
)
@click.option(
    "--run",
    "run_command",
    help="A test command: plans that change its exit status or output are dropped. Needs a build command.",
)
@click.option("--run-timeout", default=600.0, show_default=True, help="Seconds that the test command may take.")
@click.option("--allow-experimental", is_flag=True, help="Also use experimental passes; only with --run.")
@click.option("--jobs", type=int, help="Units at a time; default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def tune(
    objective: str,
    strategy: str,
    budget: str,
    seed: int,
    lock_path: Path | None,
    records: Path | None,
    run_command: str | None,
    run_timeout: float,
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
    """
    from compiler_agent.app import tune as tuning
    from compiler_agent.app.progress import Progress
    from compiler_agent.app.records import describe, read_records
    from compiler_agent.app.unit import TuneOptions

    if allow_experimental and not run_command:
        raise UsageError(
            "--allow-experimental needs --run: an experimental pass is kept only if the program still behaves the same"
        )
    chosen = {"size": Objective.TEXT_BYTES, "object": Objective.OBJECT_BYTES, "ir": Objective.IR_INSTRUCTIONS}[
        objective
    ]
    options = TuneOptions(Budget.parse(budget), strategy, seed, chosen, allow_experimental)
    lock = lock_path or _default_lock()
    build_command: tuple[str, ...] = ()
    if records is not None:
        units = read_records(records)
    elif arguments and all(Path(word).suffix in _SOURCE_SUFFIXES for word in arguments):
        for word in arguments:
            if not Path(word).is_file():
                raise UsageError(f"there is no file {word}")
        units = [record for word in arguments for record in describe(["-O-agent=size", "-c", word])]
    elif arguments and _is_compiler(arguments[0]):
        units = describe(["-O-agent=size", *arguments[1:], "-O-agent=size"])
    elif arguments:
        build_command, units = arguments, []
    else:
        raise UsageError("nothing to tune", hint="name source files, --records FILE, or -- BUILD COMMAND")
    if run_command and not build_command:
        raise UsageError(
            "--run needs a build command, to build the program with the plans",
            hint="compiler-agent tune --run ./test.sh -- make -B",
        )
    if build_command and not run_command:
        units = tuning.record_build(build_command, Path.cwd())
    with Progress(len(units), options.budget) as progress:
        if run_command:
            report = tuning.tune_build(
                build_command,
                cwd=Path.cwd(),
                lock=lock,
                options=options,
                run_command=run_command,
                run_timeout_s=run_timeout,
                jobs=jobs,
                progress=progress,
            )
        else:
            report = tuning.tune_records(units, lock, options, jobs=jobs, progress=progress)
    _print_report(report, lock, as_json)


@cli.command()
@click.option("--library", default="bzip2", show_default=True, help="One of benchmarks/libraries.toml.")
@click.option("--budget", default=30, show_default=True, type=click.IntRange(1), help="Evaluations per unit.")
def demo(library: str, budget: int) -> None:
    """Builds a real library with clang -Oz and with cc-agent, runs its own tests on both, and prints the table."""
    from compiler_agent.app.demo import run_demo

    sys.exit(run_demo(library, budget))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Says what was found, what is missing, and the command that installs it."""
    findings = doctor_module.diagnose()
    if as_json:
        click.echo(doctor_module.to_json(findings))
    else:
        doctor_module.render(findings, Console())
    sys.exit(doctor_module.exit_code(findings))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--rewrite", is_flag=True, help="Only put a lock that another tool has laid out back into its own form.")
@click.argument("lock", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("build_command", nargs=-1, type=click.UNPROCESSED)
def verify(as_json: bool, rewrite: bool, lock: Path, build_command: tuple[str, ...]) -> None:
    """Judges every plan of LOCK again: still applies, still wins, still gives the object that was measured.

    The compile commands are those of the last tune on this machine, or those of the BUILD COMMAND after --.
    """
    from compiler_agent.app import tune as tuning
    from compiler_agent.app.verify import verify_lock
    from compiler_agent.base import lock as locks

    if rewrite:
        locks.update(lock, {})
        return
    recorded = tuning.record_build(build_command, Path.cwd()) if build_command else []
    findings = verify_lock(
        lock,
        {record.key: record for record in recorded if record.key},
        on_finding=lambda finding: click.echo(f"{finding.source}: {finding.verdict}", err=True),
    )
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(
                f"{finding.source}: {finding.verdict}: "
                f"{finding.baseline_value} -> {finding.value} {finding.reason}".rstrip()
            )
    if not all(finding.verdict.may_be_kept for finding in findings):
        sys.exit(1)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@click.argument("lock", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("unit", required=False)
def explain(as_json: bool, lock: Path, unit: str | None) -> None:
    """The minimal edit of the stock pipeline behind each plan of LOCK, or of UNIT alone, and what each part pays."""
    from compiler_agent.app.explain import explain as explain_plan
    from compiler_agent.app.records import recall
    from compiler_agent.app.unit import search_space
    from compiler_agent.base.lock import Lock
    from compiler_agent.evaluation.evaluate import Evaluator
    from compiler_agent.llvm.engine import Engine
    from compiler_agent.llvm.plan import Plan
    from compiler_agent.llvm.toolchain import discover

    entries = [
        (key, entry)
        for key, entry in Lock.load(lock).plans.items()
        if unit is None or unit in (key, entry.source, Path(entry.source).name)
    ]
    if not entries:
        raise UsageError(f"{lock} has no plan for {unit or 'anything'}", hint="name a source or key as the lock has it")
    space = search_space(discover(), allow_experimental=True)
    rows = []
    for key, entry in entries:
        record = recall(key)
        if record is None:
            raise CompilerAgentError(
                f"the compile command of {entry.source} is not known here", hint="tune it on this machine first"
            )
        with Engine(record.argv, record.cwd) as engine:
            evaluator = Evaluator(engine, space.catalog, objective=Objective(entry.objective), allow_experimental=True)
            found = explain_plan(Plan.parse(entry.plan), evaluator, space)
        evidence = dataclasses.asdict(entry.evidence)
        parts = [{"part": part.text, "pays": pays} for part, pays in found.parts]
        rows.append(
            {
                "source": entry.source,
                "key": key,
                "objective": entry.objective,
                "baseline": found.baseline_value,
                "plan": found.original_value,
                "minimal": found.minimal_value,
                "minimal_plan": str(found.minimal),
                "parts": parts,
                "evidence": evidence,
            }
        )
        if not as_json:
            click.echo(
                f"{entry.source}: {entry.objective} {found.baseline_value} -> {found.original_value}, "
                f"{found.baseline_value / found.original_value:.4f} times smaller"
            )
            click.echo(f"  minimal edit of default<O2>, {found.minimal_value}:")
            for part in sorted(parts, key=lambda part: -int(str(part["pays"]))):
                click.echo(f"    {part['pays']:>6}  {part['part']}")
            click.echo(
                f"  evidence: {evidence['strategy']}, seed {evidence['seed']}, "
                f"{evidence['n_evaluations']} evaluations, "
                f"LLVM {entry.llvm}, verifier {evidence['llvm_verifier']}, "
                f"differential test: {evidence['differential_test'] or 'none'}"
            )
    if as_json:
        click.echo(json.dumps(rows, indent=2))


@cli.command()
@click.option("--plan", "plan_text", required=True, help="The plan: -passes=PIPELINE -option=value …")
@click.option("--json", "as_json", is_flag=True)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def judge(plan_text: str, as_json: bool, command: tuple[str, ...]) -> None:
    """Judges one plan on the unit of a clang COMMAND: verdict and figures; exit 0 it may be kept, 1 not.

    \b
    compiler-agent judge --plan "-passes=default<O2> -disable-lsr=true" -- clang -c a.c
    """
    from compiler_agent.app.records import describe
    from compiler_agent.evaluation.evaluate import Evaluator
    from compiler_agent.llvm import catalog
    from compiler_agent.llvm.engine import Engine
    from compiler_agent.llvm.plan import Plan

    arguments = command[1:] if _is_compiler(command[0]) else command
    (record, *others) = describe([*arguments, "-O-agent=size"])
    if others:
        raise UsageError("a plan is judged on one source", hint="name one source in the command")
    plan = Plan.parse(plan_text)
    with Engine(record.argv, record.cwd) as engine:
        evaluator = Evaluator(engine, catalog.load())
        evaluation = evaluator.evaluate(plan)
        row = {
            "verdict": evaluation.verdict,
            "reason": evaluation.reason,
            "baseline_text_bytes": evaluator.baseline_value,
            "text_bytes": evaluation.value,
            "size_ratio": evaluation.size_ratio,
            "key": engine.key,
        }
    click.echo(
        json.dumps(row, indent=2)
        if as_json
        else f"{row['verdict']}: {row['baseline_text_bytes']} -> {row['text_bytes']} {row['reason']}".rstrip()
    )
    if not evaluation.verdict.may_be_kept:
        sys.exit(1)


@cli.group()
def bench() -> None:
    """Benchmarks that print both sides from one run."""


@bench.command("size")
@click.option("--strategies", "names", default="coreset,random,evolve", show_default=True)
@click.option("--budget", default="200", show_default=True, help=_BUDGET_HELP)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--library",
    "chosen",
    multiple=True,
    help="Only these; default: all but sqlite, whose one unit takes as long as the rest.",
)
@click.option("--jobs", type=int)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write every figure to this file.")
def bench_size(
    names: str, budget: str, seed: int, chosen: tuple[str, ...], jobs: int | None, json_file: Path | None
) -> None:
    """clang -Oz against our strategies, per translation unit of real libraries, at equal budgets."""
    from compiler_agent.app import bench_size as module
    from compiler_agent.app import libraries

    wanted = chosen or tuple(library.name for library in libraries.load() if library.name != "sqlite")
    strategy_names = names.split(",")
    figures = module.run_bench(wanted, strategy_names, Budget.parse(budget), seed, jobs, json_file)
    module.render(figures, strategy_names, Console(width=160))
    if any(row.ratio(name) < 1 for row in figures for name in strategy_names):
        sys.exit(1)


@bench.command("engine")
@click.option(
    "--unit", "units", multiple=True, metavar="NAME", help="Only this translation unit, as in zlib/deflate.c."
)
@click.option("--plans", default=20, show_default=True, help="Plans of each kind for each unit.")
@click.option("--evolve", default="100", show_default=True, help="Budget of the search that shows deduplication.")
@click.option("--seed", default=0, show_default=True)
@click.option("--check", "fail_below", is_flag=True, help="Exit with 1 where a target is missed.")
def bench_engine(units: tuple[str, ...], plans: int, evolve: str, seed: int, fail_below: bool) -> None:
    """Our evaluations per second and core against processes of opt and llc, on the same plans."""
    from compiler_agent.app import bench_engine as module

    report = module.run_bench(units or module.UNITS, plans, Budget.parse(evolve), seed)
    module.render(report, Console(width=160))
    _print_misses(report.misses(), fail_below)


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
    _print_misses(report.misses(), fail_above)


@bench.command("drop-in", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench_drop_in(arguments: tuple[str, ...]) -> None:
    """Builds real libraries through cc-agent and runs their own tests; --help lists the options."""
    from compiler_agent.app.dropin import command
    from compiler_agent.base.config import native_directory

    launcher = native_directory() / "bin"
    ours = [
        "--cc",
        str(launcher / "cc-agent"),
        "--cxx",
        str(launcher / "cc-agent++"),
        "--cflags",
        "-O-agent=size",
        "--control",
    ]
    command.main(args=[*ours, *arguments], prog_name="compiler-agent bench drop-in", standalone_mode=False)


_SOURCE_SUFFIXES = {".c", ".cc", ".cpp", ".cxx", ".C", ".c++"}


def _is_compiler(word: str) -> bool:
    return Path(word).name.startswith(("clang", "cc-agent", "gcc", "g++", "cc", "c++")) and Path(word).name not in (
        "ccmake",
    )


def _default_lock() -> Path:
    found = find_lock(Path.cwd() / "here.c")
    return (
        found
        if found.is_file() and found.name == "cc-agent.lock" and Path.cwd().is_relative_to(found.parent)
        else Path("cc-agent.lock").absolute()
    )


def _print_misses(misses: Sequence[str], fail: bool) -> None:
    for miss in misses:
        click.echo(f"target missed: {miss}", err=True)
    if misses and fail:
        sys.exit(1)


def _print_report(report: object, lock: Path, as_json: bool) -> None:
    from compiler_agent.app.tune import TuneReport

    assert isinstance(report, TuneReport)
    refuted = {result.key for result in report.miscompiled}
    rows = [
        {
            "source": result.record.source,
            "key": result.key,
            "baseline": result.baseline_value,
            "value": result.best.value if result.best and result.key not in refuted else result.baseline_value,
            "verdict": "miscompiled" if result.key in refuted else "established" if result.best else "not-better",
            "n_evaluations": result.n_evaluations,
        }
        for result in report.results
    ]
    if as_json:
        click.echo(
            json.dumps(
                {"lock": str(lock), "units": rows, "failures": [[r.source, why] for r, why in report.failures]},
                indent=2,
            )
        )
    else:
        for row in rows:
            click.echo(
                f"{row['source']}: {row['baseline']} -> {row['value']} "
                f"({row['verdict']}, {row['n_evaluations']} evaluations)"
            )
        if rows:
            before, after = sum(int(str(row["baseline"])) for row in rows), sum(int(str(row["value"])) for row in rows)
            click.echo(
                f"total: {before} -> {after}, {before / after:.4f} times smaller; plans in {lock}"
                if after
                else f"no code in {len(rows)} units"
            )
    for record, why in report.failures:
        click.echo(f"cc-agent: {record.source}: {why}", err=True)
    if report.interrupted:
        click.echo("interrupted: what was found so far is kept", err=True)
        sys.exit(130)
    if report.failures or not rows:
        sys.exit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: errors of ours become one message and an exit status."""
    try:
        cli.main(
            args=list(arguments) if arguments is not None else None, prog_name="compiler-agent", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except CompilerAgentError as error:
        click.echo(f"compiler-agent: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
