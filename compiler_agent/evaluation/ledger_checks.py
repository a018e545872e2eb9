"""What the ledger asks of one plan on one unit: the compilations, the comparison, the provers and the tester."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from compiler_agent.base.errors import CompilerAgentError, EngineError
from compiler_agent.evaluation import code_comparison
from compiler_agent.evaluation.function_test import FunctionEvidence, FunctionOutcome, test_functions
from compiler_agent.evaluation.validate import FunctionVerdict, alive, validate_modules
from compiler_agent.evaluation.validate.ir import Function, Module, reachable_symbols, read_module
from compiler_agent.llvm import replay
from compiler_agent.llvm.engine import Outcome as CompileOutcome
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.plan import Plan

_CHEAP_LINES = 40
"""A function that is shorter than this in assembly, and has no loop, is given to the provers unasked."""
_GROUP = 4
"""Functions that are given to a prover before an interrupt is looked at."""
_ASSEMBLY = ("-S", "-g0", "-fno-verbose-asm")
_UNOPTIMIZED = ("-emit-llvm", "-g0", "-Xclang", "-disable-llvm-passes")


class Checks:
    """The compilations of one unit, with the plan and without, and what is asked of them."""

    def __init__(
        self, argv: Sequence[str], cwd: str | os.PathLike[str], key: str, plan: Plan, timeout_s: float
    ) -> None:
        self._argv, self._cwd, self._key, self._plan, self._timeout_s = argv, cwd, key, str(plan), timeout_s
        self.object = self._with_plan()
        self._code = code_comparison.parse(self._with_plan(*_ASSEMBLY).decode(errors="surrogateescape"))
        own = code_comparison.parse(replay.compile_plainly(argv, cwd, *_ASSEMBLY).decode(errors="surrogateescape"))
        self.comparison = code_comparison.compare(own, self._code)

    def _with_plan(self, *more: str) -> bytes:
        made = replay.replay([*self._argv, *more], self._cwd, self._key, self._plan, timeout_s=self._timeout_s)
        if made.outcome is not CompileOutcome.OK:
            raise EngineError(f"the plan does not compile: {made.outcome}: {made.message}")
        return made.content

    def short(self, names: Sequence[str]) -> list[str]:
        """Functions for which a proof costs next to nothing."""
        code = self._code
        return [
            name for name in names if name in code.items and code.n_lines(name) <= _CHEAP_LINES and not code.loops(name)
        ]

    def validate(
        self, names: Sequence[str], seconds: float, should_stop: Callable[[], bool]
    ) -> Iterable[FunctionVerdict]:
        """What the translation validator says of functions that are there before and after."""
        if not names:
            return
        try:
            before, after = self._modules
            known = [name for name in names if _defines(before.functions, name) and _defines(after.functions, name)]
            for first in range(0, len(known), _GROUP):
                if should_stop():
                    return
                group = known[first : first + _GROUP]
                yield from validate_modules(
                    self._unoptimized, self._optimized, functions=group, seconds_per_function=seconds
                )
        except CompilerAgentError:
            return  # what was not proved is tested

    def ask_alive(
        self, names: Sequence[str], seconds: float, should_stop: Callable[[], bool]
    ) -> Iterable[FunctionVerdict]:
        """What alive-tv says, where it is on the PATH, of functions that it can judge by themselves.

        It does not follow calls into what a plan has inlined, nor does it know what else touches a variable of the
        unit's own: of functions that have either it would say that they are incorrect.
        """
        program = alive.find() if names else None
        if program is None:
            return
        try:
            before, after = self._modules
            for name in names:
                if should_stop():
                    return
                if _is_alone(before, name) and _is_alone(after, name):
                    yield alive.validate_with_alive(
                        program, self._unoptimized, self._optimized, name, seconds=seconds, library=self._library
                    )
        except CompilerAgentError:
            return

    @functools.cached_property
    def _library(self) -> Library:
        return Library()

    @functools.cached_property
    def _unoptimized(self) -> bytes:
        return replay.compile_plainly(self._argv, self._cwd, *_UNOPTIMIZED)

    @functools.cached_property
    def _optimized(self) -> bytes:
        return self._with_plan("-emit-llvm", "-g0")

    @functools.cached_property
    def _modules(self) -> tuple[Module, Module]:
        texts = []
        for content in (self._unoptimized, self._optimized):
            with self._library.parse(content) as module:
                texts.append(module.json())
        return read_module(texts[0]), read_module(texts[1])

    def test(
        self, names: Sequence[str], seconds: float, seed: int, should_stop: Callable[[], bool] = lambda: False
    ) -> list[FunctionEvidence]:
        """What the function tester says; for each function there is an answer."""
        reason = "the function tester does not know it"
        found: dict[str, FunctionEvidence] = {}
        try:
            report = test_functions(
                self._argv,
                self._cwd,
                self.object,
                seconds_per_function=seconds,
                seed=seed,
                functions=names,
                should_stop=should_stop,
            )
            found = {evidence.function: evidence for evidence in report.functions}
        except CompilerAgentError as error:
            reason = error.message.splitlines()[0]
        return [
            found.get(name) or FunctionEvidence(name, FunctionOutcome.NOT_ESTABLISHED, reason, seed=seed)
            for name in names
        ]


def _defines(functions: Mapping[str, Function], name: str) -> bool:
    return name in functions and functions[name].defined


def _is_alone(module: Module, name: str) -> bool:
    """Whether a function mentions no other function of its module, and no variable that is the module's own."""
    if not _defines(module.functions, name):
        return False
    symbols = reachable_symbols(module, module.functions[name].symbols) - {name}
    variables = [module.globals[symbol] for symbol in symbols if symbol in module.globals]
    return not any(_defines(module.functions, symbol) for symbol in symbols) and all(
        one.constant or not one.local for one in variables
    )
