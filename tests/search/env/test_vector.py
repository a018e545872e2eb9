"""The environment in gymnasium's vectors, in one process and in several."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy
import pytest
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

import compiler_agent.search.env

SOURCE = "int f(int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }"


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
def test_vectors_do_what_single_environments_do(kind: type[SyncVectorEnv | AsyncVectorEnv], tmp_path: Path) -> None:
    (tmp_path / "unit.c").write_text(SOURCE)

    def make() -> gymnasium.Env:
        return gymnasium.make(compiler_agent.search.env.ENVIRONMENT_ID, benchmark=f"file://{tmp_path}/unit.c")

    single, several = make(), kind([make, make])
    try:
        begin, _ = single.reset(seed=1)
        begins, _ = several.reset(seed=1)
        assert begins.tolist() == [begin.tolist()] * 2
        rng = numpy.random.default_rng(5)
        for action in rng.integers(0, single.action_space.n, 10):
            seen, reward, *_ = single.step(action)
            all_seen, rewards, _, truncated, _ = several.step(numpy.array([action, action]))
            assert all_seen.tolist() == [seen.tolist()] * 2
            assert rewards.tolist() == [reward, reward]
            assert not truncated.any()
    finally:
        several.close()
        single.close()
