"""Turns a candidate plan into an `Evaluation`: the only judge, used by tuning, benchmarks and the wrapper alike."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from compiler_agent.base.errors import EngineError, PlanError
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.engine import Engine, Measurement, Outcome
from compiler_agent.llvm.plan import Plan


class Objective(enum.StrEnum):
    """What is made smaller."""

    TEXT_BYTES = "text_bytes"
    """Executable sections of the object."""
    OBJECT_BYTES = "object_bytes"
    """The whole object file."""
    IR_INSTRUCTIONS = "ir_instructions"
    """IR instructions after the pipeline; no object is made."""


class Verdict(enum.StrEnum):
    """What an evaluation established. Exactly one member permits keeping a plan."""

    ESTABLISHED = "established"
    """Better than the baseline, and nothing speaks against it."""
    NOT_BETTER = "not-better"
    """Not smaller than the baseline: equal is not a win."""
    MOVED_TO_DATA = "moved-to-data"
    """Executable bytes went down, but the loaded data grew by more."""
    REJECTED = "rejected"
    """An unknown pass or option, or a wrong parameter."""
    INVALID = "invalid"
    """LLVM's verifier rejects the module."""
    CRASH = "crash"
    """A pass or code generation crashed."""
    TIMEOUT = "timeout"
    """It took too long."""
    OUT_OF_MEMORY = "out-of-memory"
    """It needed too much memory."""
    MISCOMPILED = "miscompiled"
    """Differential testing saw another behaviour."""
    NOT_ESTABLISHED = "not-established"
    """It could not be judged, or not by what its provenance demands."""

    @property
    def may_be_kept(self) -> bool:
        """Whether a plan with this verdict may go into the lock."""
        return self is Verdict.ESTABLISHED


FAULTS = {
    Outcome.REJECTED: Verdict.REJECTED,
    Outcome.INVALID: Verdict.INVALID,
    Outcome.CRASH: Verdict.CRASH,
    Outcome.TIMEOUT: Verdict.TIMEOUT,
    Outcome.MEMORY: Verdict.OUT_OF_MEMORY,
    Outcome.ERROR: Verdict.NOT_ESTABLISHED,
}
"""What a compilation that gave no object says of its plan."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One plan, judged."""

    plan: Plan
    """What was judged."""
    verdict: Verdict
    """What was established."""
    measurement: Measurement
    """The figures behind it."""
    value: int | None
    """The objective's figure; None where there is none."""
    size_ratio: float | None
    """Baseline divided by candidate, above 1 is better; None where there is no figure."""
    reason: str = ""
    """Why it may not be kept."""


class Evaluator:
    """Judges plans for one translation unit against the user's own command line."""

    def __init__(
        self,
        engine: Engine,
        catalog: Catalog,
        *,
        objective: Objective = Objective.TEXT_BYTES,
        allow_experimental: bool = False,
        share_pipelines: bool = True,
    ) -> None:
        """Measures the baseline: clang's own pipeline at the user's own flags.

        Raises:
            EngineError: The baseline itself does not compile; nothing can be judged then.
        """
        self.engine = engine
        self.catalog = catalog
        self.objective = objective
        self.allow_experimental = allow_experimental
        self.share_pipelines = share_pipelines
        self.n_evaluations = 0
        self.baseline = engine.measure("")
        if self.baseline.outcome is not Outcome.OK:
            raise EngineError(f"the baseline does not compile: {self.baseline.outcome}: {self.baseline.message}")
        # An evaluation may take ten times what the baseline took, and never less than a few seconds.
        self.timeout_s = max(5.0, 10 * self.baseline.wall_time_s)
        if objective is Objective.IR_INSTRUCTIONS:
            # Clang's own pipeline leaves no IR behind to count: its stock plan does.
            self.baseline = engine.measure(str(stock_plan()), emit=False, identify=False)

    @property
    def baseline_value(self) -> int:
        """The baseline's figure for the objective."""
        value = self._value(self.baseline)
        assert value is not None
        return value

    def evaluate(self, plan: Plan, *, fresh: bool = False) -> Evaluation:
        """Compiles with the plan and says what that establishes; `fresh` takes nothing from what is known already."""
        self.n_evaluations += 1
        try:
            self.catalog.check(plan)
        except PlanError as error:
            return Evaluation(plan, Verdict.REJECTED, Measurement(Outcome.REJECTED, str(error)), None, None, str(error))
        measured = self.engine.measure(
            str(plan),
            late=self.catalog.late_options(plan),
            share=self.share_pipelines,
            identify=self.objective is not Objective.IR_INSTRUCTIONS,
            fresh=fresh,
            emit=fresh or self.objective is not Objective.IR_INSTRUCTIONS,
            timeout_s=self.timeout_s,
        )
        if measured.outcome is not Outcome.OK:
            return Evaluation(plan, FAULTS[measured.outcome], measured, None, None, measured.message)
        value = self._value(measured)
        if value is None:
            return Evaluation(plan, Verdict.NOT_ESTABLISHED, measured, None, None, "there is no figure")
        ratio = self.baseline_value / value if value else None
        verdict, reason = self._judge(plan, measured, value)
        return Evaluation(plan, verdict, measured, value, ratio, reason)

    def _judge(self, plan: Plan, measured: Measurement, value: int) -> tuple[Verdict, str]:
        if value >= self.baseline_value:
            return Verdict.NOT_BETTER, "not smaller than the baseline"
        if self.objective is Objective.TEXT_BYTES and _loaded(measured) > _loaded(self.baseline):
            return Verdict.MOVED_TO_DATA, "executable bytes moved into loaded data, which grew by more"
        if not self.allow_experimental:
            provenance = self.catalog.provenance_of(plan)
            if provenance.provenance is not Provenance.PRODUCTION:
                names = ", ".join(provenance.names)
                return Verdict.NOT_ESTABLISHED, f"experimental: {names}; needs --allow-experimental"
        return Verdict.ESTABLISHED, ""

    def _value(self, measured: Measurement) -> int | None:
        return getattr(measured, self.objective.value)


def stock_plan() -> Plan:
    """What clang-22 runs at -Oz: `default<O2>`, on IR that carries the size attributes (see docs/architecture.md)."""
    return Plan.parse("-passes=default<O2>")


def _loaded(measured: Measurement) -> int:
    return (measured.text_bytes or 0) + (measured.data_bytes or 0)
