"""`compiler-agent verify`: what the plans of a lock are worth."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compiler_agent.app.cli_options import trust_options, workload_options
from compiler_agent.app.cli_words import function_table
from compiler_agent.app.signals import end_in_order
from compiler_agent.base.lock_format import RUN_TIME
from compiler_agent.base.trust import counted
from compiler_agent.evaluation.difftest import Workload

if TYPE_CHECKING:
    from compiler_agent.app.verification import Demands


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--rewrite", is_flag=True, help="Only put a lock that another tool has laid out back into its own form.")
@click.option("--remove", is_flag=True, help="Take plans out of the lock that were tried and are not established.")
@workload_options
@trust_options
@click.argument("lock", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("build_command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def verify(
    context: click.Context,
    as_json: bool,
    rewrite: bool,
    remove: bool,
    tests: tuple[Workload, ...],
    demands: Demands,
    lock: Path,
    build_command: tuple[str, ...],
) -> None:
    """Judges every plan of LOCK again: it still wins, gives the object that was measured, and passes all tests.

    The compile commands are those of the last tune on this machine, or those of the BUILD COMMAND after --. A plan that
    stands on a program's test is built and tested again, with the test of the lock or with --run; where that cannot be
    done, the plan counts as not established. Afterwards clang's own build stands there. Plans for speed are measured
    again, in private copies. Exit 0: all was established again.
    """
    from compiler_agent.app.findings import ProgramTests
    from compiler_agent.app.program_test import record_build
    from compiler_agent.app.verify import verify_lock
    from compiler_agent.base import lock as locks

    if rewrite:
        locks.update(lock, {})
        return
    end_in_order()
    for_size = any(entry.objective != RUN_TIME for entry in locks.Lock.load(lock).plans.values())
    recorded = record_build(build_command, Path.cwd()) if build_command and for_size else []
    findings = verify_lock(
        lock,
        {record.key: record for record in recorded if record.key},
        demands=demands,
        programs=ProgramTests(build_command, tests, no_sandbox=context.params["no_sandbox"]),
        on_finding=lambda finding: click.echo(f"{finding.source}: {finding.verdict}", err=True),
    )
    if as_json:
        rows = [{**dataclasses.asdict(finding), "counts": counted(finding.functions)} for finding in findings]
        click.echo(json.dumps(rows, indent=2))
    else:
        for finding in findings:
            click.echo(
                f"{finding.source}: {finding.verdict}: "
                f"{_figure(finding.baseline_value)} -> {_figure(finding.value)}"
                + (f"; {finding.speedup} times as fast" if finding.speedup else "")
                + (f"; functions: {counted(finding.functions)}" if finding.functions else "")
                + (f"; program: {finding.program}" if finding.program else "")
                + (f"; {finding.reason}" if finding.reason else "")
            )
            for line in function_table(finding.functions):
                click.echo(f"  {line}")
    wrong = [finding for finding in findings if finding.was_judged and not finding.verdict.may_be_kept]
    if remove and wrong:
        locks.remove(lock, [finding.key for finding in wrong])
        click.echo(f"{len(wrong)} of {len(findings)} plans were taken out of {lock}", err=True)
    if not all(finding.verdict.may_be_kept for finding in findings):
        sys.exit(1)


def _figure(value: int | None) -> str:
    return "no figure" if value is None else str(value)
