"""One function before and after, to a verdict; runs in a process of its own, see `worker`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.call_claims import annotated
from compiler_agent.evaluation.validate.claims import new_claims
from compiler_agent.evaluation.validate.clock import Clock
from compiler_agent.evaluation.validate.events import Exit, State
from compiler_agent.evaluation.validate.execute import Execution
from compiler_agent.evaluation.validate.flow import flow_of
from compiler_agent.evaluation.validate.instructions import step
from compiler_agent.evaluation.validate.ir import Attributes, Function, Module, Type
from compiler_agent.evaluation.validate.loops import Plan
from compiler_agent.evaluation.validate.memory import Initial
from compiler_agent.evaluation.validate.question import Answer, Question, show
from compiler_agent.evaluation.validate.refine import (
    Difference,
    Reply,
    Strictness,
    differences,
    doubts,
)
from compiler_agent.evaluation.validate.structural import same_function
from compiler_agent.evaluation.validate.terms import bits
from compiler_agent.evaluation.validate.values import (
    Aggregate,
    Number,
    Unsupported,
    Value,
    element_types,
    poisoned,
    width_of,
)
from compiler_agent.evaluation.validate.verdict import FunctionVerdict, Outcome
from compiler_agent.evaluation.validate.world import ENTRY, INDEX_BITS, Side, World


def check_function(
    source: Module, target: Module, name: str, *, seconds: float, concrete: bool = False, bound: int = 0
) -> FunctionVerdict:
    """Says whether a function of the target refines the one of the source.

    Args:
        source: The module before.
        target: The module after.
        name: The function; both have it.
        seconds: Processor time for all of it, as far as z3 keeps to it.
        concrete: Whether arguments are known to be neither undef nor poison.
        bound: How often loops are unrolled to look for a counterexample.
    """
    started, clock = time.monotonic(), Clock(seconds)
    before, after = source.functions[name], target.functions[name]

    def verdict(outcome: Outcome, reason: str, checker: str = "z3", **rest: object) -> FunctionVerdict:
        took = time.monotonic() - started
        return FunctionVerdict(name, outcome, reason, checker, time_s=took, **rest)  # type: ignore[arg-type]

    if source.layout != target.layout or source.triple != target.triple:
        return verdict(Outcome.NOT_ESTABLISHED, "the modules are for different targets")
    if (before.result, before.arguments) != (after.result, after.arguments):
        return verdict(Outcome.NOT_ESTABLISHED, "the function's type was changed")
    if not (before.defined and after.defined):
        return verdict(Outcome.NOT_ESTABLISHED, "it is not defined in both modules")
    assumes = same_function(source, target, name)
    if assumes is not None:
        return verdict(Outcome.PROVED, "the same up to names", "structural", assumes=assumes)
    if reason := new_claims(before, after, target):
        return verdict(Outcome.NOT_ESTABLISHED, reason)
    last = Reply(Answer.UNKNOWN, "there was no time")
    for expand in expansions(source, before, after):
        looping = any(flow_of(one).heads for one in (before, after, *(source.functions[name] for name in expand)))
        # Loops first by induction, which proves; then unrolled, which also refutes.
        for share, induction, exact in ((0.4, True, False), (0.6, False, False), (1.0, False, True)):
            if induction and not looping:
                continue
            if clock.left() <= 0:
                break
            options = Options(expand, exact, concrete, bound, clock.part(share))
            try:
                reply, pair = (
                    by_induction(source, target, name, options)
                    if induction
                    else run_both(source, target, name, options)
                )
            except Unsupported as error:
                last = Reply(Answer.UNKNOWN, f"not modelled: {error}")
                continue
            except RecursionError:
                last = Reply(Answer.UNKNOWN, "the function is too large")
                continue
            assumed = tuple(pair.assumes)
            if reply.answer is Answer.NO and pair.is_vacuous():
                last = Reply(Answer.UNKNOWN, "the function is undefined for every input, as it is modelled")
                break
            if reply.answer is Answer.NO:
                how = "no input tells them apart" + (", by induction over the rounds of loops" if induction else "")
                return verdict(Outcome.PROVED, how, assumes=assumed)
            if reply.answer is Answer.YES:
                return verdict(
                    Outcome.REFUTED,
                    reply.reason,
                    counterexample=reply.counterexample,
                    observable=reply.observable,
                    assumes=assumed,
                )
            last = reply
            if not induction and not pair.world.abstracted:
                break
    return verdict(Outcome.NOT_ESTABLISHED, last.reason)


@dataclass(frozen=True, slots=True)
class Options:
    """How a pair is run."""

    expand: frozenset[str]
    """Functions whose bodies are put in the place of their calls."""
    exact: bool
    """Whether every operation is exact, see `World`."""
    concrete: bool
    """Whether arguments are neither undef nor poison."""
    bound: int
    """How often loops are unrolled."""
    clock: Clock
    """How long it may take."""


def run_both(source: Module, target: Module, name: str, options: Options) -> tuple[Reply, Pair]:
    """Unrolls loops up to the bound, and asks for any difference."""
    pair = Pair(source, target, name, options, None)
    return pair.solve(), pair


def by_induction(source: Module, target: Module, name: str, options: Options) -> tuple[Reply, Pair]:
    """Cuts loops at their heads: gives up what does not hold there until all does, then asks for any difference."""
    plan = Plan()
    while True:
        pair = Pair(source, target, name, options, plan)
        if plan.outdated:
            plan.outdated = False
            continue
        pair.world.recording = False
        question = Question(pair.world, pair.source, pair.target)
        found = doubts(pair.source, pair.source_ends, pair.target)
        answer, model = question.ask(terms.any_of(doubt.when for doubt in found), pair.left())
        if answer is Answer.UNKNOWN:
            return Reply(answer, f"z3: {model}, about a loop"), pair
        if answer is Answer.NO:
            break
        for doubt in found:
            if z3.is_true(model.eval(doubt.when, model_completion=True)):
                doubt.refuse(plan)
    bads = differences(pair.source, pair.source_ends, pair.target, pair.target_ends)
    answer, model = question.ask(terms.any_of(one.when for one in bads), pair.left())
    if answer is Answer.NO:
        return Reply(answer, ""), pair
    if answer is Answer.UNKNOWN:
        return Reply(answer, f"z3: {model}, with loops by induction"), pair
    what = next((one.what for one in bads if z3.is_true(model.eval(one.when, model_completion=True))), "")
    return Reply(Answer.UNKNOWN, f"no induction over the rounds of loops: {what}"), pair


def expansions(source: Module, before: Function, after: Function) -> Iterator[frozenset[str]]:
    """Which functions' bodies to put in the place of their calls: those that the target calls no more."""
    known = {name for name, one in source.functions.items() if one.details["exact"] and name != before.name}
    reachable = _reachable(source, before, known - after.callees)
    yield frozenset(reachable)
    if reachable:
        yield frozenset()


