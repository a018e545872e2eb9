"""The space for speed holds only what clang takes, and its strategies learn, repeat for a seed, and beat luck."""

import math
import random
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from compiler_agent.base.errors import PlanError, UsageError
from compiler_agent.evaluation.hot import HotFunction
from compiler_agent.llvm import catalog
from compiler_agent.llvm.engine import Engine, Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.replay import compile_plainly, key_of, replay
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import speed
from compiler_agent.search.speed_model import Told, Worth
from compiler_agent.search.speed_space import STOCK, SpeedSpace, for_unit, words_of
from compiler_agent.search.strategies import read_coreset
from compiler_agent.search.strategy import Score

SEEDS = read_coreset(speed.SEED_FILE)
HOT = [HotFunction("unit", "f", 0.7, 3, (0, 2)), HotFunction("unit", "g", 0.2, 1), HotFunction("unit", "cold", 0.01, 5)]
UNIT = """
double total(const double *x, int n) { double s = 0; for (int i = 0; i < n; i++) s += x[i]; return s; }
double a[512][512], b[512][512], c[512][512];
void product(void) {
  for (int i = 0; i < 512; i++)
    for (int j = 0; j < 512; j++) {
      c[i][j] = 0;
      for (int k = 0; k < 512; k++)
        c[i][j] += a[i][k] * b[k][j];
    }
}
"""
SMALL = """
double total(const double *x, int n) { double s = 0; for (int i = 0; i < n; i++) s += x[i]; return s; }
int product(int *x) { do do do ++*x; while (x[*x]); while (x[*x + 1]); while (x[*x + 2]); return *x; }
"""


@pytest.fixture(scope="module")
def space() -> SpeedSpace:
    return SpeedSpace(catalog.load(), HOT)


@pytest.fixture
def argv(tmp_path: Path) -> list[str]:
    (tmp_path / "unit.c").write_text(UNIT)
    return [str(discover().clang), "-O3", "-c", "-o", "-", str(tmp_path / "unit.c")]


def test_every_word_and_every_seed_plan_compiles(argv: list[str]) -> None:
    Path(argv[-1]).write_text(SMALL)
    space = SpeedSpace(catalog.load(), [HotFunction("unit", "product", 1.0, 3), HotFunction("unit", "total", 0.5, 1)])
    plans = [*SEEDS, *(space.with_word(STOCK, word.text) for word in space.words)]
    assert len(plans) > 400
    with Engine(argv, Path.cwd()) as engine:
        for plan in plans:
            space.catalog.check(plan)
            measured = engine.measure(str(plan), late=space.catalog.late_options(plan), identify=False, emit=False)
            assert measured.outcome is Outcome.OK, (str(plan), measured.message)


def test_a_plan_with_polly_gives_the_object_that_clang_gives_with_polly(argv: list[str], tmp_path: Path) -> None:
    key = key_of(argv, tmp_path)
    flags = ["-mllvm", "-polly", "-mllvm", "-polly-default-tile-size=64"]
    for more, plan in ((flags[:2], "-polly=true"), (flags, "-polly=true -polly-default-tile-size=64")):
        shipped = replay(argv, tmp_path, key, f"-passes=default<O3> {plan}")
        assert shipped.outcome is Outcome.OK
        assert shipped.content == compile_plainly(argv, tmp_path, *more)
        assert shipped.content != compile_plainly(argv, tmp_path)


SUMS = """
#include <stdio.h>
#include <stdlib.h>
static double __attribute__((noinline)) total(const double *x, int n) {
  double s = 0;
  for (int i = 0; i < n; i++) s += x[i];
  return s;
}
static void __attribute__((noinline)) columns(const float *a, int n, float *sums) {
  for (int j = 0; j < n; j++) {
    sums[j] = 0;
    for (int i = 0; i < n; i++) sums[j] += a[i * n + j] * a[j * n + i];
  }
}
static double __attribute__((noinline)) several(const double *x, int n) {
  double product = 1, sum = 0;
  for (int i = 0; i + 3 < n; i += 4) {
    sum += x[i] + x[i + 1] + x[i + 2] + x[i + 3];
    product *= 1 + x[i] * 0.1;
  }
  return sum * product;
}
int main(void) {
  double x[1003];
  float *a = calloc(200 * 200, sizeof *a), sums[200];
  for (int i = 0; i < 1003; i++) x[i] = 1.0 / (i + 3);
  for (int i = 0; i < 200 * 200; i++) a[i] = 1.0f / (i % 97 + 3);
  columns(a, 200, sums);
  printf("%a %a\\n", total(x, 1003), several(x, 1003));
  for (int i = 0; i < 200; i++) printf("%a ", sums[i]);
}
"""


