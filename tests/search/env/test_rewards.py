"""Rewards are CompilerGym's formulas over what is observed."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.rewards import REWARDS

SOURCE = "int f(int *a, int n) { int s = 0; for (int i = 0; i < n; i++) { int x = a[i]; s += x * x + 1; } return s; }"
METRICS = ("IrInstructionCount", "TextSizeBytes", "ObjectSizeBytes")
ENDINGS = ("", "Norm", "O3", "Oz", "OzPlain")


def test_there_is_each_metric_in_each_form() -> None:
    assert set(REWARDS) == {"Runtime", *(f"{metric}{ending}" for metric in METRICS for ending in ENDINGS)}


@pytest.mark.parametrize("metric", METRICS)
def test_each_step_is_its_formula(metric: str, tmp_path: Path) -> None:
    (tmp_path / "unit.c").write_text(SOURCE)
    baselines: dict[str, int] = {}
    for ending in ENDINGS:
        env = LlvmEnv(
            f"file://{tmp_path}/unit.c",
            action_space=["sroa", "loop-unroll<O3>", "default<O2>"],
            observation_space=metric,
            reward_space=f"{metric}{ending}",
        )
        before, _ = env.reset()
        first = before[0]
        baselines = baselines or {name: env.observe(f"{metric}{name}")[0] for name in ("O3", "Oz", "OzPlain")}
        divisor = {"": 1, "Norm": first}.get(ending) or max(first - baselines[ending], 1)
        for action in range(3):
            after, reward, *_ = env.step(action)
            assert reward == pytest.approx((before[0] - after[0]) / divisor)
            before = after
        assert before[0] < first
        env.close()
