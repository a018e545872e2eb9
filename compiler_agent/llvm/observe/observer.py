"""Everything that can be seen of one translation unit, as text for a planner or a person."""

from __future__ import annotations

import difflib
import functools
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from compiler_agent.base.errors import ObservationError
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.llvm.observe import capture, unit_text
from compiler_agent.llvm.observe.call_graph import Measure, call_graph, weights
from compiler_agent.llvm.observe.capture import Compiled
from compiler_agent.llvm.observe.code_estimates import Body, CodeEstimates
from compiler_agent.llvm.observe.compact_ir import CompactFunction, compact
from compiler_agent.llvm.observe.effects import Effects, read_effects
from compiler_agent.llvm.observe.facts import Function, Loop, Summary
from compiler_agent.llvm.observe.facts_json import read_summary
from compiler_agent.llvm.observe.history import Attempt
from compiler_agent.llvm.observe.loop_text import loop_text
from compiler_agent.llvm.observe.machine_text import estimates_text, source_loop
from compiler_agent.llvm.observe.names import short_names
from compiler_agent.llvm.observe.packet import CHARACTERS_PER_TOKEN, DEFAULT_TOKEN_BUDGET, Section, assemble, cut
from compiler_agent.llvm.observe.redaction import Redaction
from compiler_agent.llvm.observe.remark_text import grouped
from compiler_agent.llvm.observe.report import to_json
from compiler_agent.llvm.observe.worker import ask
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import Toolchain, discover

ANSWER_TOKENS = 4000
"""The most that one answer of a `show_*` function has."""
_ESTIMATED_FUNCTIONS = 8
"""llvm-mca looks at the loops of so many functions, those with the largest weight."""


