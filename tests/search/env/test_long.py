"""Many random episodes on Csmith's programs: nothing is lost, left behind or grows."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from compiler_agent.base.errors import NotEstablished
from compiler_agent.search.env.environment import LlvmEnv

N_EPISODES = 10_000
N_STEPS = 12
EPISODES_PER_PROGRAM = 50


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("csmith") is None, reason="csmith is not installed")
@pytest.mark.parametrize("action_space", ["production", "all"])
def test_ten_thousand_random_episodes(action_space: str) -> None:
    rng = random.Random(1)
    env = LlvmEnv(action_space=action_space, reward_space="IrInstructionCountOz")
    n_ended = early = 0
    for episode in range(N_EPISODES):
        seed = episode // EPISODES_PER_PROGRAM
        try:
            env.reset(options={"benchmark": f"generator://csmith-v0/{seed}"})
        except NotEstablished:
            continue  # csmith does not come to an end with this seed
        total = 0.0
        for _ in range(N_STEPS):
            _, reward, _, truncated, info = env.step(rng.randrange(len(env.action_names)))
            total += reward
            if truncated:
                assert info["reason"]
                n_ended += 1
                break
        assert env.state.reward == pytest.approx(total)
        assert len(children(env.episode.served.engine.process)) <= 1  # the episode's own, and no zombie
        if episode == N_EPISODES // 10:
            early = resident_bytes()
    assert n_ended < N_EPISODES // 20
    assert resident_bytes() - early < 32 << 20
    ours = set(children(os.getpid()))
    env.close()
    assert not set(children(os.getpid())) & ours
