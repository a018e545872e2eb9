"""What a correct optimizer makes of code that leaves it a choice is not called wrong."""

import subprocess
from pathlib import Path

import pytest

from compiler_agent.evaluation import function_test
from compiler_agent.evaluation.function_test import FunctionOutcome
from compiler_agent.llvm import toolchain

SOURCE = """
#include <stdlib.h>
#include <string.h>
struct cell { int value; };
struct cell *kept;
__attribute__((malloc)) struct cell *fresh(int n);

/* what is undefined here hits another object: an argument, a block of the heap */
int beyond(struct cell *restrict a, struct cell *restrict b, unsigned i) {
  b->value = 1;
  a[i & 63].value = 5;
  return b->value;
}
int beyond_block(unsigned i, unsigned j) {
  int *a = malloc(16), *b = malloc(64), result = 0;
  if (a && b) {
    memset(b, 0, 64);
    b[j & 3] = 1;
    a[i & 31] = 2;
    result = b[j & 3];
  }
  free(a);
  free(b);
  return result;
}
/* what an earlier call returned is not the only way to what a restrict parameter points to */
struct cell *same(struct cell *p) { return p; }
struct cell *keep(struct cell *p) { kept = p; return p; }
int pair(struct cell *restrict a, struct cell *restrict b) { b->value = 1; a->value = 5; return b->value; }
int against_kept(struct cell *restrict a) {
  if (!kept)
    return 0;
  a->value = 1;
  kept->value = 5;
  return a->value;
}
/* nobody looks again at what is left in memory that aliases nothing */
int forgotten(struct cell *a, int n) {
  struct cell *p = fresh(n);
  if (!p)
    return 2;
  a->value = 1;
  p->value = 5;
  return a->value + n;
}
/* zeros lie elsewhere, where they are equal to other bytes of what nobody wrote */
char *cleared(int n) {
  char *left_out = malloc(n & 63), *p;
  if (!left_out)
    return 0;
  free(left_out);
  p = malloc(4095 - (n & 1023));
  return p ? memset(p, 0, 4095 - (n & 1023)) : 0;
}
"""


@pytest.mark.parametrize("level", ["-O2", "-Os"])
def test_no_choice_of_the_optimizer_is_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "unit.c").write_text(SOURCE)
    argv = [str(toolchain.discover().clang), level, "-c", "-o", "-", "unit.c"]
    candidate = subprocess.run(argv, cwd=tmp_path, capture_output=True, check=True).stdout
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=30, max_executions=1500)
    assert len(report.functions) == 8
    assert not [function for function in report.functions if function.outcome is not FunctionOutcome.TESTED]
