"""A benchmark that GCC compiles: its baselines, and what is known of the objects of its settings."""

from __future__ import annotations

import enum
import re
from collections import Counter, OrderedDict

from compiler_agent.base.errors import EngineError
from compiler_agent.llvm.elf import text_bytes
from compiler_agent.llvm.engine import Outcome
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.effects import CompilationFailed
from compiler_agent.search.env.gcc.compiler import Compiled, Form, Gcc, compile_benchmark
from compiler_agent.search.env.inputs import Inputs
from compiler_agent.search.env.served import Limits

_MOST_KEPT = 1000
_MOST_KEPT_BYTES = 64 << 20
_LEAST_KEPT = 8
"""However large they are: a state's object and the one before are asked for again and again."""
_MOST_FIGURES = 10_000
_INSTRUCTION = re.compile(r"^\t([a-z][\w.]*)", re.MULTILINE)
"""In GCC's assembly text; directives begin with a dot, labels at the line's beginning."""

Words = tuple[str, ...]
"""Options on GCC's command line."""


class GccMetric(enum.StrEnum):
    """What is counted; the value is the name of the observation."""

    TEXT_BYTES = "TextSizeBytes"
    """Bytes of the executable sections of the object."""
    OBJECT_BYTES = "ObjectSizeBytes"
    """Bytes of the whole object file."""
    INSTRUCTIONS = "InstructionCount"
    """Instructions in the assembly text."""
    ASSEMBLY_BYTES = "asm_size"
    """Bytes of the assembly text, comments and directives included; as CompilerGym has it."""

    @property
    def form(self) -> Form:
        """What GCC is asked for to count it."""
        return Form.OBJECT if self in (GccMetric.TEXT_BYTES, GccMetric.OBJECT_BYTES) else Form.ASSEMBLY

    def of(self, content: bytes) -> int:
        """The figure of what GCC made."""
        match self:
            case GccMetric.TEXT_BYTES:
                return text_bytes(content)
            case GccMetric.INSTRUCTIONS:
                return instruction_counts(content).total()
            case _:
                return len(content)


class GccBaseline(enum.StrEnum):
    """What an episode is compared with: GCC's levels; the value is the ending of the observation's name."""

    O0 = "O0"
    """No optimization: an episode's beginning."""
    O2 = "O2"
    """`gcc -O2`."""
    O3 = "O3"
    """`gcc -O3`."""
    OS = "Os"
    """`gcc -Os`."""
    OZ = "Oz"
    """`gcc -Oz`, from GCC 12 on."""

    @property
    def words(self) -> Words:
        """Its options."""
        return () if self is GccBaseline.O0 else (f"-{self.value}",)


def instruction_counts(assembly: bytes) -> Counter[str]:
    """Instructions of an assembly text by mnemonic."""
    return Counter(_INSTRUCTION.findall(assembly.decode(errors="replace")))


class ServedGcc:
    """One benchmark and the GCC that compiles it."""

    def __init__(self, benchmark: Benchmark, gcc: Gcc, limits: Limits) -> None:
        """Looks which files it has, and compiles nothing yet.

        Raises:
            UsageError: GCC cannot compile such a thing.
            ToolchainError: There is no compiler for its language.
        """
        self.benchmark = benchmark
        self.limits = limits
        self._command = gcc.command(benchmark)
        self.inputs = Inputs.of(self._command, benchmark.directory)
        """The source and its headers as they were before anything was compiled."""
        self._kept: OrderedDict[tuple[Words, Form], Compiled] = OrderedDict()
        self._kept_bytes = 0
        self._figures: dict[tuple[Words, GccMetric], int] = {}

    def compiled(self, words: Words, form: Form, *, fresh: bool = False) -> Compiled:
        """What GCC makes with options.

        Args:
            words: The options.
            form: What is asked for.
            fresh: Compile anew, even if it is known, and leave what is known as it is.
        """
        key = words, form
        if key in self._kept and not fresh:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = compile_benchmark(self._command, words, form, self.benchmark.directory, self.limits)
        is_certain = made.outcome in (Outcome.OK, Outcome.REJECTED)  # what took too long once may not the next time
        if is_certain and not fresh:
            self._keep(key, made)
        return made

    def _keep(self, key: tuple[Words, Form], made: Compiled) -> None:
        self._kept[key] = made
        self._kept_bytes += len(made.content)
        while len(self._kept) > _MOST_KEPT or (self._kept_bytes > _MOST_KEPT_BYTES and len(self._kept) > _LEAST_KEPT):
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest.content)

    def made(self, words: Words, form: Form, *, fresh: bool = False) -> Compiled:
        """The same, where it has to succeed.

        Raises:
            CompilationFailed: It does not.
        """
        made = self.compiled(words, form, fresh=fresh)
        if made.outcome is not Outcome.OK:
            raise CompilationFailed(made.outcome, made.message)
        return made

    def measured(self, words: Words, metric: GccMetric) -> int:
        """The figure of what GCC makes with options.

        Raises:
            CompilationFailed: It makes nothing.
        """
        key = words, metric
        if key not in self._figures:
            figure = metric.of(self.made(words, metric.form).content)
            if len(self._figures) >= _MOST_FIGURES:
                del self._figures[next(iter(self._figures))]
            self._figures[key] = figure
        return self._figures[key]

    def figure(self, metric: GccMetric, baseline: GccBaseline) -> int:
        """A baseline's figure.

        Raises:
            EngineError: It cannot be compiled.
        """
        try:
            return self.measured(baseline.words, metric)
        except CompilationFailed as error:
            raise EngineError(
                f"the baseline {baseline} of {self.benchmark.uri} cannot be measured: {error.outcome}: {error.reason}",
                hint="does it compile with plain gcc?",
            ) from error
