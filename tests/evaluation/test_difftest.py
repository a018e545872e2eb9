"""Whole-program differential testing: the reference must repeat, every difference is seen, culprits are found."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.errors import NotEstablished
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.difftest import Behaviour, culprits


def test_a_command_that_repeats_is_a_reference(tmp_path: Path) -> None:
    expected = difftest.reference("echo right", tmp_path, 10)
    assert expected.status == 0
    assert expected.difference(difftest.observe("echo right", tmp_path, 10)[0]) == ""


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("echo wrong", "its standard output differs"),
        ("echo right; exit 3", "exit status 3 instead of 0"),
        ("echo right; kill -SEGV $$", "exit status -11 instead of 0"),
        ("echo right; sleep 30", "it did not end in time"),
    ],
)
def test_each_kind_of_difference_is_seen(tmp_path: Path, command: str, words: str) -> None:
    expected = difftest.reference("echo right", tmp_path, 10)
    assert expected.difference(difftest.observe(command, tmp_path, 1)[0]) == words


def test_a_command_that_fails_on_the_baseline_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotEstablished, match=r"fails on the baseline \(status 4\).*its own words") as caught:
        difftest.reference("echo its own words >&2; exit 4", tmp_path, 10)
    assert caught.value.exit_code == 1


def test_a_command_that_never_ends_on_the_baseline_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotEstablished, match="fails on the baseline"):
        difftest.reference("sleep 30", tmp_path, 0.5)


def test_a_flaky_command_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotEstablished, match="not repeatable") as caught:
        difftest.reference("echo x >> count; wc -l count", tmp_path, 10)
    assert "deterministic" in caught.value.hint


ITEMS = st.integers(min_value=0, max_value=40)


@given(st.integers(min_value=0, max_value=40).flatmap(lambda n: st.tuples(st.just(n), st.sets(ITEMS))))
def test_culprits_are_exactly_the_bad_items(drawn: tuple[int, set[int]]) -> None:
    n_items, bad = drawn
    items = list(range(n_items))
    n_tests = 0

    def passes(group: Sequence[int]) -> bool:
        nonlocal n_tests
        n_tests += 1
        return not bad & set(group)

    found = culprits(items, passes)
    assert found == [item for item in items if item in bad]
    # One test if all is well, and about 2 log n for each culprit otherwise.
    assert n_tests <= 1 + 2 * len(found) * max(1, (n_items - 1).bit_length())


@given(st.integers(min_value=2, max_value=25), st.data())
def test_what_remains_passes_also_where_only_a_combination_fails(n_items: int, data: st.DataObject) -> None:
    pairs = data.draw(st.sets(st.tuples(st.integers(0, n_items - 1), st.integers(0, n_items - 1)), max_size=6))

    def passes(group: Sequence[int]) -> bool:
        return not any(first in group and second in group for first, second in pairs)

    items = list(range(n_items))
    found = culprits(items, passes)
    rest = [item for item in items if item not in found]
    assert passes(rest)
    # Nothing is left out without need: each culprit, put back, makes it fail.
    assert all(not passes([*rest, item]) for item in found)


def test_no_items_need_no_test() -> None:
    assert culprits([], lambda group: pytest.fail("nothing to test")) == []


def test_behaviours_that_both_ran_out_of_time_do_not_differ_by_that() -> None:
    late = Behaviour(-9, "0", True)
    assert late.difference(late) == ""
