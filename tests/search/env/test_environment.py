"""The gymnasium environment: gymnasium's own checks, determinism, forks, and replay."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import gymnasium
import numpy
import pytest
from gymnasium.utils.env_checker import check_env

import compiler_agent.search.env  # noqa: F401 - registers the environment
from compiler_agent.base.errors import EngineError, PlanError, UsageError
from compiler_agent.llvm.library import Library
from compiler_agent.search.env.datasets import find
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.state import State

ID = "compiler_agent/llvm-v0"
FRONT = ("function(sroa<modify-cfg>)", "function(early-cse<>)", "cgscc(inline)", "function(sccp)", "function(adce)")


def indices(env: LlvmEnv, names: tuple[str, ...]) -> list[int]:
    return [env.action_names.index(name) for name in names]


def test_gymnasium_accepts_it(uri: str) -> None:
    env = gymnasium.make(ID, benchmark=uri, reward_space="TextSizeBytesOz", max_episode_steps=20)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_the_sum_of_an_episode_is_one_where_it_reaches_the_baseline(make: Callable[..., LlvmEnv]) -> None:
    for name in ("IrInstructionCountOz", "TextSizeBytesOz"):
        env = make(reward_space=name)
        env.reset(seed=0)
        _, gained, *_ = env.step(env.action_names.index("default<O2>"))  # what clang -Oz runs
        assert gained == pytest.approx(1.0)


def test_an_episode_reports_what_a_replay_of_its_plan_ships(make: Callable[..., LlvmEnv]) -> None:
    env = make(observation_space="TextSizeBytes")
    env.reset()
    env.multistep(indices(env, FRONT[:3]))
    observed, *_ = env.multistep(indices(env, FRONT[3:]))
    content = env.episode.shipped()
    assert len(content) == env.observe("ObjectSizeBytes")[0]
    assert env.episode.sizes().object_sha256 == hashlib.sha256(content).hexdigest()
    assert 0 < observed[0] < env.observe("TextSizeBytesO0")[0]


def test_steps_are_a_multistep(make: Callable[..., LlvmEnv]) -> None:
    one, other = make(), make()
    rng = numpy.random.default_rng(7)
    for _ in range(5):
        actions = [int(action) for action in rng.integers(0, len(one.action_names), 8)]
        one.reset()
        other.reset()
        rewards = [one.step(action)[1] for action in actions]
        seen, total, *_ = other.multistep(actions)
        assert total == pytest.approx(sum(rewards))
        assert seen.tolist() == one.observe("Autophase").tolist()
        assert one.commandline() == other.commandline()


def test_a_state_is_had_again(make: Callable[..., LlvmEnv]) -> None:
    env = make()
    env.reset()
    seen, *_ = env.multistep(indices(env, FRONT))
    state = env.state
    again = make()
    seen_again, reward, *_ = again.apply(state)
    assert seen_again.tolist() == seen.tolist()
    assert again.state.reward == reward == pytest.approx(state.reward)
    assert again.commandline() == state.commandline


def test_a_fork_goes_its_own_way(make: Callable[..., LlvmEnv]) -> None:
    env = make()
    env.reset()
    env.multistep(indices(env, FRONT[:2]))
    before = env.observe("Fingerprint")
    fork = env.fork()
    fork.multistep(indices(env, ("default<O3>",)))
    assert env.observe("Fingerprint") == before != fork.observe("Fingerprint")
    assert env.commandline() == "-passes=" + ",".join(FRONT[:2])
    env.multistep(indices(env, ("default<O3>",)))
    assert env.observe("Fingerprint") == fork.observe("Fingerprint")
    env.close()
    assert fork.step(0)[3] is False  # it keeps the clang that serves both
    fork.close()


def test_bitcode_and_ir_are_the_module(make: Callable[..., LlvmEnv], tmp_path: Path) -> None:
    env = make()
    env.reset()
    env.step(env.action_names.index(FRONT[0]))
    count = env.observe("IrInstructionCount")[0]
    for name in ("Ir", "Bitcode"):
        with Library().parse(env.observe(name)) as module:
            assert module.n_instructions() == count
    (tmp_path / "unit.bc").write_bytes(env.observe("Bitcode"))
    env.reset(options={"benchmark": f"file://{tmp_path}/unit.bc"})
    assert env.observe("IrInstructionCount")[0] == count


def test_what_is_not_there_is_said(make: Callable[..., LlvmEnv]) -> None:
    for arguments in (
        {"observation_space": "Inst2vec"},
        {"reward_space": "Inst2vec"},
        {"action_space": "legacy"},
        {"observation_space": "Luck"},
    ):
        with pytest.raises(UsageError):
            make(**arguments)
    env = make()
    with pytest.raises(UsageError, match="no episode"):
        env.step(0)
    for uri in ("benchmark://nothing-v0/x", "file:///nowhere/x.c", "kernels-v0/none"):
        with pytest.raises(UsageError):
            env.reset(options={"benchmark": uri})


def test_a_fork_draws_what_its_original_would_have_drawn(make: Callable[..., LlvmEnv]) -> None:
    env = make(action_space="plan-edits", reward_space="IrInstructionCount")
    env.reset(seed=5)
    env.step(0)
    fork = env.fork()
    for one in (env, fork):
        one.multistep([0, 1, 0])
    assert fork.commandline() == env.commandline()
    fork.close()


def test_plan_edits_keep_what_they_came_to(make: Callable[..., LlvmEnv]) -> None:
    env = make(action_space="plan-edits", reward_space="TextSizeBytesOz")
    env.reset(seed=3)
    rng = numpy.random.default_rng(3)
    total = sum(env.step(int(rng.integers(0, 3)))[1] for _ in range(8))
    assert env.commandline().startswith("-passes=")
    assert " -" in env.commandline()  # with options, which hold in code generation, too
    assert hashlib.sha256(env.episode.shipped()).hexdigest() == env.episode.sizes().object_sha256
    again = make(action_space="plan-edits", reward_space="TextSizeBytesOz")
    again.apply(env.state)
    assert again.state.reward == pytest.approx(total)
    other = make(action_space="plan-edits", reward_space="TextSizeBytesOz")
    other.reset(seed=3)
    rng = numpy.random.default_rng(3)
    for _ in range(8):
        other.step(int(rng.integers(0, 3)))
    assert other.commandline() == env.commandline()


def test_actions_of_ones_own_stand_at_the_level_of_modules(make: Callable[..., LlvmEnv]) -> None:
    env = make(action_space=["sroa", "globaldce", "function(gvn,adce)", "licm<allowspeculation>"])
    assert env.action_names == (
        "function(sroa)",
        "globaldce",
        "function(gvn,adce)",
        "function(loop-mssa(licm<allowspeculation>))",
    )
    env.reset()
    *_, truncated, info = env.multistep(range(4))
    assert (truncated, info["rejected"]) == (False, "")
    with pytest.raises(PlanError, match="not one element"):
        make(action_space=["sroa,gvn"])
    unknown = make(action_space=["no-such-pass"])
    unknown.reset()
    info = unknown.step(0)[4]
    assert "no-such-pass" in info["rejected"]
    assert info["action_had_no_effect"]
    assert unknown.commandline() == ""


def test_what_is_no_action_is_refused(make: Callable[..., LlvmEnv]) -> None:
    env = make()
    env.reset()
    for action in (-1, len(env.action_names), 0.5):
        with pytest.raises(UsageError, match="no action"):
            env.step(action)  # type: ignore[arg-type]
    assert env.commandline() == ""


def test_a_plan_that_a_build_rejects_is_rejected(make: Callable[..., LlvmEnv]) -> None:
    env = make()
    # Each is a pass, but a pipeline that begins with a function pass has no module pass.
    info = env.apply(State(str(env._benchmark), 0.0, 0.0, "-passes=sroa,globaldce"))[4]
    assert "globaldce" in info["rejected"]


def test_another_command_is_another_benchmark(make: Callable[..., LlvmEnv], uri: str) -> None:
    env = make(observation_space="Ir")
    one = find(uri)
    other = dataclasses.replace(one, argv=(*one.argv[:-1], "-Dcompare=other", one.argv[-1]))
    assert "@compare(" in env.reset(options={"benchmark": one})[0]
    assert "@other(" in env.reset(options={"benchmark": other})[0]


def test_another_header_is_another_benchmark(make: Callable[..., LlvmEnv], tmp_path: Path) -> None:
    (tmp_path / "unit.c").write_text('#include "a header.h"\nint f(int x) { return x FORM; }\n')
    header = tmp_path / "a header.h"
    header.write_text("#define FORM\n")
    env = make(benchmark=f"file://{tmp_path}/unit.c", observation_space="IrInstructionCount")
    before, _ = env.reset()
    served = env.episode.served
    assert env.reset()[0] == before
    assert env.episode.served is served
    header.write_text("#define FORM * x + 3\n")
    assert env.reset()[0] > before
    header.unlink()
    with pytest.raises(EngineError, match="a header"):
        env.reset()


def test_samples_of_a_fork_are_its_own(make: Callable[..., LlvmEnv]) -> None:
    env = make()
    env.reset()
    env.action_space.seed(3)
    fork = env.fork()
    drawn = [fork.action_space.sample() for _ in range(9)]
    assert [env.action_space.sample() for _ in range(9)] == drawn
    fork.close()
