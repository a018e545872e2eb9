"""What is known of a module before optimization; `facts_json` reads it from the native library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Carried:
    """A value that one iteration of a loop hands to the next."""

    name: str
    """As in the IR, with `%`."""
    type: str
    """As in the IR."""
    kind: str
    """induction, reduction, previous (a value of an earlier iteration: can be vectorized) or serial (nothing known)."""
    start: str = ""
    """Of an induction: its first value."""
    step: str = ""
    """Of an induction: what is added in each iteration."""
    operation: str = ""
    """Of a reduction."""
    ordered: bool = False
    """Of a floating-point reduction: only reassociation would allow to vectorize it."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A place where a loop can be left."""

    block: str
    """The block's name."""
    line: int
    """Source line; 0: unknown."""
    latch: bool
    """Whether it is at the end of the body."""
    counted: bool
    """Whether the number of iterations until it is taken is known on entry."""


@dataclass(frozen=True, slots=True)
class Access:
    """One load or store in a loop."""

    store: bool
    """A store; else a load."""
    type: str
    """Of what is loaded or stored."""
    bytes: int
    """Its size."""
    line: int
    """Source line; 0: unknown."""
    always: bool
    """Whether each iteration does it."""
    volatile: bool
    """Volatile or atomic."""
    base: str
    """The object in which it is; `*%p`: the one whose address is loaded from there."""
    strides: tuple[str, ...]
    """By how many bytes the address moves per iteration, for each loop around it from the inside out; `?`: unknown.

    With `~` before it: unless a narrower index in it wraps around.
    """


@dataclass(frozen=True, slots=True)
class Pair:
    """Two accesses that may touch the same memory in different iterations."""

    type: str
    """LLVM's name of the dependence."""
    source_line: int
    """Line of the first access."""
    destination_line: int
    """Line of the second."""


@dataclass(frozen=True, slots=True)
class Dependences:
    """What LLVM's LoopAccessAnalysis says of an innermost loop."""

    vectorizable: bool
    """No dependence forbids to vectorize, given the checks."""
    reason: str
    """Why not, in LLVM's words."""
    safe_bits: int | None
    """The widest vector that is safe; None: any."""
    runtime_checks: int
    """Comparisons of pointers that are needed before the loop."""
    compared: tuple[str, ...]
    """The objects that are compared."""
    pairs: tuple[Pair, ...]
    """Dependences."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call."""

    callee: str
    """The function; empty: through a pointer."""
    line: int
    """Source line; 0: unknown."""
    loop: int | None = None
    """Position of the innermost loop around it."""
    always: bool = True
    """Whether each iteration of that loop makes it, or each run of the function that returns."""
    position: int | None = None
    """Its index among the function's direct calls of what is no intrinsic: with the function's name, its identity."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A branch with many ways."""

    cases: int
    """Without the default."""
    line: int
    """Source line; 0: unknown."""


@dataclass(frozen=True, slots=True)
class LoopFacts:
    """What is known of a loop once its values are in registers."""

    header: str
    """Name of its first block in the simplified IR."""
    innermost: bool
    """Whether it holds no other loop."""
    blocks: int
    """Basic blocks, those of inner loops included."""
    instructions: int
    """IR instructions, without those of inner loops."""
    trip_count: int | None
    """Iterations, where that is a constant."""
    trip_count_max: int | None
    """An upper bound that is a constant."""
    trips: str
    """Iterations as an expression over values known on entry; empty: unknown."""
    exits: tuple[Exit, ...]
    """Where it can be left."""
    carried: tuple[Carried, ...]
    """What goes round."""
    accesses: tuple[Access, ...]
    """Loads and stores, without those of inner loops."""
    calls: tuple[Call, ...]
    """Calls that are left in it, without those of inner loops."""
    switches: tuple[Switch, ...]
    """Branches with many ways, without those of inner loops."""
    dependences: Dependences | None
    """For an innermost loop of simple form."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of the IR as clang gives it to the optimizer."""

    position: int
    """Its index in preorder among the loops of its function: with the function's name, its identity."""
    depth: int
    """1 for an outermost loop."""
    parent: int | None
    """Position of the loop around it."""
    first_line: int
    """First source line of its instructions; 0: unknown."""
    last_line: int
    """Last one."""
    facts: LoopFacts | None
    """None: it was gone after simplification, so its body runs at most once or it has no effect."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that the unit defines."""

    name: str
    """Its symbol."""
    local: bool
    """Whether other units cannot name it."""
    discardable: bool
    """Whether it disappears when nothing in the unit uses it."""
    file: str
    """Source file; empty: unknown."""
    line: int
    """Where it begins; 0: unknown."""
    instructions: int
    """IR instructions before optimization."""
    cpu: str
    """The target CPU that the IR names."""
    attributes: tuple[str, ...]
    """Those that decisions are about, and what is known of its effects."""
    irreducible_lines: tuple[int, ...]
    """Lines of cycles that are no loops, because they have several entries."""
    calls: tuple[Call, ...]
    """Calls before optimization, in order."""
    executed_instructions: float | None
    """From a profile; None: there is none."""
    loops: tuple[Loop, ...]
    """By position."""


@dataclass(frozen=True, slots=True)
class SimplifiedIR:
    """A function's IR after simplification."""

    instructions: int
    """IR instructions."""
    blocks: int
    """Basic blocks."""
    used: bool
    """Whether anything in the simplified module still names it."""
    text: str
    """As LLVM prints it, each block with a note of its lines and loop."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a module."""

    source: str
    """The source file, as it was named."""
    triple: str
    """The target."""
    instructions: int
    """IR instructions before optimization."""
    library_functions: frozenset[str]
    """Functions that are declared and whose meaning LLVM knows."""
    symbols: tuple[str, ...]
    """All functions and globals that are defined or declared."""
    functions: tuple[Function, ...]
    """Those that are defined, in the module's order."""
    simplified: dict[str, SimplifiedIR]
    """By function."""
