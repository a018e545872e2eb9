"""What the catalog says about one pass and one option."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm.pipeline import Level, Node, Pass
from compiler_agent.llvm.pipeline_edit import nest


class Provenance(StrEnum):
    """How far a pass or an option may be trusted."""

    PRODUCTION = "production"
    """Stock clang runs it at some level or with some flag."""
    EXPERIMENTAL = "experimental"
    """LLVM has it, clang does not use it: a plan with it needs differential testing."""


class ParameterKind(StrEnum):
    """What a pass's parameter looks like."""

    FLAG = "flag"
    """`name` or, where there is one, `no-name`."""
    ENUM = "enum"
    """One of several words."""
    INTEGER = "integer"
    """`name=N`."""


class OptionKind(StrEnum):
    """What values an LLVM option takes."""

    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    NUMBER = "number"
    ENUM = "enum"
    TEXT = "text"
    """The reviewed words, or any where none were reviewed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a pass."""

    name: str
    """The flag without `no-`, the integer's name, or the first word of the alternatives."""
    kind: ParameterKind
    """Flag, alternatives or integer."""
    spellings: tuple[str, ...]
    """Texts worth trying; each excludes the others (`exclusive` of `set_parameter`)."""

    def accepts(self, flag: str) -> bool:
        """Whether LLVM reads this text as this parameter."""
        if self.kind is ParameterKind.INTEGER:
            return re.fullmatch(re.escape(self.name) + r"=\d+", flag) is not None
        return flag in self.spellings


@dataclass(frozen=True, slots=True)
class CataloguedPass:
    """One pass that a plan may hold."""

    name: str
    """As in a pipeline."""
    levels: tuple[Level, ...]
    """Pass managers that it may stand in directly; `loop` without `loop-mssa` if it does not keep MemorySSA."""
    provenance: Provenance
    """How far it may be trusted."""
    because: str
    """What of stock clang runs it; empty for an experimental one."""
    search: bool
    """Whether a search should insert it."""
    keep: bool
    """Whether an edit of a stock pipeline must leave it in: what a source asks for depends on it (coroutines…)."""
    forms: tuple[str, ...]
    """Spellings to insert, the most usual first."""
    parameters: tuple[Parameter, ...]
    """What can be changed in a form."""
    description: str
    """One line."""

    def node(self, form: int = 0) -> Pass:
        """The pass as it is inserted, in one of its forms."""
        name, bracket, rest = self.forms[form].partition("<")
        return Pass(name, rest[:-1] if bracket else None)

    def nested(self, at: Level, form: int = 0) -> Node | None:
        """The pass wrapped so that it can stand at a level; None if it cannot."""
        if at in self.levels:
            return self.node(form)
        for level in self.levels:
            try:
                return nest(self.node(form), level, at)
            except PlanError:
                continue
        return None

    def runs_at(self, level: Level) -> bool:
        """Whether LLVM takes the pass as it stands at a level: it wraps a pass of an inner level, without MemorySSA."""
        wrapped = (Level.LOOP, Level.FUNCTION) if level in (Level.MODULE, Level.CGSCC) else (Level.LOOP,)
        return (
            level in self.levels
            or (level is not Level.LOOP_MSSA and any(inner in self.levels for inner in wrapped))
            or (level is Level.MODULE and Level.CGSCC in self.levels)
        )

    def parameter(self, flag: str) -> Parameter | None:
        """The parameter that a flag belongs to."""
        return next((parameter for parameter in self.parameters if parameter.accepts(flag)), None)


@dataclass(frozen=True, slots=True)
class CataloguedOption:
    """One LLVM option (`cl::opt`) that a plan may set."""

    name: str
    """Without dashes."""
    kind: OptionKind
    """What values it takes."""
    stage: str
    """`middle-end`: acts while the pipeline runs; `back-end`: during code generation."""
    provenance: Provenance
    """How far it may be trusted."""
    default: str
    """As clang prints it; empty: decided by the target or the level."""
    values: tuple[str, ...]
    """All values that were reviewed for size."""
    speed: tuple[str, ...]
    """Values that were reviewed for speed, the most promising first; empty: none, or the search fills them in."""
    search: tuple[str, ...]
    """Those that made some training module smaller, the strongest first; a search tries these."""
    best: float
    """Largest size ratio of any value on any training module, clang -Oz ÷ this; 0 where nothing was measured."""
    choices: tuple[str, ...]
    """All values that LLVM takes, of an enum."""
    needs: tuple[str, str] | None
    """Option and value without which this one does nothing."""
    description: str
    """LLVM's own help text."""

    def accepts(self, value: str) -> bool:
        """Whether LLVM reads this text as a value; a number out of range is LLVM's to refuse."""
        match self.kind:
            case OptionKind.BOOL:
                return value in ("true", "false")
            case OptionKind.ENUM:
                return value in self.choices
            case OptionKind.NUMBER:
                return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None
            case OptionKind.TEXT:
                return value in self.speed or not self.speed
            case OptionKind.INT:
                return re.fullmatch(r"-?\d+", value) is not None
            case OptionKind.UINT:
                return re.fullmatch(r"\d+", value) is not None
