"""The part of a blame that works on textual IR with `opt`: which application of which pass, in which function.

A plan is replayed inside clang; here the same passes run in `opt`, and clang only makes the object. Whether that is
still refuted is asked first: a report that others can follow needs commands, not our plugin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.blame_minimise import NOTHING
from compiler_agent.app.blame_program import Judge
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.process import check, run
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.difftest import Outcome, ProgramVerdict
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.plan import KEEP_ORDER, Plan
from compiler_agent.llvm.toolchain import Toolchain

_TIMEOUT_S = 120.0
_MEMORY_BYTES = 4 << 30
_MOST_FUNCTIONS = 60
_BISECT = re.compile(r"BISECT: running pass \((\d+)\) (\S+) on (.*)")
_DEFINED = re.compile(r"^define .*?@(\"[^\"]*\"|[\w.$-]+)\(.*?^}$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Application:
    """One run of one pass."""

    number: int
    """Its number for -opt-bisect-limit."""
    name: str
    """The pass."""
    unit: str
    """What it ran on, as LLVM says it: a function, `[module]`, a loop, an SCC."""


class IrUnit:
    """A unit as IR: passes by `opt`, objects by clang, behaviour by the program or by a function's test."""

    def __init__(self, program: Judge, toolchain: Toolchain, catalog: Catalog) -> None:
        self.program = program
        self.toolchain = toolchain
        self._catalog = catalog
        self.record = program.unit.record

    def source_ir(self, plan: Plan) -> str:
        """What a plan's pipeline starts from: clang's IR, with the plan's decisions in it."""
        words = ["-S", "-emit-llvm", "-Xclang", "-disable-llvm-passes", "-fno-discard-value-names", "-g0"]
        done = check([*self.record.argv, *words], cwd=self.record.cwd, timeout_s=_TIMEOUT_S)
        if not plan.decisions:
            return done.stdout.decode()
        with Library().parse(done.stdout) as module:
            module.run(str(Plan(NOTHING, decisions=plan.decisions)))
            return module.print()

    def opt_command(self, plan: Plan, limit: int | None = None) -> list[str]:
        """The `opt` command that runs a plan's pipeline on IR that has its decisions in it, without files."""
        late = self._catalog.late_options(plan).split()
        early = [word for word in (f"-{name}={value}" for name, value in plan.options) if word not in late]
        if any(decision.forces_vectorization for decision in plan.decisions):
            early.append(KEEP_ORDER)
        command = [str(self.toolchain.tool("opt")), f"-passes={plan.pipeline}", *early]
        return command if limit is None else [*command, f"-opt-bisect-limit={limit}"]

    def optimise(self, ir: str, plan: Plan, limit: int | None = None) -> tuple[str, list[Application]] | None:
        """The module after a plan's pipeline, or the first so many applications of its passes; None if that fails."""
        done = run(
            [*self.opt_command(plan, limit), "-S", "-o", "-", "-"],
            input=ir.encode(),
            timeout_s=_TIMEOUT_S,
            memory_bytes=_MEMORY_BYTES,
        )
        if done.status != 0 or done.timed_out:
            return None
        found = _BISECT.findall(done.stderr.decode(errors="replace"))
        return done.stdout.decode(), [Application(int(number), name, unit) for number, name, unit in found]

    def code_command(self, path: str, plan: Plan | None = None) -> list[str]:
        """The clang command that makes an object of IR without optimizing it; at -O0 without a plan."""
        words = [["-x", "ir", path] if word == self.record.source else [word] for word in self.record.argv]
        late = self._catalog.late_options(plan).split() if plan else []
        command = [word for group in words for word in group] + ["-Xclang", "-disable-llvm-passes"]
        return [*command, *(piece for word in late for piece in ("-mllvm", word)), *([] if plan else ["-O0"])]

    def judge(self, ir: str, plan: Plan | None = None) -> Outcome:
        """What the program does with this module as its unit, compiled as it is."""
        with ScratchDirectory() as directory:
            path = Path(directory) / "unit.ll"
            path.write_text(ir)
            command = self.code_command(str(path), plan)
            done = run(command, cwd=self.record.cwd, timeout_s=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES)
        if done.status != 0 or done.timed_out:
            return Outcome(ProgramVerdict.NOT_ESTABLISHED, (), "it does not compile")
        try:
            return self.program.judge(done.stdout)
        except CompilerAgentError as error:  # it does not link
            return Outcome(ProgramVerdict.NOT_ESTABLISHED, (), error.message)

    def refutes(self, ir: str, plan: Plan, limit: int | None = None) -> bool:
        """Whether the program is wrong once a plan has run on this module, or its first applications have."""
        after = self.optimise(ir, plan, limit)
        return after is not None and self.judge(after[0], plan).verdict is ProgramVerdict.DIFFERENT

    def is_wrong(self, ir: str, plan: Plan, limit: int | None = None, rest: Sequence[Plan] = ()) -> bool:
        """Whether a module is wrong after a plan, or its first applications, by itself or once one of the rest has run.

        The rest shows what is wrong already but does no harm yet: an attribute that does not hold harms nobody until a
        later pass, which is right, believes it.
        """
        after = self.optimise(ir, plan, limit)
        if after is None:
            return False
        if self.judge(after[0], plan).verdict is ProgramVerdict.DIFFERENT:
            return True
        return any(self.refutes(after[0], completion) for completion in rest)

    def find_application(self, ir: str, plan: Plan, rest: Sequence[Plan]) -> Application | None:
        """The first application of a pass after which the module is wrong (`is_wrong`); None if none can be told."""
        after = self.optimise(ir, plan, -1)
        if after is None or not after[1]:
            return None
        applications = after[1]
        good, bad = 0, applications[-1].number
        if self.is_wrong(ir, plan, 0, rest) or not self.refutes(ir, plan, bad):
            return None  # code generation or the rest is to blame, or counting changes what happens
        while bad - good > 1:
            middle = (good + bad) // 2
            if self.is_wrong(ir, plan, middle, rest):
                bad = middle
            else:
                good = middle
        return next((found for found in applications if found.number == bad), None)

    def find_functions(self, before: str, after: str, rest: Plan) -> tuple[str, ...]:
        """The functions whose new bodies alone, among the old ones of all others, make the program wrong after `rest`.

        Empty where no single one does, or a body cannot be taken over alone.
        """
        old, new = bodies(before), bodies(after)
        changed = [name for name in new if name in old and new[name] != old[name]]
        if len(changed) <= 1 or len(changed) > _MOST_FUNCTIONS:
            return tuple(changed) if len(changed) == 1 else ()
        wrong = []
        for name in changed:
            mixed = self._mixed(before, after, name.strip('"'))
            if mixed is not None and self.refutes(mixed, rest):
                wrong.append(name)
        return tuple(wrong)

    def _mixed(self, before: str, after: str, function: str) -> str | None:
        with ScratchDirectory() as directory:
            place = Path(directory)
            (place / "before.ll").write_text(before)
            (place / "after.ll").write_text(after)
            tool = self.toolchain.tool
            commands: Sequence[Sequence[str | Path]] = (
                [tool("llvm-extract"), "-S", f"--func={function}", "--delete", "before.ll", "-o", "rest.ll"],
                [tool("llvm-extract"), "-S", f"--func={function}", "after.ll", "-o", "one.ll"],
                [tool("llvm-link"), "-S", "rest.ll", "one.ll", "-o", "mixed.ll"],
            )
            for command in commands:
                if run(command, cwd=place, timeout_s=_TIMEOUT_S).status != 0:
                    return None
            return (place / "mixed.ll").read_text()


def bodies(ir: str) -> dict[str, str]:
    """The functions that a module defines, by name as it is written, with their text."""
    return {match[1]: match[0] for match in _DEFINED.finditer(ir)}