def printed(argv: list[str], place: Path, plans: Iterable[Plan]) -> dict[Plan, bytes]:
    """What a program that adds floating-point numbers prints, by the plan that it is compiled with."""
    (place / "unit.c").write_text(SUMS)
    key = key_of(argv, place)
    outputs: dict[bytes, bytes] = {}
    found = {}
    for plan in plans:
        content = replay(argv, place, key, str(plan)).content
        if content not in outputs:
            (place / "unit.o").write_bytes(content)
            subprocess.run([argv[0], "unit.o", "-o", "sums"], cwd=place, check=True)
            outputs[content] = subprocess.run(["./sums"], cwd=place, check=True, capture_output=True).stdout
        found[plan] = outputs[content]
    return found


def test_a_forced_width_does_not_reorder_floating_point_sums(
    argv: list[str], tmp_path: Path, space: SpeedSpace
) -> None:
    bare = Plan.parse("-passes=default<O3> -force-vector-width=4")
    with pytest.raises(PlanError, match="hints-allow-reordering"):
        space.catalog.check(bare)
    wanted = space.with_word(STOCK, "-force-vector-width=4")
    found = printed(argv, tmp_path, [STOCK, bare, wanted, *SEEDS])
    assert found.pop(bare) != found[STOCK]  # clang reorders where it may
    assert set(found.values()) == {found[STOCK]}


@pytest.mark.nightly
def test_no_word_reorders_floating_point_sums(argv: list[str], tmp_path: Path) -> None:
    space = SpeedSpace(catalog.load(), [HotFunction("unit", name, 0.3, 2) for name in ("total", "columns", "several")])
    words = [word.text for word in space.words if not word.text.startswith(("loop:total:1", "loop:several:1"))]
    polly = Plan.parse("-passes=default<O3> -polly=true -polly-process-unprofitable=true")
    plans = [polly, *(space.with_word(start, text) for start in (STOCK, polly) for text in words)]
    found = printed(argv, tmp_path, [STOCK, *plans])
    assert [str(plan) for plan in plans if found[plan] != found[STOCK]] == []


def test_words_need_what_they_need(space: SpeedSpace) -> None:
    plan = space.with_word(STOCK, "-polly-prevect-width=8")
    assert dict(plan.options) == {"polly": "true", "polly-vectorizer": "stripmine", "polly-prevect-width": "8"}
    assert space.without_word(plan, "-polly=true") == STOCK
    assert dict(space.without_word(plan, "-polly-vectorizer=stripmine").options) == {"polly": "true"}
    forced = space.with_word(STOCK, "-force-vector-width=8")
    assert space.without_word(forced, "-hints-allow-reordering=false") == STOCK
    assert words_of(STOCK) == ()


def test_words_about_functions_are_about_hot_ones(space: SpeedSpace) -> None:
    texts = [word.text for word in space.words]
    assert "loop:f:2:unroll-count=4" in texts
    assert "call:f:2:inline=never" in texts
    assert not [text for text in texts if ":cold:" in text or text.startswith(("loop:f:3", "call:f:1", "call:g"))]


def test_a_unit_gets_the_decisions_about_its_own_functions() -> None:
    plan = Plan.parse("-passes=default<O3> -polly=true function:f:noinline=true loop:g:0:unroll=false")
    assert str(for_unit(plan, ["g", "h"])) == "-passes=default<O3> -polly=true loop:g:0:unroll=false"
    assert for_unit(plan, ["f", "g"]) == plan


def landscape(space: SpeedSpace, seed: int) -> Callable[[Plan], float]:
    """Logarithms of times: a third of the subjects do something, most of it harm, and words act on each other."""
    rng = random.Random(seed)
    subjects = sorted({word.subject for word in space.words})
    base = {subject: rng.gauss(0.002, 0.012) if rng.random() < 0.35 else None for subject in subjects}
    effects = {}
    for word in space.words:
        change = abs(rng.gauss(0, 0.02)) * rng.choice((1, 1, -1))
        known = base[word.subject]
        effects[word.text] = 0.0 if known is None else known + change

    def time_of(plan: Plan) -> float:
        total = sum(effects.get(text, 0.0) for _, text in words_of(plan))
        return total + random.Random(f"{plan}{seed}").gauss(0, 0.006) if total else 0.0

    return time_of


