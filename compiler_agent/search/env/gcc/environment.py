"""The gymnasium environment `compiler_agent/gcc-v0`: GCC's own options, on the benchmarks of `compiler_agent/llvm-v0`.

    env = gymnasium.make("compiler_agent/gcc-v0", benchmark="generator://csmith-v0/3")
    env.reset()
    env.step(env.unwrapped.action_names.index("-Os"))

Episodes begin at -O0, where GCC does nothing whatever its options: choose a level first. What GCC rejects has no effect
(`info["rejected"]`); where it crashes, hangs or uses too much memory the episode is truncated: see `compiler_env`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from gymnasium import Space, spaces

from compiler_agent.base.errors import UsageError
from compiler_agent.base.trust import DEFAULT_TEST_SECONDS
from compiler_agent.llvm.engine import Outcome
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.compiler_env import DEFAULT_BENCHMARK, CompilerEnv, Step
from compiler_agent.search.env.effects import Effect
from compiler_agent.search.env.gcc import reviewed
from compiler_agent.search.env.gcc.compiler import Gcc, find
from compiler_agent.search.env.gcc.episode import NO_CHOICE, GccEpisode
from compiler_agent.search.env.gcc.observations import ALIASES, observation, observations
from compiler_agent.search.env.gcc.options import LEVEL, Option
from compiler_agent.search.env.gcc.served import GccBaseline, GccMetric, ServedGcc
from compiler_agent.search.env.gcc.validation import validate
from compiler_agent.search.env.rewards import RUNTIME, size_rewards
from compiler_agent.search.env.rewards import reward as reward_of
from compiler_agent.search.env.served import Limits
from compiler_agent.search.env.spaces import Observation
from compiler_agent.search.env.validation import Validation

ACTION_SPACES = ("choices", "all-at-once")
OPTION_SETS = ("production", "all")
REWARDS = {**size_rewards(GccMetric, GccBaseline, GccBaseline.O0, lambda metric: ()), RUNTIME.name: RUNTIME}
"""By name."""
_DEFAULT_LIMITS = Limits()


class GccEnv(CompilerEnv[GccEpisode, ServedGcc]):
    """GCC's options on one benchmark after the other."""

    def __init__(
        self,
        benchmark: str | Benchmark = DEFAULT_BENCHMARK,
        *,
        action_space: str = "choices",
        options: str | Sequence[str] = "production",
        observation_space: str = "choices",
        reward_space: str = "TextSizeBytesOs",
        gcc: str = "gcc",
        limits: Limits = _DEFAULT_LIMITS,
    ) -> None:
        """GCC is asked for its options; nothing is compiled before `reset`.

        Args:
            benchmark: What episodes begin with, as a URI; `reset(options={"benchmark": …})` takes another.
            action_space: `choices`: each action sets one option or leaves it to the level; `all-at-once`: an action
                has the number of a choice for each option, -1 for none.
            options: `production`: those that keep what a build promises (`gcc.reviewed`), `all`, or names, as `-fgcse`.
            observation_space: A name of `gcc.observations`.
            reward_space: A name of `REWARDS`.
            gcc: The program.
            limits: What one compilation may use: four times the time on the clock, and the memory.

        Raises:
            UsageError: There is no such space or option.
            ToolchainError: There is no GCC.
        """
        self.gcc: Gcc = find(gcc)
        self.options = _selected(self.gcc.options, options)
        self._limits = limits
        self._observations = observations(self.options)
        self._all_at_once = action_space == "all-at-once"
        self._changes = [
            (number, choice)
            for number, option in enumerate(self.options)
            for choice in (*range(len(option.choices)), NO_CHOICE)
        ]
        self._names = tuple(self._name(*change) for change in self._changes)
        super().__init__(
            benchmark,
            observation(observation_space, self._observations),
            reward_of(_renamed(reward_space), REWARDS),
            self._actions(action_space),
        )

    @property
    def action_names(self) -> tuple[str, ...]:
        """What each action is called: the word that it puts on the command line, or `no choice of` an option.

        With `all-at-once`: the names of the options, in the order of an action's numbers.
        """
        return tuple(option.name for option in self.options) if self._all_at_once else self._names

    @property
    def opening_actions(self) -> tuple[int, ...]:
        """The levels, without which no option has an effect."""
        if self._all_at_once:
            return ()
        return tuple(n for n, name in enumerate(self._names) if name.startswith(LEVEL) and name != f"{LEVEL}0")

    def set_choices(self, choices: Sequence[int]) -> Step:
        """Sets all options at once, whatever the action space; -1 leaves one to the level. As for `step` otherwise."""
        return self._advance(lambda episode: episode.choose(choices))

    def validate(self, *, seconds_per_function: float = DEFAULT_TEST_SECONDS, seed: int = 0) -> Validation:
        """Whether the state is right, as far as can be shown: by its program, where the benchmark has one.

        Args:
            seconds_per_function: Not used: functions are not tested with GCC.
            seed: Not used either.
        """
        return validate(self.episode)

    def _begin(self, benchmark: Benchmark) -> GccEpisode:
        return GccEpisode(self._serve(benchmark), self.options)

    def _take(self, episode: GccEpisode, actions: Sequence[Any]) -> Effect:
        changed, effect = False, Effect(Outcome.OK, "", False)
        for action in actions:
            effect = episode.choose(action) if self._all_at_once else episode.change(*self._changes[int(action)])
            changed |= effect.changed
            if effect.outcome is Outcome.REJECTED:
                break
        return Effect(effect.outcome, effect.message, changed)

    def _become(self, episode: GccEpisode, commandline: str) -> Effect:
        return episode.become(commandline.split())

    def _observation_named(self, name: str) -> Observation:
        return observation(name, self._observations)

    def _serve_new(self, benchmark: Benchmark) -> ServedGcc:
        return ServedGcc(benchmark, self.gcc, self._limits)

    def _name(self, number: int, choice: int) -> str:
        option = self.options[number]
        return option.drop if choice == NO_CHOICE else option.choices[choice]

    def _actions(self, name: str) -> Space[Any]:
        if name == "choices":
            return spaces.Discrete(len(self._changes))
        if name == "all-at-once":
            counts = numpy.array([len(option.choices) + 1 for option in self.options])
            return spaces.MultiDiscrete(counts, start=numpy.full(len(counts), NO_CHOICE))
        raise UsageError(f"there is no action space '{name}'", hint=f"one of: {', '.join(ACTION_SPACES)}")


def _selected(found: tuple[Option, ...], wanted: str | Sequence[str]) -> tuple[Option, ...]:
    if wanted == "production":
        return reviewed.production(found)
    if wanted == "all":
        return found
    if isinstance(wanted, str):
        raise UsageError(f"there are no options '{wanted}'", hint=f"one of: {', '.join(OPTION_SETS)}, or names")
    if missing := set(wanted) - {option.name for option in found}:
        raise UsageError(f"this GCC has no option {sorted(missing)[0]}", hint="see gcc --help=optimizers,params")
    if not wanted:
        raise UsageError("no option is to be chosen", hint='options=["-O"] is the level alone')
    return tuple(option for option in found if option.name in wanted)


def _renamed(reward: str) -> str:
    for name, ours in ALIASES.items():
        if reward.startswith(name):
            return f"{ours}{reward.removeprefix(name)}"
    return reward
