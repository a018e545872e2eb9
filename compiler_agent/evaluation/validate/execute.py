"""Runs one function symbolically, from a block to wherever it ends or is cut.

All ways to a block are merged where they meet, so the result grows with the code and not with the number of paths.
Loops are run as often as the bound says; what would go on is an exit of its own.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.allocas import Kept, classify
from compiler_agent.evaluation.validate.clock import Clock
from compiler_agent.evaluation.validate.events import CUT_OFF, Call, Exit, State, Undefined
from compiler_agent.evaluation.validate.flow import Flow, flow_of
from compiler_agent.evaluation.validate.integers import as_condition
from compiler_agent.evaluation.validate.ir import Function, Instruction, Module, Operand
from compiler_agent.evaluation.validate.loops import Arrival, Plan, Variable, Written, forget, private_of, written
from compiler_agent.evaluation.validate.memory import Merged
from compiler_agent.evaluation.validate.terms import Bool, conj, equal, ite, neg
from compiler_agent.evaluation.validate.values import Number, Pointer, Unsupported, Value, all_choices, choose
from compiler_agent.evaluation.validate.world import Side, World

_DEEPEST_INLINING = 8


@dataclass(eq=False)
class Frame:
    """One activation of a function."""

    function: Function
    """What runs."""
    number: int
    """Frames are numbered in the order of their calls."""
    flow: Flow
    """Its shape."""
    kept: Mapping[int, Kept]
    """How its allocas are kept."""
    depth: int
    """How many calls of functions that were expanded lead here."""
    marked: frozenset[int]
    """Allocas whose lifetime begins somewhere."""
    heads_seen: dict[int, int] = field(default_factory=dict)
    """Numbers of the loops that were reached, by the block of their head."""


@dataclass(eq=False)
class Execution:
    """One side's run, and what it did."""

    world: World
    """What both sides see."""
    side: Side
    """Whose run it is."""
    module: Module
    """Where the functions are."""
    expand: frozenset[str] = frozenset()
    """Functions whose calls are replaced by their bodies."""
    matching: list[Call] | None = None
    """For the target: the source's calls, whose results its own have."""
    bound: int = 0
    """How many edges may go back in one function's run, where loops are unrolled."""
    plan: Plan | None = None
    """Loops are cut at their heads, and this is assumed there; None: they are unrolled."""
    partners: list[Arrival] | None = None
    """For the target: the source's arrivals."""
    arrivals: list[Arrival] = field(default_factory=list)
    """Arrivals at the heads of loops."""
    clock: Clock | None = None
    """When to give up; None: never."""
    undefined: list[Undefined] = field(default_factory=list)
    """Where the behaviour is undefined."""
    calls: list[Call] = field(default_factory=list)
    """What was called."""
    assumes: dict[str, None] = field(default_factory=dict)
    """Defined functions whose calls were not expanded."""
    n_frames: int = 0
    """Activations so far."""
    step: Callable[[Execution, Frame, State, Instruction], None] = None  # type: ignore[assignment]
    """Executes one instruction that is no terminator; see `instructions.step`."""

    def frame(self, function: Function, depth: int = 0) -> Frame:
        """A new activation.

        Raises:
            Unsupported: Something about the function as a whole is not modelled.
        """
        if depth > _DEEPEST_INLINING:
            raise Unsupported(f"calls of {function.name} nested more than {_DEEPEST_INLINING} deep")
        if function.details.get("other"):
            raise Unsupported(f"{function.details['other']} of {function.name}")
        for text in function.attributes.function.texts:
            if text in ("strictfp", "null_pointer_is_valid", "presplitcoroutine", "returns_twice", "naked"):
                raise Unsupported(f"attribute {text}")
            if text.startswith(("denormal", '"denormal')) and "ieee" not in text:
                raise Unsupported(f"attribute {text}")
        self.n_frames += 1
        return Frame(function, self.n_frames, flow_of(function), classify(function), depth, _marked(function))

    def undefine(self, state: State, condition: Bool, what: str) -> None:
        """Behaviour is undefined here where the condition holds; else the execution goes on."""
        if terms.is_false(condition):
            return
        self.undefined.append(Undefined(conj(state.reach, condition), state.index, what))
        state.reach = conj(state.reach, neg(condition))

    def run(self, frame: Frame, state: State) -> list[Exit]:
        """Runs a function from its entry to the ends.

        Args:
            frame: The activation.
            state: What holds at its entry.

        Raises:
            Unsupported: An instruction is not modelled, or it takes too long.
        """
        exits: list[Exit] = []
        waiting: dict[tuple[int, int, int], list[State]] = {(0, 0, 0): [state]}
        queue = [(0, 0, 0)]
        while queue:
            place = heapq.heappop(queue)
            rounds, _, block = place
            here = merge(frame, block, waiting.pop(place))
            if terms.is_false(here.reach):
                continue
            if self.clock is not None and self.clock.left() < 0:
                raise Unsupported("it takes too long to describe it to z3")
            if self.plan is not None and block in frame.flow.heads:
                self._arrive(self.plan, frame, block, here)
            for one in frame.function.blocks[block][:-1]:
                if one.op != "phi":
                    self.step(self, frame, here, one)
                    if terms.is_false(here.reach):
                        break
            if terms.is_false(here.reach):
                continue
            last = frame.function.blocks[block][-1]
            if last.op == "ret":
                value = self.operand(frame, here, last.operands[0]) if last.operands else None
                exits.append(Exit(None, here, value))
                continue
            for to, after in self._branch(frame, here, last):
                if terms.is_false(after.reach):
                    continue
                back = frame.flow.order[to] <= frame.flow.order[block]
                self._enter(frame, block, to, after)
                if back and self.plan is not None:
                    self._return(frame, block, to, after)
                    continue
                if back and rounds >= self.bound:
                    exits.append(Exit(CUT_OFF, after, None))
                    continue
                next_place = (rounds + back, frame.flow.order[to], to)
                if next_place not in waiting:
                    waiting[next_place] = []
                    heapq.heappush(queue, next_place)
                waiting[next_place].append(after)
        return exits

    def _arrive(self, plan: Plan, frame: Frame, head: int, state: State) -> None:
        """The first arrival at a loop: from here on the state is that of any round."""
        number = sum(not arrival.back for arrival in self.arrivals)
        frame.heads_seen[head] = number
        if 0 in frame.flow.loops[head]:
            raise Unsupported("a loop with two entries")
        changes = written(frame.function, frame.kept, head, frame.flow.loops[head])
        values = self._variables(frame, state, changes)
        private = private_of(state, changes, frame.number)
        reached, index, memory = state.reach, state.index, state.memory
        partner = None
        if self.partners is not None:
            partner = next((one for one in self.partners if one.head == number and not one.back), None)
        after, used = forget(self.side, plan, number, frame.number, state, changes, values, partner)
        self.arrivals.append(Arrival(number, False, reached, index, values, memory, private, after, used))
        for (kind, which), value in after.items():
            (state.values if kind == "phi" else state.slots)[frame.number, which] = value
        for slot in changes.lifetimes:
            if self.side.is_target:
                state.dead[frame.number, slot] = z3.Bool(f"head {number} dead {slot}")

    def _return(self, frame: Frame, block: int, head: int, state: State) -> None:
        """The end of a round."""
        changes = written(frame.function, frame.kept, head, frame.flow.loops[head])
        values = self._variables(frame, state, changes)
        private = private_of(state, changes, frame.number)
        number = frame.heads_seen[head]
        promised = "llvm.loop.mustprogress" in frame.function.blocks[block][-1].metadata.get("llvm.loop", "")
        self.arrivals.append(
            Arrival(
                number,
                True,
                state.reach,
                state.index,
                values,
                state.memory,
                private,
                {},
                progress=promised or "mustprogress" in frame.function.attributes.function,
            )
        )

    def _variables(self, frame: Frame, state: State, changes: Written) -> dict[Variable, Value]:
        registers = {"phi": state.values, "slot": state.slots}
        return {
            variable: registers[variable[0]][frame.number, variable[1]]
            for variable in changes.variables
            if (frame.number, variable[1]) in registers[variable[0]]
        }

    def operand(self, frame: Frame, state: State, operand: Operand) -> Value:
        """The value that an operand has at this use."""
        if operand[0] == "v":
            return self.side.use(state.values[frame.number, operand[1]])
        from compiler_agent.evaluation.validate.constants import constant_value

        return constant_value(self.side, operand)

    def condition(self, frame: Frame, state: State, operand: Operand, what: str) -> Number:
        """A number that decides where control goes: poison and undef are undefined behaviour."""
        value = self.operand(frame, state, operand)
        assert isinstance(value, Number)
        self.decided(state, value, what)
        return value

    def decided(self, state: State, value: Number | Pointer, what: str) -> None:
        """Undefined behaviour where the value is poison or, in the target, undef."""
        self.undefine(state, value.poison, what)
        if self.side.is_target and all_choices(value):
            other = self.side.use(value)
            if isinstance(value, Number) and isinstance(other, Number):
                self.undefine(state, neg(equal(value.bits, other.bits)), what)
            elif isinstance(value, Pointer) and isinstance(other, Pointer):
                same = conj(equal(value.block, other.block), equal(value.position, other.position))
                self.undefine(state, neg(same), what)

    def _branch(self, frame: Frame, state: State, last: Instruction) -> list[tuple[int, State]]:
        if last.op == "unreachable":
            self.undefine(state, terms.TRUE, "unreachable")
            return []
        if last.op == "br" and len(last.successors) == 1:
            return [(last.successors[0], state)]
        if last.op == "br":
            condition = as_condition(self.condition(frame, state, last.operands[0], "br").bits)
            return self._split(state, [(last.successors[0], condition), (last.successors[1], neg(condition))])
        if last.op == "switch":
            value = self.condition(frame, state, last.operands[0], "switch").bits
            cases: dict[int, Bool] = {}
            for to, case in zip(last.successors[1:], last.details["cases"], strict=True):
                hit = equal(value, terms.bits(int(case[2]), case[1]))
                cases[to] = terms.disj(cases.get(to, terms.FALSE), hit)
            other = neg(terms.any_of(cases.values()))
            default = last.successors[0]
            cases[default] = terms.disj(cases.get(default, terms.FALSE), other)
            return self._split(state, list(cases.items()))
        raise Unsupported(last.op)

    def _split(self, state: State, ways: list[tuple[int, Bool]]) -> list[tuple[int, State]]:
        result = []
        for to, condition in ways:
            after = state.copy()
            after.reach = conj(state.reach, condition)
            result.append((to, after))
        return result

    def _enter(self, frame: Frame, block: int, to: int, state: State) -> None:
        """Gives the phis of a block the values that they have on one edge, all at once."""
        news = {}
        for one in frame.function.blocks[to]:
            if one.op != "phi":
                break
            news[frame.number, one.number] = self.operand(frame, state, one.operands[one.details["from"].index(block)])
        state.values.update(news)


