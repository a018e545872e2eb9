"""Plans: one canonical text."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm.pipeline import Pipeline, parse
from compiler_agent.llvm.plan import Plan

TEXT = "-passes=default<O2> -disable-lsr=true -enable-machine-outliner=always -inline-threshold=-50"

options = st.dictionaries(
    st.from_regex(r"[A-Za-z][a-z0-9-]{0,10}", fullmatch=True).filter(lambda name: name != "passes"),
    st.from_regex(r"[!-~]{1,8}", fullmatch=True),
    max_size=5,
)


def test_the_text_round_trips() -> None:
    assert str(Plan.parse(TEXT)) == TEXT
    assert Plan.parse(TEXT).options == (
        ("disable-lsr", "true"),
        ("enable-machine-outliner", "always"),
        ("inline-threshold", "-50"),
    )


@given(options, st.randoms())
def test_equal_plans_have_equal_text_in_whatever_order_they_were_made(chosen: dict[str, str], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(chosen.items())
    random.shuffle(shuffled)
    plan, other = Plan(parse("sroa"), tuple(chosen.items())), Plan(parse("sroa"), tuple(shuffled))
    assert plan == other
    assert hash(plan) == hash(other)
    assert str(plan) == str(other)
    assert Plan.parse(str(plan)) == plan
    assert Plan.parse("  ".join(reversed([f"-{n}={v}" for n, v in shuffled])).join(["-passes=sroa ", "\n"])) == plan


def test_setting_and_clearing_an_option() -> None:
    plan = Plan.parse(TEXT)
    assert plan.with_option("inline-threshold", "5").option("inline-threshold") == "5"
    assert plan.with_option("aaa", "1").without_option("aaa") == plan
    assert plan.without_option("absent") == plan
    assert plan.option("absent") is None
    assert str(plan.with_pipeline(parse("dce"))).startswith("-passes=dce -disable-lsr=true ")


def test_the_digest_is_of_the_text() -> None:
    assert Plan.parse(TEXT).sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert Plan(Pipeline(())).sha256 != Plan.parse(TEXT).sha256


def test_a_value_may_hold_an_equals_sign() -> None:
    assert Plan.parse("-passes=dce -a=b=c").option("a") == "b=c"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("dce", "begins with 'dce'"),
        ("-disable-lsr=true -passes=dce", "begins with '-disable-lsr=true'"),
        ("-passes=dce -disable-lsr", "write it out: `-disable-lsr=true`"),
        ("-passes=dce --disable-lsr=true", "is not an option"),
        ("-passes=dce disable-lsr=true", "an option begins with '-'"),
        ("-passes=dce -=true", "is not an option"),
        ("-passes=dce -a=", "cannot have the value ''"),
        ("-passes=dce -a=1 -a=2", "-a comes twice, with 1 and 2"),
        ("-passes=dce -a=1 -a=1", "comes twice"),
        ("-passes=dce -passes=dce", "second -passes="),
        ("-passes=function(dce", "never closed"),
        ("-passes=dce -a,b=1", "no option name"),
    ],
)
def test_what_cannot_be_a_plan(text: str, what: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan.parse(text)
    assert what in str(caught.value)


def test_a_value_with_a_space_cannot_be_written() -> None:
    with pytest.raises(PlanError, match="cannot have the value"):
        Plan(parse("dce"), (("a", "b c"),))
