"""An environment on a unit of a few functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

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


@pytest.fixture
def make(uri: str) -> Iterator[Callable[..., LlvmEnv]]:
    made: list[LlvmEnv] = []

    def maker(**arguments: object) -> LlvmEnv:
        made.append(LlvmEnv(**{"benchmark": uri, **arguments}))  # type: ignore[arg-type]
        return made[-1]

    yield maker
    for env in made:
        env.close()