def _marked(function: Function) -> frozenset[int]:
    return frozenset(
        one.operands[-1][1]
        for one in function.instructions.values()
        if one.details.get("intrinsic") == "llvm.lifetime.start" and one.operands[-1][0] == "v"
    )


def merge(frame: Frame | None, block: int | None, states: list[State]) -> State:
    """The state where several ways meet; which one was taken is told by their `reach`.

    Args:
        frame: The activation, if it goes on.
        block: Where they meet: what is not used from there on is dropped.
        states: At the ends of the ways.
    """
    if len(states) == 1:
        return states[0]
    last = states[-1]
    others = states[:-1]
    result = last.copy()
    result.reach = terms.any_of(state.reach for state in states)
    if frame is not None and block is not None:
        live = frame.flow.live[block] | {one.number for one in frame.function.blocks[block] if one.op == "phi"}
        for key in last.values:
            if key[0] == frame.number and key[1] not in live:
                del result.values[key]
    for state in reversed(others):
        for own, theirs in ((result.values, state.values), (result.slots, state.slots)):
            for key in list(own):
                if key not in theirs:
                    del own[key]
                elif theirs[key] is not own[key]:
                    own[key] = choose(state.reach, theirs[key], own[key])
        for key in result.dead:
            result.dead[key] = ite(state.reach, state.dead.get(key, terms.TRUE), result.dead[key])
        result.index = ite(state.reach, state.index, result.index)
    if any(state.memory is not last.memory for state in others):
        result.memory = Merged(last.memory.side, [(state.reach, state.memory) for state in states])
    for number in list(result.private):
        if not all(number in state.private for state in others):
            del result.private[number]
        elif any(state.private[number] is not last.private[number] for state in others):
            cases = [(state.reach, state.private[number]) for state in states]
            result.private[number] = Merged(last.memory.side, cases)
    return result


def merge_exits(run: Execution, exits: list[Exit]) -> tuple[State, Value | None]:
    """The state and the result after a function whose body was put in the place of its call.

    Raises:
        Unsupported: Its loops would have to be cut off.
    """
    if any(one.block is not None for one in exits):
        raise Unsupported("a loop in a function that was expanded")
    if not exits:
        return State(terms.FALSE, {}, {}, None, {}, {}, None), None  # type: ignore[arg-type]
    value = exits[-1].value
    for one in reversed(exits[:-1]):
        if value is not None and one.value is not None:
            value = choose(one.state.reach, one.value, value)
    return merge(None, None, [one.state for one in exits]), value


__all__ = ["Execution", "Frame", "merge", "merge_exits"]
