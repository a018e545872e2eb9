"""Neighbours are the most similar units, never the unit itself, and what worked there can be told and tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.store import Store, StoredEvaluation, StoredOutcome, StoredUnit
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.knowledge import N_NEIGHBOURS, Knowledge, describe, distance
from compiler_agent.search.space import Space

TARGET = "x86_64-pc-linux-gnu"
PLAN = "-passes=default<O2> -disable-lsr=true"


def features(*opcodes: int) -> tuple[int, ...]:
    counts = [*opcodes, *[0] * (67 - len(opcodes))]
    return (sum(counts), 1, 1, *counts)


def outcome(name: str, *opcodes: int, target: str = TARGET, plan: str = PLAN) -> StoredOutcome:
    return StoredOutcome(name, target, f"{name}.c", features(*opcodes), plan, 1.05)


@given(*(st.lists(st.integers(0, 1000), min_size=67, max_size=67) for _ in range(2)))
def test_a_distance_is_symmetric_between_0_and_1_and_does_not_see_size(first: list[int], second: list[int]) -> None:
    one, two = features(*first), features(*second)
    assert distance(one, two) == pytest.approx(distance(two, one))
    assert 0 <= distance(one, two) <= 1
    assert distance(one, features(*(3 * count for count in first))) == pytest.approx(0, abs=1e-7)


def test_distances_by_hand() -> None:
    assert distance(features(5, 0), features(0, 5)) == 1
    assert distance(features(1, 1), features(1, 0)) == pytest.approx((1 - 0.5**0.5) ** 0.5)
    assert distance(features(), features()) == 0
    assert distance(features(), features(1)) == 1


def test_the_nearest_come_first_and_never_the_unit_itself_nor_another_target() -> None:
    known = Knowledge(
        [
            outcome("far", 0, 9),
            outcome("near", 9, 1),
            outcome("itself", 9, 0),
            outcome("elsewhere", 9, 0, target="aarch64-linux-gnu"),
            outcome("between", 5, 5),
        ]
    )
    found = known.nearest("itself", TARGET, features(9, 0))
    assert [one.key for one in found] == ["near", "between", "far"]
    assert found[0].plans == (Plan.parse(PLAN),)
    assert [one.distance for one in found] == sorted(one.distance for one in found)
    assert len(Knowledge(outcome(str(n), n) for n in range(1, 20)).nearest("x", TARGET, features(1))) == N_NEIGHBOURS


def test_decisions_about_another_units_functions_stay_there() -> None:
    known = Knowledge([outcome("a", 1, plan=f"{PLAN} function:weigh:minsize=true")])
    assert known.nearest("x", TARGET, features(1))[0].plans == (Plan.parse(PLAN),)


def test_sources_can_be_left_out() -> None:
    known = Knowledge([outcome("zlib/inflate", 1), outcome("lua/lvm", 1)])
    found = known.where(lambda source: not source.startswith("zlib/")).nearest("x", TARGET, features(1))
    assert [one.source for one in found] == ["lua/lvm.c"]


def test_a_store_is_read_once() -> None:
    unit = StoredUnit("k", "t", TARGET, "a.c", features(3), 100, 200, 30, "2025-01-01")
    tried = StoredEvaluation("k", "t", "sha", PLAN, "established", "", 80, 150, 20, 0.1, "2025-01-01")
    with Store.in_memory() as store:
        store.put_unit(unit)
        store.put_many([tried])
        known = Knowledge.read(store, "t", "text_bytes")
        assert Knowledge.read(store, "another", "text_bytes").nearest("x", TARGET, features(3)) == ()
    (neighbour,) = known.nearest("x", TARGET, features(3))
    assert neighbour.gains == (1.25,)


@pytest.fixture(scope="module")
def space() -> Space:
    known = catalog.load()
    return Space(known, stock.editable_pipeline(discover(), known))


def test_neighbours_are_told_as_edits_of_the_stock_plan(space: Space) -> None:
    passes = str(space.stock).replace("globaldce,", "", 1).replace("bdce,", "bdce,bdce,", 1)
    known = Knowledge([outcome("a", 1), outcome("b", 1, 1, plan=f"-passes={passes}"), outcome("c", 1, 9)])
    text = describe(known.nearest("x", TARGET, features(1)), space.stock)
    assert text.splitlines()[1:] == [
        "0.00  1.050 times smaller  -disable-lsr=true",
        "0.54  1.050 times smaller  1 more bdce, 1 fewer globaldce",
        "0.83  1.050 times smaller  -disable-lsr=true",
    ]
    assert describe((), space.stock) == ""
    assert ".c" not in text, "other units' names are not sent anywhere"


def test_evolve_begins_with_what_worked_nearby_and_may_be_tried(space: Space) -> None:
    usable = Plan.parse("-passes=default<O2> -inline-threshold=77")
    experimental = Plan.parse("-passes=attributor")
    unknown = Plan.parse("-passes=not-a-pass")
    strategy = strategies.make("neighbours", space, 1, near=[experimental, usable, unknown])
    assert [strategy.ask() for _ in range(3)] == [strategies.STOCK, usable, strategies.read_coreset()[0]]
    without, plain = strategies.make("neighbours", space, 1), strategies.make("evolve", space, 1)
    assert [without.ask() for _ in range(8)] == [plain.ask() for _ in range(8)]