def run(name: str, space: SpeedSpace, seed: int, n_measured: int) -> tuple[list[str], float]:
    """The plans that a strategy asks for, and the real time of the one that looks best."""
    strategy, time_of, noise = speed.make(name, space, seed), landscape(space, seed), random.Random(seed)
    figures = {0.0: 1.0}
    asked: list[Plan] = []
    while len(figures) <= n_measured and len(asked) < 5 * n_measured and (plan := strategy.ask()) is not None:
        asked.append(plan)
        space.catalog.check(plan)
        error = 0.01 if time_of(plan) else 0.0
        if random.Random(str(plan)).random() < 0.05:
            strategy.tell(Score(plan, None, False, "crash", "it crashed"))
            continue
        figure = figures.setdefault(time_of(plan), math.exp(time_of(plan) + noise.gauss(0, error)))
        strategy.tell(Score(plan, figure, True, error=error))
    best = min(asked, key=lambda plan: figures.get(time_of(plan), 2.0))
    return [str(plan) for plan in asked], time_of(best)


@pytest.mark.parametrize("name", speed.NAMES)
def test_a_seed_repeats_a_search(name: str, space: SpeedSpace) -> None:
    first, second = (run(name, space, 3, 40)[0] for _ in range(2))
    assert first == second
    if name in ("random", "evolve"):
        assert first != run(name, space, 4, 40)[0]


def test_learning_beats_luck(space: SpeedSpace) -> None:
    learned, lucky = ([run(name, space, seed, 55)[1] for seed in range(2)] for name in ("evolve", "random"))
    assert sum(learned) < sum(lucky) - 0.04  # 2% each


def test_evolve_begins_with_the_seeds_and_repeats_nothing(space: SpeedSpace) -> None:
    asked = run("evolve", space, 0, 45)[0]
    assert asked[: len(SEEDS)] == [str(plan) for plan in SEEDS]
    assert len(set(asked)) == len(asked)


def test_words_that_do_nothing_are_left(space: SpeedSpace) -> None:
    strategy = speed.Evolve(space, [Plan.parse("-passes=default<O3> -polly=true")], 0)
    strategy.tell(Score(strategy.ask() or STOCK, 1.0, False))
    for _ in range(40):
        plan = strategy.ask()
        assert plan is not None
        assert plan.option("polly") is None
        strategy.tell(Score(plan, 1.0 + len(str(plan)) / 1e4, False, error=0.01))


def test_what_is_believed_lies_between_the_figure_and_nothing() -> None:
    plans = [Plan.parse(f"-passes=default<O3> -{option}") for option in ("disable-lsr=true", "polly=true")]
    worth = Worth([Told(plans[0], -0.05, 0.05), Told(plans[1], -0.05, 0.001)])
    vague, sharp = worth.believed()
    assert -0.02 < vague < 0
    assert sharp == pytest.approx(-0.05, abs=0.001)
    both = Plan.parse("-passes=default<O3> -disable-lsr=true -polly=true")
    assert worth.expected([both])[0] == pytest.approx(sum(worth.expected(plans)))


def test_what_is_not_there_for_speed_says_so(space: SpeedSpace) -> None:
    for name in ("llm", "hybrid", "neighbours", "nonsense"):
        with pytest.raises(UsageError, match=f"'{name}' is not there for speed"):
            speed.make(name, space, 0)


def test_seeds_differ_from_each_other_and_from_the_stock_plan() -> None:
    assert len({str(plan) for plan in SEEDS}) == len(SEEDS) >= 25
    assert STOCK not in SEEDS


def test_words_are_judged_against_clang_and_not_against_the_baseline(space: SpeedSpace) -> None:
    """Where -O2 is the baseline, and faster than -O3, that is no fault of the words."""
    times = {False: 1.2, True: 1.15}
    strategy = speed.Evolve(space, [STOCK.with_option("disable-lsr", "true")], 0)
    strategy.tell(Score(STOCK, times[False], False))
    asked = []
    for _ in range(30):
        plan = strategy.ask()
        assert plan is not None
        asked.append(plan.option("disable-lsr") == "true")
        strategy.tell(Score(plan, times[asked[-1]], False, error=0.001))
    assert sum(asked) > 20


def test_a_decision_brings_the_option_that_it_needs(space: SpeedSpace) -> None:
    plan = space.with_word(STOCK, "loop:f:0:unroll-and-jam-count=4")
    assert str(plan) == "-passes=default<O3> -enable-unroll-and-jam=true loop:f:0:unroll-and-jam-count=4"


def test_without_experiments_nothing_experimental_is_proposed() -> None:
    known = catalog.load()
    space = SpeedSpace(known, HOT, allow_experimental=False)
    assert len(space.words) > 300
    plans = [Plan.parse(text) for name in ("evolve", "random") for text in run(name, space, 0, 40)[0]]
    assert len(plans) > 60
    assert not [str(plan) for plan in plans if known.provenance_of(plan).names]
