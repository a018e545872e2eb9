"""Compiling with one plan: the object that a lock's replay ships, and every way in which it may not come about."""

import hashlib
from pathlib import Path

import pytest

from compiler_agent.base.errors import EngineError, ToolError
from compiler_agent.llvm.engine import Engine, Outcome
from compiler_agent.llvm.replay import compile_plainly, key_of, replay
from compiler_agent.llvm.toolchain import discover

SOURCE = "static int g[4]; int f(int n) { int s = 0; for (int i = 0; i < n; i++) s += g[i & 3] + i; return s; }\n"


@pytest.fixture
def argv(tmp_path: Path) -> list[str]:
    (tmp_path / "a.c").write_text(SOURCE)
    return [str(discover().clang), "-Oz", "-c", "-o", "-", "a.c"]


def test_the_object_is_the_one_that_the_engine_measures(argv: list[str], tmp_path: Path) -> None:
    key = key_of(argv, tmp_path)
    plan = "-passes=function(sroa,early-cse<>)"
    with Engine(argv, tmp_path) as engine:
        assert engine.key == key
        measured = engine.measure(plan)
    replayed = replay(argv, tmp_path, key, plan)
    assert replayed.outcome is Outcome.OK
    assert len(replayed.content) == measured.object_bytes
    assert replayed.content != compile_plainly(argv, tmp_path)
    assert replay(argv, tmp_path, key, "-passes=default<O2>").content == compile_plainly(argv, tmp_path)


def test_decisions_are_replayed_as_they_are_measured(argv: list[str], tmp_path: Path) -> None:
    plan = "-passes=default<O2> function:f:minsize=false function:f:optsize=false loop:f:0:unroll-count=4"
    with Engine(argv, tmp_path) as engine:
        measured = engine.measure(plan)
        key = engine.key
    replayed = replay(argv, tmp_path, key, plan)
    assert replayed.outcome is Outcome.OK
    assert hashlib.sha256(replayed.content).hexdigest() == measured.object_sha256
    assert len(replayed.content) > len(compile_plainly(argv, tmp_path))


@pytest.mark.parametrize(
    ("plan", "outcome", "words"),
    [
        ("-passes=default<O2> function:g:cold=true", Outcome.REJECTED, "this unit defines no function g"),
        ("-passes=default<O2> loop:f:0:unroll=maybe", Outcome.REJECTED, "unroll is full|true|false"),
        ("-passes=nosuch", Outcome.REJECTED, "unknown pass name 'nosuch'"),
        ("-passes=default<O2> -nosuch=1", Outcome.REJECTED, "LLVM has no option -nosuch"),
        ("-passes=trigger-crash-module", Outcome.CRASH, ""),
        ("-passes=trigger-verifier-error,verify", Outcome.INVALID, "Broken module"),
    ],
)
def test_a_plan_that_fails_gives_no_object(
    argv: list[str], tmp_path: Path, plan: str, outcome: Outcome, words: str
) -> None:
    replayed = replay(argv, tmp_path, key_of(argv, tmp_path), plan)
    assert (replayed.outcome, replayed.content) == (outcome, b"")
    assert words in replayed.message


def test_another_units_key_is_no_success(argv: list[str], tmp_path: Path) -> None:
    replayed = replay(argv, tmp_path, "0" * 32 + "-O2s2", "-passes=sroa")
    assert (replayed.outcome, replayed.content) == (Outcome.ERROR, b"")


def test_a_source_that_does_not_compile(argv: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int f(")
    with pytest.raises(EngineError, match="expected"):
        key_of(argv, tmp_path)
    with pytest.raises(ToolError, match="expected"):
        compile_plainly(argv, tmp_path)
