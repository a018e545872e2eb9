"""PPO of Stable-Baselines3 on the environment, in a hundred lines: an example, not the policy that `tune` ships.

It trains on a few training programs, and then compares what it does on programs that it never saw with random actions
and with clang -Oz. Needs an extra; PyTorch's CPU build is enough:

    pip install -e '.[rl]'
    python benchmarks/policy/ppo.py --steps 4096
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
from collections.abc import Callable, Iterable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.wrappers import TransformObservation

import compiler_agent.search.env  # noqa: F401 - registers the environment

EPISODE = 12
ACTIONS = (
    *("function(sroa<modify-cfg>)", "function(early-cse<memssa>)", "function(simplifycfg)", "function(mem2reg)"),
    *(
        "function(instcombine<no-verify-fixpoint>)",
        "function(gvn)",
        "function(reassociate)",
        "function(jump-threading)",
    ),
    *("function(adce)", "function(bdce)", "function(dse)", "function(sccp)", "function(tailcallelim)"),
    *("function(loop-mssa(licm))", "function(loop(indvars,loop-deletion))", "function(loop(loop-rotate))"),
    *("cgscc(inline)", "cgscc(function-attrs)", "globalopt", "globaldce", "ipsccp", "deadargelim", "default<O2>"),
)
"""Elements of a pipeline, one for each action; the last is what clang -Oz runs."""
TRAINING = ("base64/base64.c", "sha256/sha256.c", "sorting/sorts.c", "dijkstra/dijkstra.c", "csv/csv.c", "fft/fft.c")
HELD_OUT = ("adpcm/adpcm.c", "crc32/crc32.c", "knapsack/knapsack.c", "life/life.c")
"""Of benchmarks/programs, by benchmarks/split.toml."""


class Cycle(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Begins each episode with the next benchmark."""

    def __init__(self, env: gymnasium.Env[Any, Any], benchmarks: Iterable[str]) -> None:
        super().__init__(env)
        self._benchmarks = itertools.cycle(benchmarks)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As the environment's, with the next benchmark unless `options` names one."""
        return self.env.reset(seed=seed, options=options or {"benchmark": next(self._benchmarks)})


def make(benchmarks: Iterable[str], reward: str) -> gymnasium.Env[Any, Any]:
    """The environment as a neural network takes it: logarithms of Autophase's counts."""
    env = gymnasium.make(
        "compiler_agent/llvm-v0",
        action_space=list(ACTIONS),
        observation_space="Autophase",
        reward_space=reward,
        max_episode_steps=EPISODE,
    )
    space = gymnasium.spaces.Box(0.0, 50.0, env.observation_space.shape, np.float32)
    observed = TransformObservation(env, lambda counts: np.log1p(counts).astype(np.float32), space)
    return Cycle(observed, [f"benchmark://programs-v0/{name}" for name in benchmarks])


def best_reward(env: gymnasium.Env[Any, Any], benchmark: str, act: Callable[[Any], int]) -> float:
    """The best sum of rewards on the way, as the environment's board counts it: 1 is clang -Oz."""
    observation, _ = env.reset(options={"benchmark": f"benchmark://programs-v0/{benchmark}"})
    total = best = 0.0
    ended = False
    while not ended:
        observation, reward, terminated, truncated, _ = env.step(act(observation))
        total += float(reward)
        best, ended = max(best, total), terminated or truncated
    return best


def main() -> None:
    """Trains, compares, and prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=4096, help="of training; one pass each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reward", default="TextSizeBytesOz")
    options = parser.parse_args()

    from stable_baselines3 import PPO  # an extra: `pip install -e '.[rl]'`

    env = make(TRAINING, options.reward)
    n_steps = min(256, options.steps)
    model = PPO("MlpPolicy", env, n_steps=n_steps, batch_size=n_steps // 4, ent_coef=0.02, seed=options.seed)
    model.learn(options.steps)
    random = np.random.default_rng(options.seed)
    agents: dict[str, Callable[[Any], int]] = {
        "ppo": lambda observation: int(model.predict(observation)[0]),  # samples: its best guess may repeat itself
        "random": lambda observation: int(random.integers(len(ACTIONS))),
    }
    figures: dict[str, dict[str, float]] = {}
    for part, names in (("training", TRAINING), ("held-out", HELD_OUT)):
        found = {agent: [best_reward(env, name, act) for name in names] for agent, act in agents.items()}
        figures[part] = {agent: round(statistics.mean(rewards), 4) for agent, rewards in found.items()}
    env.close()
    json.dump({"steps": int(model.num_timesteps), "reward": options.reward, "mean": figures}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
