"""What a function does that others can see, each with the condition under which it happens.

`index` is the number of calls before it: the events of both sides are compared one by one, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from compiler_agent.evaluation.validate.memory import Memory
from compiler_agent.evaluation.validate.terms import Bits, Bool
from compiler_agent.evaluation.validate.values import Aggregate, Number, Value


@dataclass(eq=False)
class State:
    """Where an execution is: everything that can differ between the ways to one place."""

    reach: Bool
    """When control gets here, with nothing undefined before."""
    values: dict[tuple[int, int], Value]
    """Registers, by frame and number."""
    slots: dict[tuple[int, int], Value]
    """Allocas that are kept as registers."""
    memory: Memory
    """What calls and other functions see."""
    private: dict[int, Memory]
    """Allocas that nobody else knows of, by block."""
    dead: dict[tuple[int, int], Bool]
    """When an alloca with lifetime markers is outside of its lifetime."""
    index: Bits
    """Calls so far."""
    blocks: dict[tuple[int, int], int] = field(default_factory=dict)
    """The block of each alloca."""

    def copy(self) -> State:
        """An independent one."""
        return State(
            self.reach,
            dict(self.values),
            dict(self.slots),
            self.memory,
            dict(self.private),
            dict(self.dead),
            self.index,
            dict(self.blocks),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Undefined:
    """Undefined behaviour."""

    when: Bool
    """Its condition."""
    index: Bits
    """Calls before it."""
    what: str
    """The instruction, for a counterexample."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call to what is not known here."""

    key: tuple[Any, ...]
    """What is called, and with which types: calls can only match with equal keys."""
    when: Bool
    """Its condition."""
    index: Bits
    """Calls before it."""
    arguments: tuple[Value, ...]
    """What it gets; the address too, where it is indirect."""
    memory: Memory | None
    """What it can read; None: nothing."""
    result: Value | None
    """What it returns."""
    after: Memory | None
    """What memory is afterwards; None: unchanged."""
    claims: frozenset[str]
    """What is said of this call beyond what it passes: attributes without those of values, and "tail". Of the target
    only what its callee's declaration does not say, too; that must be said of the source's call."""
    precise: bool
    """Whether a counterexample through it is one: nothing is known of what the callee does."""

    def arguments_alike(self, arguments: tuple[Value, ...]) -> bool:
        """Whether the arguments of another call can be compared with these."""
        return len(arguments) == len(self.arguments) and all(
            shape(one) == shape(two) for one, two in zip(self.arguments, arguments, strict=True)
        )


def shape(value: Value) -> Any:
    """What kind of value it is."""
    if isinstance(value, Aggregate):
        return tuple(map(shape, value.parts))
    return value.bits.size() if isinstance(value, Number) else "pointer"


@dataclass(frozen=True, slots=True, eq=False)
class Exit:
    """An end of the execution: a return, or a block where it is cut."""

    block: int | None
    """The block; None: a return. Negative: loops were cut off."""
    state: State
    """Everything at that point; `reach` is its condition."""
    value: Value | None
    """What is returned."""


CUT_OFF = -1
"""The block of an exit where the loops have been unrolled as often as they may."""
