"""A program that plans make faster, whose times are made up from its code: they are the same on every machine."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.app.program_build import TreeExecutor
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.executor import Executor, ProcessExecutor, Run

MULTIPLY = """
#include <stdio.h>
#include <stdlib.h>
#define N 160
static double a[N][N], b[N][N], c[N][N];
__attribute__((noinline)) static void multiply(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < N; k++)
        c[i][j] += a[i][k] * b[k][j];
}
int main(int count, char **words) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i][j] = (i * 7 + j) % 13;
      b[i][j] = (i + j * 5) % 11;
    }
  for (int round = count > 1 ? atoi(words[1]) : 1; round > 0; round--)
    multiply();
  double sum = 0;
  for (int i = 0; i < N; i++)
    sum += c[i][i * 31 % N];
  printf("%.1f\\n", sum);
  return 0;
}
"""
RUNS = (Workload("./multiply 2"), Workload("./multiply 1"))
VECTOR_ADDITION = b"\x66\x0f\x58"
"""The first bytes of addpd: of the builds of MULTIPLY only those by Polly add vectors."""
COUNTER_IN_MEMORY = b"\xff\x44\x24"
"""The first bytes of incl ..(%rsp): a build that optimized nothing counts on the stack."""


def take_times_from_the_code(patch: pytest.MonkeyPatch) -> None:
    """Runs programs as ever, but says that MULTIPLY took little with vectors and much without any optimization."""
    draw = random.Random(0)

    def timed(run: Callable[..., Run]) -> Callable[..., Run]:
        def run_timed(self: Executor, executable: Path, **how: float) -> Run:
            seen = run(self, executable, **how)
            if not seen.behaviour.stdout.endswith(b".0\n"):
                return seen  # another program
            content = (executable / "multiply" if executable.is_dir() else executable).read_bytes()
            taken_s = 0.007 if VECTOR_ADDITION in content else 0.03 if COUNTER_IN_MEMORY in content else 0.01
            taken_s *= draw.gauss(1, 0.003)
            behaviour = dataclasses.replace(seen.behaviour, cpu_time_s=taken_s, wall_time_s=taken_s)
            return dataclasses.replace(seen, behaviour=behaviour, user_time_s=taken_s)

        return run_timed

    for kind in (ProcessExecutor, TreeExecutor):
        patch.setattr(kind, "run", timed(kind.run))
