"""Decisions as values: one text each, and nothing that the native component would not take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm.decision import KEYS, Decision, Kind
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.pipeline import parse
from compiler_agent.llvm.plan import Plan


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    kind = draw(st.sampled_from(Kind))
    key = draw(st.sampled_from(sorted(KEYS[kind])))
    value = str(draw(st.sampled_from(list(KEYS[kind][key]))))
    name = draw(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
    position = None if kind is Kind.FUNCTION else draw(st.integers(0, 99999))
    return Decision(kind, name, position, key, value)


@given(decisions())
def test_the_text_round_trips(decision: Decision) -> None:
    text = str(decision)
    assert Decision.parse(text) == decision
    assert text.isascii()
    assert not text.startswith("-")
    assert len(text.split()) == 1
    assert Plan.parse(f"-passes=dce {text}").decisions == (decision,)


@given(st.lists(decisions(), max_size=6), st.randoms())
def test_equal_plans_have_equal_text_in_whatever_order_they_were_made(taken: list[Decision], random) -> None:  # type: ignore[no-untyped-def]
    plan = Plan(parse("dce"), (("a", "1"),))
    for decision in taken:
        plan = plan.with_decision(decision)
    shuffled = list(plan.decisions)
    random.shuffle(shuffled)
    assert Plan(plan.pipeline, plan.options, tuple(shuffled)) == plan == Plan.parse(str(plan))
    assert str(plan).startswith("-passes=dce -a=1")
    words = str(plan).split(" ")[2:]
    assert words == sorted(words)


@pytest.mark.parametrize("kind", Kind)
def test_the_native_component_takes_each_key_and_value_and_names_what_it_does_not_find(kind: Kind) -> None:
    with Library().parse("define void @f() { ret void }") as module:
        for key, values in KEYS[kind].items():
            for value in {str(values[0]), str(values[-1])}:
                decision = Decision(kind, "nosuch", None if kind is Kind.FUNCTION else 0, key, value)
                with pytest.raises(PlanError, match="this unit defines no function nosuch"):
                    module.run(f"-passes=no-op-module {decision}")
            if isinstance(values, range):
                with pytest.raises(PlanError, match=f"{key} is 1 to {values[-1]}"):
                    module.run(f"-passes=no-op-module loop:f:0:{key}={values[-1] + 1}")


def test_deciding_anew_and_not_at_all() -> None:
    plan = Plan.parse("-passes=dce loop:f:0:unroll-count=4")
    anew = plan.with_decision(Decision.parse("loop:f:0:unroll-count=8"))
    assert str(anew) == "-passes=dce loop:f:0:unroll-count=8"
    both = plan.with_decision(Decision.parse("loop:f:1:unroll-count=8"))
    assert str(both) == "-passes=dce loop:f:0:unroll-count=4 loop:f:1:unroll-count=8"
    assert both.without_decision(Decision.parse("loop:f:1:unroll-count=8")) == plan
    assert plan.without_decision(Decision.parse("loop:f:1:unroll-count=8")) == plan
    assert str(both.with_pipeline(parse("sroa"))).startswith("-passes=sroa loop:f:0:")
    assert len({plan, anew, both}) == 3


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("loop", "is no decision"),
        ("loop:f:unroll=full", "is no decision"),
        ("function:f:0:cold=true", "is no decision"),
        ("loop:f:x:unroll=full", "has no position"),
        ("loop:f:01:unroll=full", "has no position"),
        ("loop::0:unroll=full", "names no function"),
        ("loop:f:0:unroll", "unroll cannot be ''"),
        ("loop:f:0:unroll=maybe", "one of full, true, false"),
        ("loop:f:0:unroll-count=0", "a number from 1 to 1024"),
        ("loop:f:0:unroll-count=4x", "unroll-count cannot be '4x'"),
        ("loop:f:0:parallel_accesses=true", "of a loop 'parallel_accesses' cannot be decided"),
        ("loop:f:0:vectorize=assume_safety", "vectorize cannot be 'assume_safety'"),
        ("call:f:0:inline=true", "one of always, never"),
        ("function:a-b:cold=true", "write `function:a%2Db:cold=true`"),
        ("function:%61:cold=true", "write `function:a:cold=true`"),
        ("loop:f:0:unroll=full loop:f:0:unroll=false", "decide the same"),
    ],
)
def test_what_cannot_be_decided(word: str, what: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan.parse(f"-passes=dce {word}")
    assert what in str(caught.value)