class Observer:
    """One translation unit. What is asked for is computed when it is asked for, and once."""

    def __init__(
        self,
        argv: Sequence[str],
        cwd: str | os.PathLike[str],
        *,
        toolchain: Toolchain | None = None,
        history: Sequence[Attempt] = (),
        redact: bool = False,
        cpu: str = "",
    ) -> None:
        """Reads the unit.

        Args:
            argv: A clang command that writes its object to standard output (`-c -o - SOURCE`).
            cwd: Its working directory.
            toolchain: LLVM; found if None.
            history: Plans that were tried.
            redact: Whether symbols are renamed and strings blanked.
            cpu: The CPU for which llvm-mca estimates; empty: the one that the code is compiled for.

        Raises:
            ToolError: The unit does not compile.
        """
        self.argv = tuple(argv)
        self.cwd = cwd
        self.toolchain = toolchain or discover()
        self.history = tuple(history)
        self._cpu = cpu
        # Both compilations at once: the second takes longer than all that is made from the first.
        with ThreadPoolExecutor() as threads:
            compiled = threads.submit(capture.compiled, self.argv, cwd)
            self._bitcode = capture.unoptimized(self.argv, cwd)
            self.stock_plan = unit_text.stock_plan(self.argv)
            effects = threads.submit(self._ask, "code", self.stock_plan)
            self.summary: Summary = read_summary(self._ask("summary"))
            self.effects: Effects = read_effects(effects.result())
            self.compiled = compiled.result()
        self.redaction = Redaction(redact, self.summary.symbols, self.summary.library_functions)
        self.graph = call_graph(self.summary)
        self.measure, self.weights = weights(
            self.summary, self.graph, self.effects.code_bytes, for_size=unit_text.is_for_size(self.argv)
        )
        self.functions = sorted(self.summary.functions, key=lambda one: -self.weights[one.name])
        """By weight."""

    def packet(self, token_budget: int = DEFAULT_TOKEN_BUDGET) -> str:
        """The text that a planner reads first: the unit, its functions, and of those that matter what is known.

        Estimates of cycles are left out where the unit is compiled for size; `show_mca` has them.
        """
        shown = [one for one in self.functions if self.weights[one.name]][: unit_text.TABLE_FUNCTIONS]
        estimated = [] if self.measure is Measure.SIZE else shown[:_ESTIMATED_FUNCTIONS]
        estimates = self._code.of([one.name for one in estimated])
        sections = [self._section(one, estimates.get(one.name, [])) for one in shown]
        return assemble(unit_text.head(self), sections, token_budget)

    def show_function(self, name: str) -> str:
        """All that is known of a function, with its IR."""
        function = self._function(name)
        section = self._section(function, self._code.of([function.name])[function.name])
        text = f"{section.head}\n{section.facts}\n"
        room = int(ANSWER_TOKENS * CHARACTERS_PER_TOKEN)
        ir = self._ir(function)
        text = cut(text, room * 2 // 3)
        return text + f"IR:\n{ir.text(room - len(text))}\n"

    def show_loop(self, function: str, loop: int) -> str:
        """All that is known of one loop: facts, estimate, remarks, IR."""
        found = self._function(function)
        wanted = self._loop(found, loop)
        rows = [unit_text.section_head(self, found), loop_text(found, wanted, self.redaction, self.short)]
        rows += estimates_text(
            found,
            [one for one in self._code.of([found.name])[found.name] if source_loop(found, one[0]) == wanted],
            self.redaction,
            instructions=True,
        )
        rows += self._remarks(found, wanted)
        rows += [line for block in self._ir(found).blocks if block.loop == loop for line in block.lines]
        return self._answer("\n".join(rows))

    def show_mca(self, function: str) -> str:
        """What llvm-mca estimates for the innermost loops of a function's code."""
        found = self._function(function)
        texts = estimates_text(found, self._code.of([found.name])[found.name], self.redaction, instructions=True)
        name = self.redaction.name(found.name)
        return self._answer(
            "\n".join([f"llvm-mca for the CPU {self.cpu}, {name}:", *texts])
            if texts
            else f"the code of {name} has no loop"
        )

    def show_remarks(self, function: str) -> str:
        """What the optimizer said of a function, grouped."""
        found = self._function(function)
        rows = self._remarks(found)
        return self._answer("\n".join(rows) or f"the optimizer said nothing of {self.redaction.name(found.name)}")

    def try_pass_effect(self, pipeline: str) -> str:
        """Runs passes on the unoptimized module, in a process with limits, and says what they changed.

        Args:
            pipeline: As in `opt -passes=`; or a whole plan.

        Raises:
            PlanError: LLVM does not accept it.
            EngineError: A pass crashed, or did not end.
        """
        plan = pipeline if pipeline.startswith("-passes=") else f"-passes={pipeline}"
        effects = self._effects(str(Plan.parse(plan)))
        return self._answer(unit_text.effects_text(effects, self.redaction))

    def show_plan(self, plan: str) -> str:
        """What a plan changes in what the optimizer says and in the estimates, against clang's own pipeline.

        Raises:
            PlanError: It is not written as a plan is.
            EngineError: The plan gives no object.
        """
        other = capture.compiled_with(self.argv, self.cwd, str(Plan.parse(plan)))
        before, after = self._said(self.compiled, self._code), self._said(other, self._code_of(other))
        rows = [f"only without the plan: {row}" for row in before if row not in after]
        rows += [f"only with the plan: {row}" for row in after if row not in before]
        return self._answer("\n".join(rows) or "the optimizer says the same with the plan and without")

    def to_json(self) -> dict[str, Any]:
        """The facts as data."""
        return to_json(self)

    @functools.cached_property
    def cpu(self) -> str:
        """The CPU for which llvm-mca estimates."""
        return self._cpu or next((one.cpu for one in self.summary.functions if one.cpu), "") or "generic"

    def is_unique(self, short: str) -> bool:
        """Whether only one function that the unit defines is called so."""
        return self._short_counts[short] == 1

    @functools.cached_property
    def _short_counts(self) -> Counter[str]:
        return Counter(self.short(one.name) for one in self.summary.functions)

    def short(self, symbol: str) -> str:
        """What a function is called where its exact name is not needed."""
        return (
            self.redaction.name(symbol)
            if self.redaction.enabled
            else self._short_names.get(symbol, self.redaction.name(symbol))
        )

    @functools.cached_property
    def _short_names(self) -> Mapping[str, str]:
        return short_names(self.summary.symbols, self.toolchain)

    def _answer(self, text: str) -> str:
        return cut(text, int(ANSWER_TOKENS * CHARACTERS_PER_TOKEN)) + "\n"

    def _ask(self, what: str, *arguments: str) -> str:
        with ScratchDirectory(prefix="cc-agent-observe-") as directory:
            bitcode = Path(directory) / "module.bc"
            bitcode.write_bytes(self._bitcode)
            return ask(what, bitcode, *arguments)

    def _effects(self, plan: str) -> Effects:
        return read_effects(self._ask("effects", plan))

    def _function(self, name: str) -> Function:
        symbol = self.redaction.original(name)
        by_name = {one.name: one for one in self.summary.functions}
        if symbol in by_name:
            return by_name[symbol]
        if self.is_unique(symbol):
            return next(one for one in self.summary.functions if self.short(one.name) == symbol)
        names = self.redaction.names(by_name)
        near = difflib.get_close_matches(name, names, n=5, cutoff=0.5) or names[:10]
        raise ObservationError(f"the unit defines no function {name!r}", hint=f"there are: {', '.join(near)}")

    def _loop(self, function: Function, position: int) -> Loop:
        if 0 <= position < len(function.loops):
            return function.loops[position]
        there = ", ".join(f"{one.position} (line {one.first_line})" for one in function.loops) or "none"
        raise ObservationError(
            f"{self.redaction.name(function.name)} has no loop {position}", hint=f"its loops: {there}"
        )

    def _section(self, function: Function, estimates: Sequence[Body]) -> Section:
        loops = [loop_text(function, loop, self.redaction, self.short) for loop in function.loops]
        bodies = estimates_text(function, estimates, self.redaction)
        facts = [*loops, *unit_text.call_sites(self, function)]
        if bodies:
            facts += [f"llvm-mca ({self.cpu}, estimates):", *bodies]
        if remarks := self._remarks(function):
            facts += ["remarks of the stock pipeline:", *(f" {row}" for row in remarks)]
        if effect := unit_text.function_effects(self.effects, function.name):
            facts += [effect]
        return Section(
            self.short(function.name),
            unit_text.section_head(self, function),
            "\n".join(facts),
            self._ir(function),
        )

    def _ir(self, function: Function) -> CompactFunction:
        return compact(function, self.summary.simplified[function.name], self.redaction)

    @functools.cached_property
    def _code(self) -> CodeEstimates:
        return self._code_of(self.compiled)

    def _code_of(self, compiled: Compiled) -> CodeEstimates:
        return CodeEstimates(compiled.assembly, self.toolchain, self.summary.triple, self.cpu)

    def _said(self, compiled: Compiled, code: CodeEstimates) -> list[str]:
        """What one compilation says of the functions that matter, each line with its function."""
        functions = self.functions[:_ESTIMATED_FUNCTIONS]
        estimates = code.of([one.name for one in functions])
        rows = []
        for one in functions:
            said = [*estimates_text(one, estimates[one.name], self.redaction), *self._remarks(one, compiled=compiled)]
            rows += [f"{self.short(one.name)}: {row.splitlines()[0]}" for row in said]
        return rows

    def _remarks(self, function: Function, loop: Loop | None = None, compiled: Compiled | None = None) -> list[str]:
        return grouped(
            (
                one
                for one in (compiled or self.compiled).remarks
                if one.function == function.name and (loop is None or loop.first_line <= one.line <= loop.last_line)
            ),
            self.redaction,
            self.short,
        )
