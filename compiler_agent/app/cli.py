"""The `compiler-agent` command. Results go to stdout, progress and logs to stderr.

Exit status: 0 done, 1 ran but negative or not established, 2 usage, 3 could not run. The commands are in cli_*.py.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

import click
from rich.console import Console

from compiler_agent.app import (
    cli_bench,
    cli_bench_speed,
    cli_blame,
    cli_campaign,
    cli_env,
    cli_env_bench,
    cli_explain,
    cli_judge,
    cli_lock,
    cli_observe,
    cli_tune,
)
from compiler_agent.app import doctor as doctor_module
from compiler_agent.app.messages import show_warnings_plainly
from compiler_agent.base.errors import CompilerAgentError

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=_CONTEXT)
@click.version_option(package_name="cc-agent")
def cli() -> None:
    """Finds, proves and keeps LLVM pass plans that make C and C++ smaller than clang's best flags.

    A build replays them with CC=cc-agent CFLAGS=-O-agent=size.
    """


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


for _command in (
    cli_tune.tune,
    cli_lock.verify,
    cli_explain.explain,
    cli_judge.judge,
    cli_observe.observe,
    cli_blame.blame,
    cli_env.env,
    cli_bench.bench,
):
    cli.add_command(_command)

for _command in (
    cli_env_bench.bench_pass_order,
    cli_env_bench.bench_steps,
    cli_campaign.bench_csmith,
    cli_campaign.bench_llvm_stress,
    cli_bench_speed.bench_speed,
    cli_bench_speed.bench_measurement,
):
    cli_bench.bench.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: errors of ours become one message and an exit status."""
    show_warnings_plainly("compiler-agent")
    # A parent can pass it on ignored, and then no program's end would be known.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
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
