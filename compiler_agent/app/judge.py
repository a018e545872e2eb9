"""Judges one plan on one unit: its figure, its functions and, where there is one, its program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler_agent.app.blame_program import Program, Unit
from compiler_agent.app.records import Record
from compiler_agent.app.verification import Demands, establish
from compiler_agent.base.errors import ToolError
from compiler_agent.evaluation.difftest import Outcome, ProgramVerdict, Workload
from compiler_agent.evaluation.evaluate import Evaluator, Verdict
from compiler_agent.evaluation.ledger import Ledger
from compiler_agent.llvm import catalog
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.plan import Plan


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one plan is worth."""

    key: str
    """The unit's key."""
    verdict: Verdict
    """Whether it may be kept."""
    reason: str
    """Why not."""
    baseline_value: int
    """Executable bytes of clang's own object."""
    value: int | None
    """The same with the plan; None: there is no object."""
    size_ratio: float | None
    """The first divided by the second."""
    ledger: Ledger | None
    """What was shown for each function; None: there is no object."""
    program_tests: tuple[dict[str, Any], ...] | None
    """What was run, and how; None: nothing."""

    def to_json(self) -> dict[str, Any]:
        """The judgement as `judge --json` prints it."""
        ledger = self.ledger
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "trust": ledger.trust if ledger else None,
            "functions": {name: one.to_json() for name, one in ledger.functions.items()} if ledger else {},
            "refuted_functions": ledger.refuted_functions if ledger else (),
            "verification_seconds": round(ledger.seconds, 1) if ledger else 0.0,
            "program_test": self.program_tests,
            "baseline_text_bytes": self.baseline_value,
            "text_bytes": self.value,
            "size_ratio": self.size_ratio,
            "key": self.key,
        }


def judge_plan(
    record: Record,
    plan: Plan,
    demands: Demands,
    arguments: Sequence[str] = (),
    cwd: Path = Path(),
    workloads: Sequence[Workload] = (),
) -> Judgement:
    """Judges a plan; one that is not smaller is tested, too: that it is wrong is worth more than that it is big.

    Args:
        record: The unit.
        plan: The plan.
        demands: What it needs to be kept.
        arguments: Of the clang command, for where the unit's object belongs in a program.
        cwd: Where the program was built.
        workloads: What shows how the program behaves.

    Raises:
        NotEstablished: A program's test fails on the -O0 object, or does not repeat.
        EngineError: The unit does not compile.
    """
    program = Program.with_reference(Unit.of_command(arguments, cwd), workloads) if workloads else None
    with Engine(record.argv, record.cwd) as engine:
        evaluator = Evaluator(engine, catalog.load(), allow_experimental=True)  # the ledger says whether it may be kept
        evaluation = evaluator.evaluate(plan)
        verdict, reason, ledger = evaluation.verdict, evaluation.reason, None
        if evaluation.value is not None:
            ledger = establish(
                record,
                engine.key,
                plan,
                evaluator.catalog,
                demands,
                program_test=(lambda content: _run(program, content)) if program else None,
            )
            shown, why = demands.verdict(ledger)
            if ledger.program is not None and ledger.program.verdict is ProgramVerdict.NOT_ESTABLISHED:
                shown, why = Verdict.NOT_ESTABLISHED, str(ledger.program)
            if verdict.may_be_kept or shown is Verdict.MISCOMPILED:
                verdict, reason = shown, why
    tests = tuple(reference.evidence() for reference in program.references) if program else None
    return Judgement(
        key=engine.key,
        verdict=verdict,
        reason=reason,
        baseline_value=evaluator.baseline_value,
        value=evaluation.value,
        size_ratio=evaluation.size_ratio,
        ledger=ledger,
        program_tests=tests,
    )


def _run(program: Program, content: bytes) -> Outcome:
    try:
        return program.judge(content)
    except ToolError as error:
        return Outcome(ProgramVerdict.DIFFERENT, (), f"it does not link: {error.stderr_tail[-300:]}")