def _reachable(source: Module, function: Function, among: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = [function]
    while waiting:
        for name in waiting.pop().callees & among - found:
            found.add(name)
            waiting.append(source.functions[name])
    return found


class Pair:
    """The executions of both functions from the same entry.

    Raises:
        Unsupported: Something is not modelled.
    """

    def __init__(
        self,
        source: Module,
        target: Module,
        name: str,
        options: Options,
        plan: Plan | None,
    ) -> None:
        self.world = World(source, target, exact=options.exact)
        self.options = options
        self.plan = plan
        self.source = self._execution("source", source)
        arguments = [
            self._argument(f"argument {index}", type_, source.functions[name].attributes.argument(index))
            for index, type_ in enumerate(source.functions[name].arguments)
        ]
        self.world.inputs = [(f"argument {index}", value) for index, value in enumerate(arguments)]
        self.source_ends = self._run(self.source, source.functions[name], arguments)
        self.target = self._execution("target", target)
        self.target.matching = self.source.calls
        self.target.partners = self.source.arrivals
        self.target_ends = self._run(self.target, target.functions[name], arguments)
        self.assumes = {**self.source.assumes, **self.target.assumes}

    def _execution(self, name: str, module: Module) -> Execution:
        return Execution(
            self.world,
            Side(self.world, name),
            module,
            self.options.expand,
            bound=self.options.bound,
            plan=self.plan,
            clock=self.options.clock,
            step=step,
        )

    def left(self) -> float:
        """Seconds on the clock that z3 may take; at least a little."""
        return max(0.05, self.options.clock.wall_left())

    def _argument(self, name: str, type_: Type, claims: Attributes) -> Value:
        if type_ == "ptr":
            value: Value = self.world.outside_pointer(name, may_be_local=False)
        elif isinstance(type_, str):
            value = Number(z3.BitVec(name, width_of(type_)))
        else:
            parts = enumerate(element_types(type_))
            return Aggregate(tuple(self._argument(f"{name}.{index}", part, claims) for index, part in parts))
        if self.options.concrete or "noundef" in claims:
            return value
        return poisoned(value, z3.Bool(f"{name} poison"))

    def _run(self, run: Execution, function: Function, arguments: list[Value]) -> list[Exit]:
        frame = run.frame(function)
        state = State(terms.TRUE, {}, {}, Initial(run.side, ENTRY), {}, {}, bits(0, INDEX_BITS))
        for index, value in enumerate(arguments):
            claims = function.attributes.argument(index)
            state.values[frame.number, index] = annotated(run, state, value, claims, f"argument {index}")
        ends = run.run(frame, state)
        for end in ends:
            if end.block is None and end.value is not None:
                value = annotated(run, end.state, end.value, function.attributes.result, "result")
                object.__setattr__(end, "value", value)
        return ends

    def is_vacuous(self) -> bool:
        """Whether the source does nothing that has a meaning: a fault of the model would make it prove anything."""
        seen = [end.state.reach for end in self.source_ends]
        seen += [call.when for call in self.source.calls] + [arrival.when for arrival in self.source.arrivals]
        answer, _ = Question(self.world, self.source, self.target).ask(terms.any_of(seen), 2.0)
        return answer is Answer.NO

    def _again(self, question: Question, level: Strictness) -> tuple[Answer, list[Difference], Any]:
        """Asks for differences of some kinds only."""
        found = differences(self.source, self.source_ends, self.target, self.target_ends, level=level)
        answer, model = question.ask(terms.any_of(one.when for one in found), self.left() / 2)
        return answer, found, model

    def solve(self) -> Reply:
        """Asks z3."""
        question = Question(self.world, self.source, self.target)
        self.world.recording = False  # what follows looks anywhere, for the comparison
        bads = differences(self.source, self.source_ends, self.target, self.target_ends)
        bad = terms.any_of(one.when for one in bads)
        answer, model = question.ask(bad, self.left())
        cut = terms.any_of(end.state.reach for end in self.source_ends if end.block is not None)
        if answer is Answer.NO:
            if terms.is_false(cut):
                return Reply(Answer.NO, "")
            answer, model = question.ask(cut, self.left())
            if answer is Answer.NO:
                return Reply(Answer.NO, "")
            return Reply(Answer.UNKNOWN, "a loop: no difference within the bound")
        if answer is Answer.UNKNOWN:
            return Reply(Answer.UNKNOWN, f"z3: {model}")
        if self.source.side.choices:
            answer, model_ = question.ask_all_choices(bad, self.left())
            if answer is Answer.NO and terms.is_false(cut):
                return Reply(Answer.NO, "")
            if answer is not Answer.YES:
                return Reply(Answer.UNKNOWN, "the source has choices (undef, freeze, NaN)")
            model = model_
        what = next((one.what for one in bads if z3.is_true(model.eval(one.when, model_completion=True))), "")
        if self.world.abstracted:
            return Reply(Answer.UNKNOWN, f"z3: differs if operations were arbitrary functions: {what}")
        if self.world.imprecise:
            return Reply(Answer.UNKNOWN, f"differs, but only roughly modelled: {', '.join(self.world.imprecise)}")
        if any(not call.precise for call in self.source.calls):
            return Reply(Answer.UNKNOWN, f"differs if a library function or one defined here does anything: {what}")
        shown, seen, other = self._again(question, Strictness.MACHINE)
        if shown is Answer.YES and not self.source.side.choices:
            what = next((one.what for one in seen if z3.is_true(other.eval(one.when, model_completion=True))), what)
            return Reply(Answer.YES, what, show(other, self.world), True)
        if shown is not Answer.YES and self._again(question, Strictness.BITS)[0] is not Answer.YES:
            # LLVM copies pointers as integers, and means it.
            return Reply(Answer.UNKNOWN, f"differs, perhaps in the provenance of pointers only: {what}")
        # An access that must not happen may end the program, or may not.
        accesses = any(word in what for word in ("load", "store", "llvm.mem"))
        observable = False if shown is Answer.NO and not accesses else None
        return Reply(Answer.YES, what, show(model, self.world), observable)
