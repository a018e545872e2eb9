"""Comparisons and sessions, on an executor that makes times up and a clock that only it moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.evaluation.cautions import CautionKind
from compiler_agent.evaluation.difftest import Behaviour
from compiler_agent.evaluation.executor import Run
from compiler_agent.evaluation.executor_fake import FakeExecutor, computing
from compiler_agent.evaluation.layout import FixedLayout
from compiler_agent.evaluation.machine import Load, Machine
from compiler_agent.evaluation.measure import Comparison, Rule, Stopping, compare
from compiler_agent.evaluation.pairing import DEFAULT_SETTINGS, Baseline, Outcome
from compiler_agent.evaluation.samples import SampleFile
from compiler_agent.evaluation.session import Session
from compiler_agent.evaluation.stats import log_needed

IDLE = Load(stolen_ticks=0, total_ticks=0, average=0.0)
ALONE = Rule()
MACHINE = Machine("a cpu", 2, "6.0", "unknown", "none")


class Layouts:
    """Executables that are names only, as base/3."""

    def __init__(self, name: str, n_layouts: int = 60) -> None:
        self.n_layouts = n_layouts
        self._name = name

    def executable(self, n: int) -> Path:
        return Path(self._name) / str(n)


BASE, PLAN = Layouts("base"), Layouts("plan")


def times(candidate: float, seconds: float = 0.05, noise: float = 0.01) -> Callable[[Path, int], Run]:
    """Runs of the baseline take so many seconds, those of anything else `candidate` times as many."""
    draw = random.Random(0)

    def make_up(executable: Path, n: int) -> Run:
        factor = 1.0 if executable.parts[0] == "base" else candidate
        return computing(seconds * factor * draw.lognormvariate(0, noise))

    return make_up


def behaving(candidate: Run | Callable[[int], Run]) -> FakeExecutor:
    """The baseline takes 50 ms, and the candidate does something."""

    def make_up(executable: Path, n: int) -> Run:
        if executable.parts[0] == "base":
            return computing(0.05)
        return candidate(n) if callable(candidate) else candidate

    return FakeExecutor(make_up)


def compared(executor: FakeExecutor, rule: Rule = ALONE) -> Comparison:
    baseline = Baseline.establish(BASE, executor)
    return compare(baseline, PLAN, rule, seed=0, clock=executor.clock, load=lambda: IDLE)


def session(executor: FakeExecutor, **others) -> Session:
    return Session.start(BASE, executor, name="fake", clock=executor.clock, load=lambda: IDLE, **others)


def test_a_faster_and_a_slower_candidate() -> None:
    faster, slower = compared(FakeExecutor(times(0.97))), compared(FakeExecutor(times(1.03)))
    assert faster.outcome is Outcome.FASTER
    assert faster.speedup is not None
    assert faster.speedup.low > 1
    assert faster.speedup.median == pytest.approx(1 / 0.97, abs=0.02)
    assert slower.outcome is Outcome.SLOWER
    assert slower.log_evidence == float("-inf"), "a loss is no evidence for a gain"
    assert max(len(faster.pairs), len(slower.pairs)) < 40


def test_pairs_are_in_random_order_layouts_and_environments() -> None:
    pairs = compared(FakeExecutor(times(1.0)), Rule(stopping=Stopping.NEVER)).pairs
    assert len(pairs) == DEFAULT_SETTINGS.n_pairs
    assert 15 < sum(pair.candidate_first for pair in pairs) < 45
    for side in ("baseline", "candidate"):
        assert sorted(getattr(pair, side).layout for pair in pairs) == list(range(60)), "each layout once"
        assert len({getattr(pair, side).environment_bytes for pair in pairs}) > 50


def test_equal_candidates_cost_a_search_little() -> None:
    executor = FakeExecutor(times(1.0))
    assert compared(executor, Rule(log_needed=log_needed(0.05, 100), stopping=Stopping.GAINS)).outcome is (
        Outcome.NOT_SHOWN
    )
    assert executor.n_runs < 90


@pytest.mark.parametrize(
    ("run", "outcome", "words"),
    [
        (Run(Behaviour(status=-11, wall_time_s=0.01, cpu_time_s=0.01)), Outcome.CRASHED, "signal 11"),
        (Run(Behaviour(status=3, wall_time_s=0.01, cpu_time_s=0.01)), Outcome.FAILED, "status 3"),
        (computing(100.0), Outcome.HUNG, "did not end within 5.3 s, the baseline takes 0.05 s"),
        (computing(0.05, b"dune\n"), Outcome.WRONG_OUTPUT, "standard output, line 1: 'dune' instead of 'done'"),
        (lambda n: computing(0.05, b"%d\n" % n), Outcome.NOT_REPEATABLE, "does not do the same twice"),
        (computing(0.02), Outcome.QUARANTINED, "2.50 times as fast"),
        (computing(0.04, transferred=(1000, 5)), Outcome.QUARANTINED, "reads 1000 bytes where the baseline reads 4000"),
    ],
)
def test_what_a_candidate_does_wrong_has_a_name(run, outcome: Outcome, words: str) -> None:
    found = compared(behaving(run))
    assert found.outcome is outcome
    assert words in found.reason
    assert not found.outcome.permits


def test_what_a_candidate_took_until_it_was_refuted_is_no_figure() -> None:
    found = compared(behaving(lambda n: computing(0.04, b"done\n" if n < 13 else b"dune\n")))
    assert found.outcome is Outcome.WRONG_OUTPUT
    assert found.pairs
    assert found.speedup is None


def test_both_are_linked_before_either_runs() -> None:
    events: list[str] = []

    class Linking(Layouts):
        def executable(self, n: int) -> Path:
            events.append("link")
            return super().executable(n)

    def run(executable: Path, n: int) -> Run:
        events.append("run")
        return computing(0.05)

    baseline = Baseline.establish(Linking("base"), FakeExecutor(run))
    events.clear()
    found = compare(baseline, Linking("plan"), ALONE, seed=0, clock=lambda: 0.0, load=lambda: IDLE)
    assert events == ["link", "link", "run", "run"] * len(found.pairs)


def test_a_baseline_that_fails_or_changes_its_mind_ends_the_work() -> None:
    with pytest.raises(NotEstablished, match="fails on the reference"):
        compared(FakeExecutor(lambda executable, n: Run(Behaviour(status=1))))
    with pytest.raises(NotEstablished, match="not repeatable"):
        compared(FakeExecutor(lambda executable, n: computing(0.05, b"%d" % n)))
    with pytest.raises(NotEstablished, match="did something else than before"):
        compared(FakeExecutor(lambda executable, n: computing(0.05, b"late" if n > 9 else b"early")))


def test_programs_of_a_millisecond_and_of_a_minute() -> None:
    short = FakeExecutor(times(0.95, seconds=0.001))
    found = compared(short)
    assert found.outcome is Outcome.FASTER
    assert short.n_runs >= 2 * 20 * len(found.pairs), "several runs per sample"
    assert CautionKind.TOO_SHORT in {one.kind for one in found.cautions}
    with pytest.raises(NotEstablished, match=r"one run takes 60\.0 s, so that not even 6 pairs fit into 120 s"):
        compared(FakeExecutor(times(1.0, seconds=60, noise=0)))
    long = compared(FakeExecutor(times(0.8, seconds=5)))
    assert "of 60 pairs fit into 120 s" in str(long.cautions[0])


def test_a_clock_that_stands_still_is_told() -> None:
    with pytest.raises(NotEstablished, match="stood still over 20 runs") as caught:
        compared(FakeExecutor(lambda executable, n: computing(0.0)))
    assert "larger input" in caught.value.hint


def test_a_hung_candidate_is_waited_for_once() -> None:
    executor = FakeExecutor(lambda path, n: computing(0.001 if path.parts[0] == "base" else 1000))
    assert compared(executor).outcome is Outcome.HUNG
    assert executor.now_s < 10


def test_time_spent_linking_counts() -> None:
    executor = FakeExecutor(times(1.0))

    class Slow(Layouts):
        def executable(self, n: int) -> Path:
            executor.now_s += 10
            return super().executable(n)

    baseline = Baseline.establish(BASE, executor)
    found = compare(baseline, Slow("plan"), Rule(), seed=0, clock=executor.clock, load=lambda: IDLE)
    assert found.outcome is Outcome.NOT_SHOWN
    assert len(found.pairs) == 12


def test_one_layout_only_is_said() -> None:
    executor = FakeExecutor(times(0.9))
    baseline = Baseline.establish(FixedLayout(Path("base")), executor)
    found = compare(baseline, FixedLayout(Path("plan")), Rule(), seed=0, clock=executor.clock, load=lambda: IDLE)
    assert CautionKind.FIXED_LAYOUT in {one.kind for one in found.cautions}


def test_a_session_keeps_what_is_faster_and_tries_each_once() -> None:
    executor = FakeExecutor(lambda path, n: made_up(path, n))
    factors = {"base": 1.0, "fast": 0.95, "same": 1.0, "slow": 1.1}
    draw = random.Random(1)

    def made_up(path: Path, n: int) -> Run:
        return computing(0.05 * factors[path.parts[0]] * draw.lognormvariate(0, 0.01))

    tried = session(executor, n_candidates=3)
    assert 0.005 < tried.scale < 0.03
    for name in ("same", "fast", "slow"):
        tried.compare(name, Layouts(name))
    assert tried.kept() == ["fast"]
    confirmed = tried.confirm("fast", Layouts("fast"))
    assert confirmed.outcome is Outcome.FASTER
    assert {pair.candidate.layout for pair in confirmed.pairs} == set(range(60, 120)), "all pairs, in new layouts"
    with pytest.raises(UsageError, match="3 candidates"):
        tried.compare("more", Layouts("fast"))


def test_the_more_candidates_the_more_a_claim_needs() -> None:
    pairs = [
        len(session(FakeExecutor(times(0.97)), n_candidates=n).compare("plan", PLAN).pairs) for n in (1, 100, 10_000)
    ]
    assert pairs == sorted(set(pairs))


def test_after_a_gain_the_next_one_needs_less() -> None:
    tried = session(FakeExecutor(times(0.95, noise=0)))
    first, second = (tried.compare(name, Layouts(name)) for name in ("first", "second"))
    assert len(first.pairs) > len(second.pairs)
    assert tried.kept() == ["first", "second"]


def test_a_machine_that_sees_differences_where_there_are_none_is_not_trusted() -> None:
    quiet = FakeExecutor(times(1.0))
    order = [
        is_first
        for pair in session(quiet).itself.pairs
        for is_first in (pair.candidate_first, not pair.candidate_first)
    ]
    n_before = quiet.n_runs - len(order)

    def disturbed(executable: Path, n: int) -> Run:
        """Slower just where the same executables play the candidate, as no honest noise would do it."""
        return computing(0.05 if n < n_before or not order[n - n_before] else 0.06)

    with pytest.raises(NotEstablished, match=r"cannot be trusted now: .* 0\.833") as raised:
        session(FakeExecutor(disturbed))
    assert "stop what else runs" in raised.value.hint


def test_suspects_are_released_by_fresh_inputs_or_refuted() -> None:
    honest = FakeExecutor(times(0.3, seconds=0.2), "./program large")
    lazy = behaving(computing(0.01, b"wrong\n"))
    useless = FakeExecutor(times(1.0, seconds=0.2), "./program other")
    outcomes = {}
    for name, fresh in (("none", ()), ("honest", (honest,)), ("lazy", (honest, lazy)), ("useless", (useless,))):
        tried = session(FakeExecutor(times(0.3)), fresh=fresh)
        outcomes[name] = tried.compare("plan", PLAN)
        assert tried.kept() == (["plan"] if name == "honest" else [])
    assert [one.outcome for one in outcomes.values()] == [
        Outcome.QUARANTINED,
        Outcome.FASTER,
        Outcome.WRONG_OUTPUT,
        Outcome.QUARANTINED,
    ]
    assert "verified on" in outcomes["honest"].reason
    assert "no gain was shown" in outcomes["useless"].reason


def test_what_looks_too_good_only_when_it_is_confirmed_is_verified_then() -> None:
    def lucky_in_old_layouts(executable: Path, n: int) -> Run:
        if executable.parts[0] == "base":
            return computing(0.05)
        return computing(0.05 * (0.55 if int(executable.parts[1]) < 60 else 0.45))

    outcomes = []
    for fresh in ((), (FakeExecutor(times(0.3, seconds=0.2), "./program large"),)):
        tried = session(FakeExecutor(lucky_in_old_layouts), fresh=fresh)
        assert tried.compare("plan", PLAN).outcome is Outcome.FASTER
        outcomes.append(tried.confirm("plan", PLAN).outcome)
    assert outcomes == [Outcome.QUARANTINED, Outcome.FASTER]


def test_raw_times_are_kept_for_one_machine(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    tried = session(FakeExecutor(times(0.9)), samples=SampleFile(path, MACHINE))
    found = tried.compare("plan", PLAN)
    kept = SampleFile(path, MACHINE).load()
    assert tuple(kept["fake/plan"]) == found.pairs
    assert len(kept["fake/itself"]) == 20
    with pytest.raises(UsageError, match="another machine"):
        SampleFile(path, replace(MACHINE, kernel="6.1"))
