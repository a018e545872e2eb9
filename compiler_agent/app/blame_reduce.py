"""Makes a module smaller while one step on it stays wrong: llvm-reduce, with the program as the judge.

A module that lost something may have undefined behaviour, and then nothing is wrong about a step that changes what it
does. So a smaller module counts only if, compiled at -O0 and again with clang's stock pipelines, the program still does
what the original does: whoever removes what matters is seen by one of them, as far as running can show it.
"""

from __future__ import annotations

import pickle
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.blame_ir import IrUnit
from compiler_agent.base.config import child_environment
from compiler_agent.base.process import run
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.difftest import ProgramVerdict
from compiler_agent.llvm.plan import Plan

CONTROLS = tuple(Plan.parse(f"-passes=default<{level}>") for level in ("O1", "O2"))
"""What stock clang makes of the module must be right."""
_SCRIPT = '#!/bin/sh\nexec {python} -P -m compiler_agent.app.blame_reduce {question} "$@"\n'


def reduce_module(unit: IrUnit, ir: str, step: Plan, time_s: float) -> tuple[str, bool]:
    """Reduces a module.

    Args:
        unit: Who judges.
        ir: The module on which the step is wrong.
        step: The step.
        time_s: When to stop, on the clock; what was reached by then counts.

    Returns:
        The smaller module, and whether llvm-reduce came to its end; empty where nothing was reached, or the module
        itself is not accepted (a stock pipeline does not do what -O0 does).
    """
    if not is_interesting(unit, step, ir):
        return "", False
    with ScratchDirectory() as directory:
        place = Path(directory)
        (place / "question").write_bytes(pickle.dumps((unit, step)))
        script = place / "interesting.sh"
        script.write_text(
            _SCRIPT.format(python=shlex.quote(sys.executable), question=shlex.quote(str(place / "question")))
        )
        script.chmod(0o755)
        (place / "input.ll").write_text(ir)
        reduced = place / "reduced.ll"
        tool = unit.toolchain.tool("llvm-reduce")
        command: Sequence[str | Path] = [tool, f"--test={script}", "-j", "1", "-o", reduced, "input.ll"]
        # What is running when the time is over is killed, and its temporary files are to go with ours.
        (place / "tmp").mkdir()
        done = run(command, cwd=place, env=child_environment(TMPDIR=str(place / "tmp")), timeout_s=time_s)
        # It writes what it has after each of its passes; being stopped in the middle of one loses that one.
        text = reduced.read_text(errors="replace") if reduced.is_file() else ""
        return (text, not done.timed_out) if text and is_interesting(unit, step, text) else ("", False)


def is_interesting(unit: IrUnit, step: Plan, ir: str) -> bool:
    """Whether a module is right as it stands and by clang's stock pipelines, and wrong after the step."""
    if unit.judge(ir).verdict is not ProgramVerdict.SAME:
        return False
    if not unit.refutes(ir, step):
        return False
    for control in CONTROLS:
        after = unit.optimise(ir, control)
        if after is None or unit.judge(after[0], control).verdict is not ProgramVerdict.SAME:
            return False
    return True


def main(arguments: Sequence[str]) -> int:
    """What llvm-reduce asks: 0 if the module in the second argument is interesting, 1 if not."""
    question, path = arguments
    unit, step = pickle.loads(Path(question).read_bytes())
    return 0 if is_interesting(unit, step, Path(path).read_text(errors="replace")) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
