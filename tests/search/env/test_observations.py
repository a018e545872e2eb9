"""Each observation lies in its space, and says of the module what others say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx
import numpy
import pytest

from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.evaluation.executor import ProcessExecutor, Run
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.features import AUTOPHASE_NAMES, INST_COUNT_NAMES
from compiler_agent.llvm.ir2vec import convert
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.observe.remarks import Remark
from compiler_agent.search.env import observations
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.observations import OBSERVATIONS

SOURCE = """
#include <stdio.h>
int weigh(const int *list, int n) { int t = 0; for (int i = 0; i < n; i++) if (list[i] & 1) t += list[i]; return t; }
int main(void) { int list[] = {1, 2, 3, 4, 5}; printf("%d\\n", weigh(list, 5)); return 0; }
"""
PASSES = ("function(sroa<modify-cfg>)", "function(early-cse<>)", "default<O2>")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory, as_program: Callable[[Path], Benchmark]) -> Iterator[LlvmEnv]:
    source = tmp_path_factory.mktemp("unit") / "unit.c"
    source.write_text(SOURCE)
    env = LlvmEnv(as_program(source), action_space=PASSES)
    yield env
    env.close()


@pytest.fixture(autouse=True)
def vocabulary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that counts returns: the real one is fetched by `make ir2vec`."""
    vectors = {"ret": [1.0] * 300, "integerTy": [0.0] * 300, "variable": [0.0] * 300}
    path = tmp_path / "vocabulary.json"
    path.write_text(convert("".join(f"{name}:{vector},\n" for name, vector in vectors.items())))
    monkeypatch.setattr(observations, "vocabulary", lambda: path)


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_each_lies_in_its_space(env: LlvmEnv, name: str) -> None:
    env.reset()
    for _ in range(2):
        seen = env.observe(name)
        assert OBSERVATIONS[name].space.contains(seen), seen
        env.step(0)


def test_vectors_are_those_of_the_library(env: LlvmEnv) -> None:
    env.reset()
    for action in range(2):
        env.step(action)
        with Library().parse(env.observe("Bitcode")) as module:
            assert env.observe("InstCount").tolist() == module.inst_count().tolist()
            assert env.observe("Autophase").tolist() == module.autophase().tolist()
    counts = env.observe("InstCount")
    assert list(env.observe("InstCountDict")) == [f"{name}Count" for name in INST_COUNT_NAMES]
    assert list(env.observe("AutophaseDict")) == list(AUTOPHASE_NAMES)
    assert env.observe("InstCountNorm").tolist() == (counts[1:] / counts[0]).astype(numpy.float32).tolist()
    assert env.observe("InstCountNormDict")["RetDensity"] == numpy.float32(counts[3] / counts[0])


def test_graphs_have_the_modules_blocks_and_instructions(env: LlvmEnv) -> None:
    env.reset()
    counts = env.observe("InstCountDict")
    graph = env.observe("Cfg")
    assert len(graph) == counts["TotalBlocksCount"]
    assert sum(len(block["opcodes"]) for _, block in graph.nodes(data=True)) == counts["TotalInstsCount"]
    assert graph.number_of_edges() == env.observe("AutophaseDict")["NumEdges"]
    assert ("weigh", 0) in graph
    assert isinstance(env.observe("Programl"), networkx.MultiDiGraph)


def test_an_embedding_sums_instructions(env: LlvmEnv) -> None:
    env.reset()
    assert env.observe("IR2Vec").tolist() == [env.observe("InstCountDict")["RetCount"]] * 300


def test_baselines_are_what_clang_makes(env: LlvmEnv) -> None:
    env.reset()
    benchmark = env.episode.served.benchmark
    for level, name in (("-Oz", "Oz"), ("-O3", "O3")):
        with Engine(benchmark.command(level), benchmark.directory) as engine:
            measured = engine.measure("")
        assert env.observe(f"TextSizeBytes{name}")[0] == measured.text_bytes
        assert env.observe(f"ObjectSizeBytes{name}")[0] == measured.object_bytes
    assert env.observe("IrInstructionCountO0")[0] == env.observe("IrInstructionCount")[0]
    with Engine(benchmark.command("-O2"), benchmark.directory) as engine:  # no size attributes
        assert env.observe("IrInstructionCountOzPlain")[0] == engine.measure("-passes=default<Oz>").ir_instructions


def test_remarks_are_those_of_the_plan(env: LlvmEnv) -> None:
    env.reset()
    assert env.observe("Remarks") == ()
    env.step(2)
    remarks = env.observe("Remarks")
    assert remarks
    assert all(isinstance(remark, Remark) for remark in remarks)


def test_only_a_program_that_is_right_has_a_runtime(env: LlvmEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[float] = []

    def run(*arguments: Any, **named: Any) -> Run:
        done = real(*arguments, **named)
        taken.append(done.behaviour.cpu_time_s)
        return done

    real = ProcessExecutor.run
    monkeypatch.setattr(ProcessExecutor, "run", run)
    env.reset()
    env.step(2)
    samples = env.observe("Runtime")
    assert samples.shape == (5,)
    assert samples.tolist() == taken
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    benchmark, miscompile = env.episode.benchmark, ["function(sroa)", "cc-agent-test-miscompile"]
    wrong = LlvmEnv(benchmark, action_space=miscompile, observation_space="Runtime")
    try:
        wrong.reset()
        seen, *_ = wrong.step(0)
        last, reward, _, truncated, info = wrong.step(1)
        assert (reward, truncated, info["ended"]) == (0.0, True, "wrong")
        assert "standard output" in info["reason"]
        assert last.tolist() == seen.tolist()
        assert wrong.commandline() == "-passes=function(sroa)"
        wrong.close()
        wrong = LlvmEnv(benchmark, action_space=miscompile)
        wrong.reset()
        wrong.step(1)
        with pytest.raises(NotEstablished, match="wrong"):
            wrong.observe("Runtime")
    finally:
        wrong.close()


def test_what_is_no_program_has_no_runtime(tmp_path: Path) -> None:
    (tmp_path / "unit.c").write_text("int f(void) { return 1; }")
    env = LlvmEnv(f"file://{tmp_path}/unit.c")
    env.reset()
    with pytest.raises(UsageError, match="no program"):
        env.observe("Runtime")
    env.close()


@pytest.mark.parametrize("order", [("autophase", "ir_instructions"), ("ir_instructions", "autophase")])
def test_instructions_are_as_many_whatever_was_observed_before(order: tuple[str, str]) -> None:
    env = LlvmEnv("benchmark://kernels-v0/adler")
    try:
        env.reset()
        counts = []
        for plan in ("function(sroa)", "function(gvn)"):
            with env.episode.served.session() as session:
                seen = session.step([f"-passes={plan}"], [*order, "inst_count"])
            counts.append(seen["ir_instructions"])
            assert seen["autophase"][AUTOPHASE_NAMES.index("TotalInsts")] == counts[-1]
            assert seen["inst_count"][0] == counts[-1]
        assert counts[0] != counts[1]
    finally:
        env.close()
