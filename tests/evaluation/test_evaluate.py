"""Verdicts: one only permits keeping a plan, and nothing that was not better and whole gets it."""

from pathlib import Path

import pytest

from compiler_agent.base.errors import EngineError
from compiler_agent.evaluation.evaluate import Evaluator, Objective, Verdict, stock_plan
from compiler_agent.llvm import catalog
from compiler_agent.llvm.engine import Engine, Measurement, Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover

STOCK = Plan.parse("-passes=default<O2>")
EXPERIMENTAL = Plan.parse("-passes=attributor,default<O2>")
BASELINE = Measurement(
    Outcome.OK, text_bytes=1000, data_bytes=100, object_bytes=3000, ir_instructions=200, object_sha256="0" * 64
)


class FakeEngine:
    """Answers with what it was told to, and notes what it was asked."""

    def __init__(self, candidate: Measurement, baseline: Measurement = BASELINE) -> None:
        self.candidate = candidate
        self.baseline = baseline
        self.asked: list[tuple[str, bool]] = []

    def measure(self, plan: str, *, emit: bool = True, **options: object) -> Measurement:
        self.asked.append((plan, emit))
        return self.candidate if len(self.asked) > 1 else self.baseline


def judge(candidate: Measurement, plan: Plan = STOCK, **options: object) -> tuple[Verdict, str]:
    engine = FakeEngine(candidate)
    evaluation = Evaluator(engine, catalog.load(), **options).evaluate(plan)  # type: ignore[arg-type]
    return evaluation.verdict, evaluation.reason


def measured(text_bytes: int, data_bytes: int = 100) -> Measurement:
    return Measurement(Outcome.OK, text_bytes=text_bytes, data_bytes=data_bytes, object_bytes=3000, ir_instructions=200)


def test_exactly_one_verdict_permits_keeping() -> None:
    assert [verdict for verdict in Verdict if verdict.may_be_kept] == [Verdict.ESTABLISHED]


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        (measured(999), Verdict.ESTABLISHED),
        (measured(1000), Verdict.NOT_BETTER),
        (measured(1001), Verdict.NOT_BETTER),
        (measured(1000, data_bytes=0), Verdict.NOT_BETTER),
        (measured(900, data_bytes=200), Verdict.ESTABLISHED),
        (measured(900, data_bytes=201), Verdict.MOVED_TO_DATA),
    ],
)
def test_only_smaller_and_not_moved_into_data_is_established(candidate: Measurement, verdict: Verdict) -> None:
    assert judge(candidate)[0] is verdict


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Outcome.REJECTED, Verdict.REJECTED),
        (Outcome.INVALID, Verdict.INVALID),
        (Outcome.CRASH, Verdict.CRASH),
        (Outcome.TIMEOUT, Verdict.TIMEOUT),
        (Outcome.MEMORY, Verdict.OUT_OF_MEMORY),
        (Outcome.ERROR, Verdict.NOT_ESTABLISHED),
    ],
)
def test_a_fault_is_never_kept_even_with_figures(outcome: Outcome, verdict: Verdict) -> None:
    engine = FakeEngine(Measurement(outcome, "its words", text_bytes=1))
    evaluation = Evaluator(engine, catalog.load()).evaluate(STOCK)  # type: ignore[arg-type]
    assert evaluation.verdict is verdict
    assert evaluation.value is None
    assert evaluation.size_ratio is None
    assert evaluation.reason == "its words"


def test_every_outcome_but_ok_has_a_verdict_that_is_not_kept() -> None:
    for outcome in set(Outcome) - {Outcome.OK}:
        assert not judge(Measurement(outcome, "why"))[0].may_be_kept


def test_an_experimental_plan_is_not_established_unless_allowed() -> None:
    verdict, reason = judge(measured(500), EXPERIMENTAL)
    assert verdict is Verdict.NOT_ESTABLISHED
    assert "attributor" in reason
    assert "--allow-experimental" in reason
    assert judge(measured(500), EXPERIMENTAL, allow_experimental=True)[0] is Verdict.ESTABLISHED


def test_an_unknown_pass_is_rejected_without_being_run() -> None:
    engine = FakeEngine(measured(1))
    evaluation = Evaluator(engine, catalog.load()).evaluate(Plan.parse("-passes=srao"))  # type: ignore[arg-type]
    assert evaluation.verdict is Verdict.REJECTED
    assert "did you mean" in evaluation.reason
    assert "sroa" in evaluation.reason
    assert [plan for plan, _ in engine.asked] == [""]


def test_the_test_passes_are_not_for_plans() -> None:
    for name in ("crash", "abort", "hang", "eat-memory", "fatal-error", "invalid", "miscompile"):
        assert judge(measured(1), Plan.parse(f"-passes=cc-agent-test-{name}"))[0] is Verdict.REJECTED


def test_a_figure_that_is_missing_is_not_a_win() -> None:
    verdict, reason = judge(Measurement(Outcome.OK))
    assert verdict is Verdict.NOT_ESTABLISHED
    assert reason


def test_a_baseline_that_does_not_compile_stops_everything() -> None:
    engine = FakeEngine(measured(1), baseline=Measurement(Outcome.CRASH, "Segmentation fault"))
    with pytest.raises(EngineError, match="the baseline does not compile: crash: Segmentation fault"):
        Evaluator(engine, catalog.load())  # type: ignore[arg-type]


def test_the_ratio_is_the_baseline_divided_by_the_candidate() -> None:
    engine = FakeEngine(measured(800))
    evaluation = Evaluator(engine, catalog.load()).evaluate(STOCK)  # type: ignore[arg-type]
    assert evaluation.size_ratio == 1.25
    assert evaluation.value == 800


def test_the_object_objective_looks_at_the_whole_file() -> None:
    smaller = Measurement(Outcome.OK, text_bytes=1000, data_bytes=100, object_bytes=2999)
    assert judge(smaller, objective=Objective.OBJECT_BYTES)[0] is Verdict.ESTABLISHED
    assert judge(smaller)[0] is Verdict.NOT_BETTER


def test_counting_instructions_makes_no_object_of_a_candidate() -> None:
    engine = FakeEngine(Measurement(Outcome.OK, ir_instructions=150))
    evaluator = Evaluator(engine, catalog.load(), objective=Objective.IR_INSTRUCTIONS)  # type: ignore[arg-type]
    engine.candidate = Measurement(Outcome.OK, ir_instructions=149)
    assert evaluator.baseline_value == 150
    assert evaluator.evaluate(STOCK).verdict is Verdict.ESTABLISHED
    assert engine.asked[1:] == [(str(STOCK), False), (str(STOCK), False)]


def test_with_the_real_compiler_the_stock_plan_is_not_better_and_an_unoptimized_one_neither(tmp_path: Path) -> None:
    (tmp_path / "unit.c").write_text("int add(int a, int b) { int c = a; return c + b; }\n")
    toolchain = discover()
    with Engine([str(toolchain.clang), "-Oz", "-c", "-o", "-", "unit.c"], tmp_path) as engine:
        evaluator = Evaluator(engine, catalog.load())
        stock = evaluator.evaluate(stock_plan())
        assert stock.verdict is Verdict.NOT_BETTER
        assert stock.value == evaluator.baseline_value
        assert stock.size_ratio == 1.0
        assert stock.measurement.object_sha256 == evaluator.baseline.object_sha256
        worse = evaluator.evaluate(Plan.parse("-passes=function(mergeicmps)"))
        assert worse.verdict is Verdict.NOT_BETTER
        assert worse.value is not None
        assert worse.value > evaluator.baseline_value
        assert evaluator.n_evaluations == 2
