"""validate(): a right state, a wrong one, and one of which too little is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.evaluation.difftest import Outcome, ProgramVerdict
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.datasets.dataset import source_benchmark
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.validation import Validity, of_program

TESTABLE = "int twice(int x) { int y = x; return y + y; }"
PROGRAM = '#include <stdio.h>\nint answer(void) { return 42; }\nint main(void) { printf("%d\\n", answer()); }'


def validated(
    source: str,
    directory: Path,
    *passes: str,
    seconds: float = 30,
    n_steps: int | None = None,
    benchmark: Callable[[Path], Benchmark] = lambda path: source_benchmark("file:///unit", path),
) -> tuple[Validity, str]:
    (directory / "unit.c").write_text(source)
    env = LlvmEnv(benchmark(directory / "unit.c"), action_space=passes)
    env.reset()
    env.multistep(range(len(passes) if n_steps is None else n_steps))
    found = env.validate(seconds_per_function=seconds)
    env.close()
    return found.validity, found.reason


def test_no_pass_is_okay(tmp_path: Path) -> None:
    assert validated(TESTABLE, tmp_path, "no-op-module", n_steps=0)[0] is Validity.OKAY


def test_functions_that_were_shown_are_okay(tmp_path: Path) -> None:
    validity, reason = validated(TESTABLE, tmp_path, "function(sroa)")
    assert validity is Validity.OKAY, reason


def test_a_miscompile_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    validity, reason = validated(TESTABLE, tmp_path, "function(sroa)", "cc-agent-test-miscompile")
    assert validity is Validity.WRONG
    assert "twice" in reason


def test_what_was_not_tested_is_not_okay(tmp_path: Path) -> None:
    validity, reason = validated(TESTABLE, tmp_path, "function(adce)", seconds=0)
    assert validity is Validity.NOT_ESTABLISHED
    assert "twice" in reason


def test_a_program_speaks_for_its_functions(
    tmp_path: Path, as_program: Callable[[Path], Benchmark], monkeypatch: pytest.MonkeyPatch
) -> None:
    validity, reason = validated(PROGRAM, tmp_path, "function(sroa)", seconds=0, benchmark=as_program)
    assert validity is Validity.OKAY, reason
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    validity, reason = validated(PROGRAM, tmp_path, "cc-agent-test-miscompile", seconds=0, benchmark=as_program)
    assert validity is Validity.WRONG, reason


@pytest.mark.parametrize(
    ("verdict", "validity"),
    [
        (ProgramVerdict.SAME, Validity.OKAY),
        (ProgramVerdict.DIFFERENT, Validity.WRONG),
        (ProgramVerdict.NOT_ESTABLISHED, Validity.NOT_ESTABLISHED),
    ],
)
def test_a_program_that_cannot_be_compared_is_neither_okay_nor_wrong(
    verdict: ProgramVerdict, validity: Validity
) -> None:
    found = of_program(Outcome(verdict, reason="it wrote too much"))
    assert found.validity is validity
    assert ("it wrote too much" in found.reason) == (validity is not Validity.OKAY)
