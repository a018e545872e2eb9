"""Whole-program differential testing: the reference must repeat, every difference is seen, culprits are found."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base import sandbox
from compiler_agent.base.errors import NotEstablished
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.difftest import ProgramVerdict, Workload, culprits
from compiler_agent.evaluation.difftest_files import copy_tree


@pytest.fixture(params=[True, False], ids=["sandbox", "no-sandbox"])
def sandboxed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def workload(command: str, sandboxed: bool = True, **settings: object) -> Workload:
    return Workload(command, timeout_s=300, sandboxed=sandboxed, slack_s=0.5, **settings)  # type: ignore[arg-type]


def judged(directory: Path, expected: str, seen: str, **settings: object) -> difftest.Outcome:
    """What is established about one program, a shell script, with another as the reference."""
    given_workload = workload("sh ./program", **settings)  # type: ignore[arg-type]
    found = difftest.reference(given_workload, directory, replaced={"program": expected.encode()})
    return difftest.judge([found], directory, replaced={"program": seen.encode()})


def test_the_same_behaviour_is_the_same(tmp_path: Path, sandboxed: bool) -> None:
    program = "echo right; echo aside >&2; echo written > file"
    if sandboxed:
        program += "; mkdir made; rm gone"
    (tmp_path / "gone").touch()
    assert judged(tmp_path, program, program, sandboxed=sandboxed).verdict is ProgramVerdict.SAME


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("echo wrong; echo aside >&2; echo x > file", "standard output, line 1: 'wrong' instead of 'right'"),
        ("echo right; echo aside >&2; echo x > file; exit 3", "exit status: status 3 instead of status 0"),
        ("echo right; echo aside >&2; echo x > file; kill -SEGV $$", "exit status: status 139 instead of status 0"),
        ("echo right; echo aside >&2; echo x > file; while :; do :; done", "time: it did not end within"),
        ("echo right; echo aside >&2; echo x > file; sleep 30", "time: it did not end within"),
        ("echo right; echo other >&2; echo x > file", "standard error, line 1: 'other' instead of 'aside'"),
        ("echo right; echo aside >&2; echo y > file", "file \"file\", line 1: 'y' instead of 'x'"),
        ("echo right; echo aside >&2", 'file "file": untouched instead of file'),
        ("echo right; echo aside >&2; ln -s there file", 'file "file": link instead of file'),
        ("echo right; echo aside >&2; echo x > file; touch more", 'file "more": file instead of untouched'),
        ("echo right; echo aside >&2; echo x > file; rm kept", 'file "kept": removed instead of untouched'),
    ],
)
def test_each_kind_of_difference_is_seen(tmp_path: Path, program: str, words: str) -> None:
    (tmp_path / "kept").touch()
    outcome = judged(tmp_path, "echo right; echo aside >&2; echo x > file", program)
    assert outcome.verdict is ProgramVerdict.DIFFERENT
    assert not outcome.verdict.permits
    assert words in str(outcome)


def test_the_directory_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "program").write_text("echo whole")
    judged(tmp_path, "echo 1 > made; rm -f program", "echo 1 > made; rm -f program")
    assert os.listdir(tmp_path) == ["program"]
    assert (tmp_path / "program").read_text() == "echo whole"


def test_the_directory_of_temporary_files_can_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "input").touch()
    target = tmp_path / "cc-agent-1" / "run"
    target.parent.mkdir()
    copy_tree(tmp_path, target)
    assert os.listdir(target) == ["input"]


def test_what_was_built_is_no_behaviour(tmp_path: Path) -> None:
    objects = r"printf '\177ELF%s' $0 > object; printf '!<arch>\n%s' {} > archive"
    assert judged(tmp_path, objects.format("one"), objects.format("two")).verdict is ProgramVerdict.SAME


def test_ignored_files_are_not_compared(tmp_path: Path) -> None:
    outcome = judged(tmp_path, "mkdir d; echo 1 > d/a.log", "mkdir d; echo 2 > d/a.log", ignored_files=("*.log",))
    assert outcome.verdict is ProgramVerdict.SAME


@pytest.mark.parametrize(
    ("expected", "seen", "tolerance", "same"),
    [
        ("x = 1.0000000001", "x = 1.0000000002", 0.0, False),
        ("x = 1.0000000001", "x = 1.0000000002", 1e-9, True),
        ("x = 1.5", "x = 1.6", 1e-9, False),
        ("1000001", "1000002", 1e-3, False),  # integers have no rounding
        ("0x1p0", "0x2p0", 10.0, False),
        ("-1e300 nan inf", "-1.0000000001e300 nan inf", 1e-6, True),
        ("nan", "1.0", 1e9, False),
        ("inf", "1e308", 1e9, False),
        ("a 1.0", "b 1.0", 1.0, False),
        ("1.0 2.0", "1.0", 1.0, False),
    ],
)
def test_floating_point_is_exact_unless_a_tolerance_is_given(
    expected: str, seen: str, tolerance: float, same: bool
) -> None:
    found = difftest.compare_texts("it", expected.encode(), seen.encode(), tolerance)
    assert (found is None) is same


def test_a_command_that_fails_on_the_reference_proves_nothing(tmp_path: Path, sandboxed: bool) -> None:
    with pytest.raises(NotEstablished, match=r"fails on the reference \(status 4.*its own words") as caught:
        difftest.reference(workload("echo its own words >&2; exit 4", sandboxed), tmp_path)
    assert caught.value.exit_code == 1


def test_a_command_that_never_ends_on_the_reference_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotEstablished, match=r"fails on the reference \(it did not end"):
        difftest.reference(Workload("sleep 30", timeout_s=0.5), tmp_path)


@pytest.mark.parametrize(
    ("command", "what", "hint"),
    [
        ("echo same; date +%N", r"standard output, line 2", "deterministic"),
        ("cat /proc/uptime; date +%H:%M:%S.%N", r"standard output, line 1", "deterministic"),
        ("date +%H:%M:%S.%N", r"standard output", "looks like the time"),
        ("printf '0x7f%08x\\n' $(date +%N | sed s/^0*//)", r"standard output", "looks like addresses"),
        ("date +%N > log", r'file "log", line 1', "--ignore"),
    ],
)
def test_a_flaky_command_proves_nothing_and_is_told_why(tmp_path: Path, command: str, what: str, hint: str) -> None:
    with pytest.raises(NotEstablished, match=f"not repeatable on the reference: {what}") as caught:
        difftest.reference(workload(command), tmp_path)
    assert hint in caught.value.hint


def test_state_that_a_run_leaves_is_flaky_only_where_it_stays(tmp_path: Path) -> None:
    command = "echo x >> count; wc -l count"
    difftest.reference(workload(command), tmp_path)  # each run has a copy of its own
    with pytest.raises(NotEstablished, match="not repeatable"):
        difftest.reference(workload(command, sandboxed=False), tmp_path)


def test_unstable_standard_error_is_not_compared_and_said(tmp_path: Path) -> None:
    found = difftest.reference(workload("echo right; date +%N >&2"), tmp_path)
    assert not found.stderr_is_stable
    assert "standard error" not in str(found.evidence()["compared"])
    assert difftest.judge([found], tmp_path).verdict is ProgramVerdict.SAME


def test_the_evidence_says_how_it_was_confined(tmp_path: Path, sandboxed: bool) -> None:
    found = difftest.reference(workload("true", sandboxed), tmp_path)
    assert str(found.evidence()["sandbox"]).split(":")[0] == (sandbox.probe()[0].value if sandboxed else "none")


def test_all_workloads_must_agree(tmp_path: Path) -> None:
    first, second = (
        difftest.reference(workload(f"sh ./program {word}"), tmp_path, replaced={"program": b"echo $1"})
        for word in ("one", "two")
    )
    wrong = {"program": b"echo $1 | tr w v"}
    assert difftest.judge([first], tmp_path, replaced=wrong).verdict is ProgramVerdict.SAME
    assert difftest.judge([first, second], tmp_path, replaced=wrong).verdict is ProgramVerdict.DIFFERENT
    assert difftest.judge([], tmp_path).verdict is ProgramVerdict.NOT_ESTABLISHED


def test_a_candidate_may_be_slower_but_not_for_ever(tmp_path: Path) -> None:
    started_s = time.monotonic()
    assert judged(tmp_path, "echo 1", "sleep 0.3; echo 1").verdict is ProgramVerdict.SAME
    assert judged(tmp_path, "echo 1", "while :; do :; done").verdict is ProgramVerdict.DIFFERENT
    assert time.monotonic() - started_s < 200, "it was not waited for to its end"


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
