"""A blame as a directory that could be attached to an issue of LLVM: report.md, reproduce.sh and the modules."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from compiler_agent.app.blame import Blame
from compiler_agent.app.blame_ir import IrUnit, bodies
from compiler_agent.base.files import file_error
from compiler_agent.llvm.toolchain import Toolchain

_MOST_LINES = 250


def write_report(blame: Blame, unit: IrUnit, directory: Path, *, checks: str = "") -> Path:
    """Writes a report.

    Args:
        blame: What was found.
        unit: The unit, for the commands.
        directory: Where to; made if it is not there.
        checks: What else was established, a sentence (sanitizers, a proof).

    Returns:
        The path of report.md.

    Raises:
        FileError: It cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if blame.before:
            (directory / "before.ll").write_text(blame.before)
        if blame.reduced:
            (directory / "reduced.ll").write_text(blame.reduced)
        if blame.step is not None:
            script = directory / "reproduce.sh"
            script.write_text(reproducer(blame, unit))
            script.chmod(0o755)
        (directory / "blame.json").write_text(json.dumps(to_json(blame, unit.toolchain), indent=2) + "\n")
        report = directory / "report.md"
        report.write_text(to_markdown(blame, unit, checks))
    except OSError as error:
        raise file_error("write", directory, error) from error
    return report


def to_json(blame: Blame, toolchain: Toolchain) -> dict[str, object]:
    """The blame for programs."""
    application = blame.application
    return {
        "culprits": list(blame.culprits),
        "plan": str(blame.plan),
        "minimal_plan": str(blame.minimal),
        "differences": [str(difference) for difference in blame.differences],
        "application": application
        and {"number": application.number, "pass": application.name, "unit": application.unit},
        "functions": list(blame.functions),
        "step": str(blame.step) if blame.step else None,
        "reduced_lines": len(blame.reduced.splitlines()) or None,
        "reduction_complete": blame.is_reduction_complete,
        "llvm": toolchain.version,
        "target": toolchain.target,
        "notes": list(blame.notes),
    }


def to_markdown(blame: Blame, unit: IrUnit, checks: str = "") -> str:
    """The report."""
    program = unit.program
    toolchain = unit.toolchain
    lines = [f"# [{', '.join(blame.culprits)}] wrong code for {Path(program.unit.record.source).name}", ""]
    lines += [f"LLVM {toolchain.version}, {toolchain.target}.", "", "## What happens", ""]
    lines += program.shown()
    lines += [f"* {difference}" for difference in blame.differences]
    lines += ["", "## The pipeline", "", "The smallest part of the plan that is still wrong:", ""]
    lines += [*_fenced(str(blame.minimal)), "The whole plan:", "", *_fenced(str(blame.plan))]
    if blame.application is not None:
        found = blame.application
        lines += [
            "`-opt-bisect-limit` on it. After this application the module is wrong, by itself or once `default<O2>` "
            "has run on it, and before it is right both ways:",
            "",
        ]
        lines += _fenced(f"BISECT: running pass ({found.number}) {found.name} on {found.unit}")
    if blame.functions:
        lines += [f"Taken over alone, the new body of {' or '.join(blame.functions)} makes the program wrong.", ""]
    if blame.step is not None:
        lines += ["## To reproduce", ""]
        # Without the path of this machine: whoever reads it has an opt of their own.
        command = ["opt", *unit.opt_command(blame.step)[1:], "-S", _input(blame), "-o", "after.ll"]
        lines += _fenced(shlex.join(command), "sh")
        lines += ["`reproduce.sh` makes both objects and says what to run.", ""]
    module = blame.reduced or blame.before
    if module:
        state = "reduced by llvm-reduce" if blame.reduced else "not reduced"
        state += "" if blame.is_reduction_complete or not blame.reduced else ", which ran out of its time"
        lines += ["## The module", "", f"`{_input(blame)}`, {state}."]
        if len(module.splitlines()) <= _MOST_LINES:
            lines += ["", *_fenced(module.rstrip(), "llvm")]
        else:
            lines += [f"It has {len(module.splitlines())} lines and {len(bodies(module))} functions.", ""]
    lines += ["## What was checked", ""]
    lines += [f"* {sentence}" for sentence in program.checked()]
    if blame.reduced:
        lines += ["* On the reduced module -O0, `default<O1>` and `default<O2>` all give the right behaviour."]
        lines += ["* That the reduced module has no undefined behaviour was not proved."]
    lines += [f"* {checks}"] if checks else []
    lines += [f"* Not established: {note}." for note in blame.notes]
    return "\n".join(lines) + "\n"


def reproducer(blame: Blame, unit: IrUnit) -> str:
    """A shell script that makes the wrong and the right object."""
    assert blame.step is not None
    wrong = [*unit.opt_command(blame.step), "-S", _input(blame), "-o", "after.ll"]
    lines = [
        "#!/bin/sh",
        "# Makes wrong.o and right.o of the same module, which behave differently.",
        "set -e",
        'cd "$(dirname "$0")"',
        shlex.join(wrong),
        _redirected(unit.code_command("after.ll", blame.step), "wrong.o"),
        _redirected(unit.code_command(_input(blame)), "right.o"),
        *(f"# {line}".rstrip() for line in unit.program.to_see()),
    ]
    return "\n".join(lines) + "\n"


def _input(blame: Blame) -> str:
    return "reduced.ll" if blame.reduced else "before.ll"


def _redirected(command: list[str], output: str) -> str:
    return f"{shlex.join(command)} > {output}"


def _fenced(text: str, language: str = "") -> list[str]:
    return [f"```{language}", text, "```", ""]
