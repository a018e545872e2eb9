"""A benchmark that a clang serves: its baselines, and what is known of its modules' code, whatever the episode."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass

from compiler_agent.base.errors import EngineError, UsageError
from compiler_agent.evaluation.evaluate import stock_plan
from compiler_agent.llvm.engine import Engine, Measurement, Outcome
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.session import Session
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.inputs import Inputs
from compiler_agent.search.env.release import when_unused

LEVEL = "-Oz"
"""At which an episode's module is compiled: its functions carry the attributes of a size build."""

_MOST_SIZES = 10_000
_BASELINE_FACTOR = 10
"""A baseline may take so many times what a step may."""


class Metric(enum.StrEnum):
    """What is counted; the value is the name of the observation."""

    IR_INSTRUCTIONS = "IrInstructionCount"
    """IR instructions of the module."""
    TEXT_BYTES = "TextSizeBytes"
    """Bytes of the executable sections of the object that clang makes of it: no constants, no unwind tables."""
    OBJECT_BYTES = "ObjectSizeBytes"
    """Bytes of the whole object file."""

    @property
    def wire(self) -> tuple[str, ...]:
        """What a session is asked for with each step, so that the figure need not be asked for."""
        return ("ir_instructions",) if self is Metric.IR_INSTRUCTIONS else ("fingerprint",)

    def of(self, measured: Measurement) -> int | None:
        """The figure in a measurement, if it has it."""
        if self is Metric.IR_INSTRUCTIONS:
            return measured.ir_instructions
        return measured.text_bytes if self is Metric.TEXT_BYTES else measured.object_bytes


class Baseline(enum.StrEnum):
    """What an episode is compared with; the value is the ending of the observation's name."""

    O0 = "O0"
    """The module as an episode begins with it: no pass has run."""
    O3 = "O3"
    """`clang -O3` on the source."""
    OZ = "Oz"
    """`clang -Oz` on the source: its own passes, on functions that carry `minsize` and `optsize`."""
    OZ_PLAIN = "OzPlain"
    """What papers call -Oz: `default<Oz>` on functions without size attributes, from `clang -O2`. To compare to."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one step of an episode may use."""

    timeout_s: float = 10.0
    """Processor time, in seconds; four times that on the clock."""
    memory_bytes: int = 2 << 30
    """Memory beyond the parsed module."""


class ServedBenchmark:
    """One benchmark and the clang that has parsed it; that clang ends when this is no longer used."""

    def __init__(self, benchmark: Benchmark, limits: Limits) -> None:
        """Parses the benchmark's source.

        Raises:
            EngineError: It does not compile.
            UsageError: It is a module for another system.
        """
        self.benchmark = benchmark
        self.limits = limits
        self.inputs = Inputs.of(benchmark.argv, benchmark.directory) if not benchmark.is_ir else Inputs(())
        """The source and its headers as they were just before they were parsed."""
        self.engine = Engine(benchmark.command(LEVEL), benchmark.directory)
        self._sizes: dict[tuple[str, str], Measurement] = {}
        self._baselines: dict[tuple[Baseline, bool], Measurement] = {}
        when_unused(self, self.engine.close)
        if benchmark.is_ir:
            _check_target(benchmark, self.engine.target)

    def session(self) -> Session:
        """A new session with the module as it was parsed."""
        return self._session(1)

    def sizes(self, fingerprint: str, options: str, emit: Callable[[], Measurement]) -> Measurement:
        """The object of a module with a fingerprint and the options that hold: equal modules have equal code."""
        key = fingerprint, options
        if known := self._sizes.get(key):
            return known
        measured = emit()
        if measured.outcome is Outcome.OK:  # what took too long once may not the next time
            if len(self._sizes) >= _MOST_SIZES:
                del self._sizes[next(iter(self._sizes))]
            self._sizes[key] = measured
        return measured

    def figure(self, metric: Metric, baseline: Baseline) -> int:
        """A baseline's figure, measured once: IR instructions or bytes.

        Raises:
            EngineError: It cannot be compiled.
        """
        key = baseline, metric is not Metric.IR_INSTRUCTIONS
        if key not in self._baselines:
            self._baselines[key] = self._baseline(*key)
        value = metric.of(self._baselines[key])
        assert value is not None
        return value

    def _session(self, factor: float) -> Session:
        timeout_s = factor * self.limits.timeout_s
        return Session.open(self.engine, timeout_s=timeout_s, memory_bytes=self.limits.memory_bytes)

    def _baseline(self, baseline: Baseline, emit: bool) -> Measurement:
        if baseline is Baseline.O0:
            with self._session(_BASELINE_FACTOR) as session:
                if emit:
                    return _checked(session.emit(), baseline)
                count = session.step(observe=["ir_instructions"])["ir_instructions"]
                return Measurement(Outcome.OK, ir_instructions=count)
        if baseline is Baseline.OZ:
            return self._measured(self.engine, "" if emit else str(stock_plan()), emit, baseline)
        level, plan = ("-O3", "" if emit else "-passes=default<O3>")
        if baseline is Baseline.OZ_PLAIN:
            level, plan = "-O2", "-passes=default<Oz>"
        with Engine(self.benchmark.command(level), self.benchmark.directory) as engine:
            return self._measured(engine, plan, emit, baseline)

    def _measured(self, engine: Engine, plan: str, emit: bool, baseline: Baseline) -> Measurement:
        # Clang's own pipeline leaves no IR behind to count: the stock plan, which it is, does.
        measured = engine.measure(
            plan,
            emit=emit,
            identify=False,
            share=False,
            timeout_s=_BASELINE_FACTOR * self.limits.timeout_s,
            memory_bytes=self.limits.memory_bytes,
        )
        return _checked(measured, baseline)


def _check_target(benchmark: Benchmark, target: str) -> None:
    # Clang would compile it for its own, with a warning that -w hides, and what came of it would mean nothing.
    with Library().parse((benchmark.directory / benchmark.argv[-1]).read_bytes()) as module:
        own = json.loads(module.summary())["triple"]
    if own and _system(own) != _system(target):
        raise UsageError(
            f"{benchmark.uri} is a module for {own}, and clang compiles for {target}",
            hint="make the module for this machine, or take its source",
        )


def _system(triple: str) -> list[str]:
    """The architecture and the operating system; vendors' names differ where nothing else does."""
    return triple.split("-")[0:3:2]


def _checked(measured: Measurement, baseline: Baseline) -> Measurement:
    if measured.outcome is not Outcome.OK:
        raise EngineError(
            f"the baseline {baseline} cannot be measured: {measured.outcome}: {measured.message}",
            hint="does the benchmark compile with plain clang?",
        )
    return measured
