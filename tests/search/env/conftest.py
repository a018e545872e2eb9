"""An environment on a unit of a few functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compiler_agent.evaluation.difftest import Workload
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search.env.benchmark import Benchmark, Program
from compiler_agent.search.env.datasets.dataset import source_benchmark
from compiler_agent.search.env.environment import LlvmEnv

SOURCE = """
int table[256];
static int weigh(const int *list, int n, int limit) {
  int total = 0;
  for (int i = 0; i < n; i++)
    if (list[i] < limit) total += list[i] * 3 + (total & 5);
  return total;
}
int compare(const int *a, int n) { return weigh(a, n, 7) - weigh(a, n, n * 8) + weigh(table, 256, 3); }
int main(void) { return compare(table, 256) & 1; }
"""


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    source = tmp_path_factory.mktemp("unit") / "unit.c"
    source.write_text(SOURCE)
    return f"file://{source}"


@pytest.fixture(scope="session")
def as_program() -> Callable[[Path], Benchmark]:
    """A source as a benchmark that is a program."""

    def benchmark(source: Path) -> Benchmark:
        link = (str(discover().clang), "{object}", "-o", "{program}")
        program = Program("unit", link, Workload("./unit", timeout_s=100, slack_s=100, n_reference_runs=2))
        return dataclasses.replace(source_benchmark("file:///unit", source), program=program)

    return benchmark


@pytest.fixture
def make(uri: str) -> Iterator[Callable[..., LlvmEnv]]:
    made: list[LlvmEnv] = []

    def maker(**arguments: object) -> LlvmEnv:
        made.append(LlvmEnv(**{"benchmark": uri, **arguments}))  # type: ignore[arg-type]
        return made[-1]

    yield maker
    for env in made:
        env.close()
