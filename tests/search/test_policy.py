"""The policy: what it learns from, that learning repeats, and what it proposes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from compiler_agent.base.config import Budget
from compiler_agent.base.errors import FileError, UsageError
from compiler_agent.evaluation.benchmark import Part, load_all
from compiler_agent.evaluation.evaluate import Evaluation, Objective, Verdict
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.engine import Measurement, Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.loop import search
from compiler_agent.search.policy import model as models
from compiler_agent.search.policy import table
from compiler_agent.search.policy.assess import assess
from compiler_agent.search.policy.edits import LearnedSpace, Tried, edit_values, edit_words
from compiler_agent.search.policy.expectation import Expectation, descriptors, shares_of
from compiler_agent.search.policy.fit import train
from compiler_agent.search.policy.strategy import Policy
from compiler_agent.search.policy.table import UnitRow
from compiler_agent.search.space import Space
from compiler_agent.search.strategies import STOCK, Coreset
from compiler_agent.search.strategy import Score

PLANS = [Plan.parse(f"-passes=default<O2> -inline-threshold={number}") for number in range(6)]
LOADS, ADDS = 3 + 27, 3 + 12
"""Places of two opcodes in InstCount."""


@pytest.fixture(scope="module")
def space() -> Space:
    known = catalog.load()
    return Space(known, stock.editable_pipeline(discover(), known))


def features(loads: int, adds: int) -> tuple[int, ...]:
    counts = [0] * 126
    counts[0], counts[LOADS], counts[ADDS] = loads + adds, loads, adds
    return tuple(counts)


def row(number: int, gains: Sequence[float | None], *, loads: int, search: tuple[Tried, ...] = ()) -> UnitRow:
    """A unit of 1000 bytes where each of PLANS gains so much, in logarithms."""
    values = [None if one is None else round(1000 * math.exp(-one)) for one in gains]
    outcomes = {str(plan): (one, one, one) if one else None for plan, one in zip(PLANS, values, strict=False)}
    name = ("base64", "csv", "fft", "forth", "gemm", "heat-1d", "json-not-training")[number]
    uri = f"{table.PROGRAMS}{name}/unit{number}.c"
    return UnitRow(uri, "0" * 64, features(loads, 100 - loads), (1000, 1000, 1000), outcomes, "", 1.0, search)


def small_table() -> list[UnitRow]:
    """Plan 1 helps where there are loads, plan 2 where there are none, plan 3 a little everywhere, plan 4 fails."""
    return [row(n, (0.0, 0.2, -0.1, 0.05, None), loads=90 + n) for n in range(3)] + [
        row(n, (0.0, -0.1, 0.2, 0.05, None), loads=n) for n in range(3, 6)
    ]


def test_training_repeats_to_the_byte_and_reads_back() -> None:
    trained = train(small_table(), "llvm", "command")
    assert trained.text() == train(small_table(), "llvm", "command").text()
    assert {str(plan) for plan in trained.plans} == {str(PLANS[number]) for number in (1, 2)}, (
        "the third adds nothing to these"
    )
    assert models._model(json.loads(trained.text())) == trained


def test_the_order_depends_on_the_unit(space: Space) -> None:
    trained = train(small_table(), "llvm", "command")
    first = {}
    for loads in (95, 2):
        policy = Policy(trained, space, features(loads, 100 - loads), Objective.TEXT_BYTES, lambda _: Coreset((STOCK,)))
        assert policy.ask() == STOCK
        policy.tell(Score(STOCK, 1000, False))
        first[loads] = policy.ask()
    assert first == {95: PLANS[1], 2: PLANS[2]}


def test_it_hands_over_when_no_plan_promises_more_than_the_search_gains(space: Space) -> None:
    trained = train(small_table(), "llvm", "command")
    impatient = dataclasses.replace(trained, patience=1.0)
    policy = Policy(impatient, space, (), Objective.TEXT_BYTES, lambda _: Coreset((STOCK, PLANS[5])))
    policy.ask()
    policy.tell(Score(STOCK, 1000, False))
    assert policy.ask() == PLANS[5]
    patient = Policy(trained, space, (), Objective.TEXT_BYTES, lambda _: Coreset((STOCK, PLANS[5])))
    asked = []
    while (plan := patient.ask()) is not None:
        asked.append(plan)
        patient.tell(Score(plan, 1000, False))
    assert asked[0] == STOCK
    assert asked[-1] == PLANS[5], "the search that is handed to proposes the rest"
    assert len(asked) == len(set(map(str, asked)))


def test_a_unit_whose_stock_plan_fails_is_left_to_the_search(space: Space) -> None:
    policy = Policy(train(small_table(), "", ""), space, (), Objective.TEXT_BYTES, lambda _: Coreset((STOCK, PLANS[5])))
    policy.ask()
    policy.tell(Score(STOCK, None, False))
    assert policy.ask() == PLANS[5]


def test_what_may_not_be_learned_from_is_refused(tmp_path: Path) -> None:
    held_out = next(one.name for one in load_all() if one.part is Part.HELD_OUT)
    for uri in (f"{table.PROGRAMS}{held_out}/a.c", f"{table.LIBRARIES}bzip2/huffman.c", "file:///tmp/csv/a.c"):
        journal = table.open_table(tmp_path / f"{len(uri)}.jsonl", 20, 0, "llvm")
        journal.note(table.SEARCHED, uri)
        with pytest.raises(UsageError, match="not of the training part"):
            table.read(journal)


def test_it_is_known_which_benchmarks_are_no_test_of_what_was_learned() -> None:
    training = ["benchmark://programs-v0/csv/csv.c", "benchmark://libs-v0/zlib/trees.c", "benchmark://whole-v0/lua"]
    others = ["benchmark://programs-v0/json/parse.c", "benchmark://libs-v0/bzip2/bzlib.c", "file:///zlib/trees.c"]
    assert table.learned_from([*training, *others]) == training


def test_what_is_shipped_was_trained_on_the_training_part_alone_and_fits(space: Space) -> None:
    shipped = models.read()
    table.check_training(unit.uri for unit in shipped.units)
    assert models.MODEL_FILE.stat().st_size < 300_000
    assert len({unit.uri for unit in shipped.units}) == len(shipped.units) > 50
    assert all(len(unit.features) == 126 and len(unit.outcomes) == len(shipped.plans) for unit in shipped.units)
    assert all(len(unit.digest) == 64 for unit in shipped.units)
    held_out = [one for one in load_all() if one.part is Part.HELD_OUT]
    sources = [one.folder / source for one in held_out for source in one.sources]
    digests = {hashlib.sha256(source.read_bytes()).hexdigest() for source in sources}
    assert digests.isdisjoint(unit.digest for unit in shipped.units), "nor under another name"
    assert all(space.takes(plan) for plan in shipped.plans), "a portfolio of plans that production may use"
    assert shipped.text() == models.MODEL_FILE.read_text()


def test_a_model_that_is_damaged_or_newer_says_so(tmp_path: Path) -> None:
    text = train(small_table(), "llvm", "command").text()
    for name, damaged in (("newer", text.replace('"version": 1', '"version": 2')), ("cut", text[:-20])):
        (tmp_path / name).write_text(damaged)
        with pytest.raises(FileError, match="env train"):
            models.read(tmp_path / name)


@pytest.mark.parametrize(
    ("key", "value"),
    [("units", []), ("plans", [3]), ("plans", ["rubbish"]), ("edits", [1]), ("spread", 0), ("patience", None)],
)
def test_a_model_that_lacks_something_is_damaged(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(json.loads(train(small_table(), "llvm", "command").text()) | {key: value}))
    with pytest.raises(FileError, match="damaged"):
        models.read(path)


@pytest.mark.parametrize(("place", "value"), [(0, 3), (2, [1]), (3, [0, 0, 0]), (4, []), (4, [["a"] * 3] * 2)])
def test_a_model_with_a_unit_that_makes_no_sense_is_damaged(tmp_path: Path, place: int, value: object) -> None:
    document = json.loads(train(small_table(), "llvm", "command").text())
    document["units"][0][place] = value
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document))
    with pytest.raises(FileError, match="damaged"):
        models.read(path)


def test_a_unit_is_expected_to_be_like_those_near_it_and_like_those_where_the_same_helped() -> None:
    gains = np.array([[0.2, 0.0, 0.1], [0.0, 0.2, 0.1]])
    even = Expectation(gains, np.array([0.5, 0.5]), None, 1.0, 0.05)
    assert even.improvement(0.0) == pytest.approx([0.1, 0.1, 0.1])
    assert even.improvement(0.1) == pytest.approx([0.05, 0.05, 0.0])
    near = Expectation(gains, np.array([0.5, 0.5]), np.array([0.0, 1.0]), 0.5, 0.05)
    first, second, third = near.improvement(0.0)
    assert first == pytest.approx(0.2 * (0.98 + 0.02) / (1 + math.exp(-2)))
    assert first > third > second
    even.tell(0, 0.0)  # as on the second unit
    assert even.improvement(0.0)[1] > 0.19 > 0.01 > even.improvement(0.0)[0]


def test_an_order_follows_what_each_plan_gave() -> None:
    gains = np.array([[0.2, 0.1, 0.3], [0.3, 0.25, -0.1], [0.0, 0.0, 0.05]])
    expectation = Expectation(gains, np.full(3, 1 / 3), None, 1.0, 0.05)
    assert expectation.order(np.array([0.2, 0.1, 0.3]), 3) == [0, 2, 1]
    expectation = Expectation(gains, np.full(3, 1 / 3), None, 1.0, 0.05)
    assert expectation.order(np.array([0.0, 0.0, 0.05]), 2) == [0, 2]


def test_a_library_counts_more_than_a_program_and_less_than_its_files() -> None:
    shares = shares_of(["lua", "lua", "lua", "lua", "fft"])
    assert shares == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 3])


def test_shares_make_units_alike_and_size_a_little() -> None:
    small, large, other = descriptors([features(50, 50), features(500, 500), features(100, 0)])
    assert np.linalg.norm(small - large) < 0.3 < np.linalg.norm(small - other)


def test_the_value_of_an_edit_is_the_best_that_came_of_it(space: Space) -> None:
    search = (
        Tried(-1, 1000, ()),
        Tried(0, 1000, ("drop gvn",)),  # gains nothing itself
        Tried(1, 900, ("+a=1",)),  # but led to this
        Tried(0, 1100, ("+b=1",)),
        Tried(2, None, ("+c=1",)),
    )
    values = edit_values([search])
    assert values == {"drop gvn": pytest.approx(math.log(1000 / 900) / 6), "+a=1": pytest.approx(values["drop gvn"])}


def test_edits_are_named_by_what_they_did(space: Space) -> None:
    before = Plan.parse("-passes=default<O2> -a=1 -b=2")
    assert edit_words(before, Plan.parse("-passes=default<O2> -a=3 -c=1"), space) == ("+a=3", "+c=1", "-b")
    assert edit_words(before, before.with_pipeline(space.stock), space) == ()
    assert edit_words(Plan.parse("-passes=dce,dce"), Plan.parse("-passes=dce,adce"), space) == ("add adce", "drop dce")


def test_learned_edits_are_drawn_more_often(space: Space) -> None:
    option = next(one for one in space.options if one.search and one.needs is None)
    word = f"+{option.name}={option.search[0]}"
    counts = {}
    for name, chosen in (("learned", LearnedSpace(space, {word: 0.1, "drop gvn": 0.1})), ("plain", space)):
        rng = random.Random(0)
        drawn = [chosen.edit_options(STOCK, rng) for _ in range(300)]
        counts[name] = sum(plan.option(option.name) == option.search[0] for plan in drawn)
        rng = random.Random(0)
        edited = [str(chosen.edit_pipeline(STOCK, rng).pipeline) for _ in range(300)]
        counts[f"{name} drops"] = sum("gvn<>" not in text for text in edited)
    assert counts["learned"] > counts["plain"] + 50
    assert counts["learned drops"] > counts["plain drops"] + 20


def test_assessing_leaves_each_program_out(space: Space) -> None:
    rows = [
        dataclasses.replace(
            one, outcomes={**one.outcomes, **{str(plan): (900, 900, 900) for plan in strategies.read_coreset()}}
        )
        for one in small_table()
    ]
    figures = {one.chooser: one for one in assess(rows, space, "llvm")}
    assert set(figures) == {"policy", "in-order", "coreset"}
    assert all(one.part == "programs" and one.n_units == 6 for one in figures.values())
    assert figures["coreset"].ratios[0] == pytest.approx(1000 / 900)
    assert figures["policy"].ratios[-1] == pytest.approx(math.exp(0.2), rel=1e-3)


def test_the_strategy_repeats_for_a_seed_and_goes_on_after_the_portfolio(space: Space) -> None:
    def evaluate(plan: Plan) -> Evaluation:
        value = 1000 - 3 * len(plan.options)
        verdict = Verdict.ESTABLISHED if value < 1000 else Verdict.NOT_BETTER
        return Evaluation(plan, verdict, Measurement(Outcome.OK, text_bytes=value), value, None)

    def run(seed: int, counts: tuple[int, ...]) -> list[str]:
        strategy = strategies.make("policy", space, seed, features=counts)
        return [str(one.plan) for one in search(strategy, evaluate, Budget(n_evaluations=60)).evaluations]

    first = run(1, features(60, 40))
    assert first == run(1, features(60, 40)) != run(2, features(60, 40))
    assert first[0] == str(STOCK)
    portfolio = {str(plan) for plan in models.read().plans}
    assert first[1] in portfolio
    assert len(set(first) - portfolio) > 20
