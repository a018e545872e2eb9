"""GCC behind the interface of LLVM's environment: against the GCC that is installed, and one that misbehaves."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import numpy
import pytest
from gymnasium.utils.env_checker import check_env

import compiler_agent.search.env
from compiler_agent.base.errors import EngineError, ToolchainError, UsageError
from compiler_agent.llvm.elf import text_bytes
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search.env.agents import Run, run_agent
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.gcc import served
from compiler_agent.search.env.gcc.environment import GccEnv
from compiler_agent.search.env.gcc.episode import NO_CHOICE
from compiler_agent.search.env.gcc.observations import observations
from compiler_agent.search.env.served import Limits
from compiler_agent.search.env.state import State
from compiler_agent.search.env.validation import Validity

GCC = shutil.which("gcc") or ""
pytestmark = pytest.mark.skipif(not GCC, reason="GCC is not installed")
SOURCE = """
#include <stdio.h>
#ifndef ANSWER
#define ANSWER 42
#endif
static int weigh(const int *list, int n) {
  int total = 0;
  for (int i = 0; i < n; i++)
    if (list[i] & 1) total += list[i] * 3 + (total & 5);
  return total;
}
int table[256];
int compare(const int *a, int n) { return weigh(a, n) - weigh(a, n / 2) + weigh(table, 256); }
int main(void) { printf("%d\\n", ANSWER + compare(table, 256)); return 0; }
"""
FEW = ("-O", "-fgcse", "-finline", "-fira-region")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "unit.c"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def make(source: Path) -> Iterator[Callable[..., GccEnv]]:
    made: list[GccEnv] = []

    def maker(**arguments: object) -> GccEnv:
        made.append(GccEnv(**{"benchmark": f"file://{source}", **arguments}))  # type: ignore[arg-type]
        return made[-1]

    yield maker
    for env in made:
        env.close()


def take(env: GccEnv, *words: str) -> float:
    return sum(env.step(env.action_names.index(word))[1] for word in words)


def gcc_that(action: str, directory: Path) -> str:
    """A GCC that does something else where it is given -fgcse."""
    path = directory / "gcc"
    path.write_text(f'#!/bin/sh\ncase " $* " in *" -fgcse "*) {action};; esac\nexec {GCC} "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("action_space", ["choices", "all-at-once"])
def test_gymnasium_accepts_it(source: Path, action_space: str) -> None:
    env = gymnasium.make(
        compiler_agent.search.env.GCC_ENVIRONMENT_ID, benchmark=f"file://{source}", action_space=action_space
    )
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_sizes_are_those_of_what_gcc_makes(make: Callable[..., GccEnv], source: Path, tmp_path: Path) -> None:
    env = make(reward_space="ObjectSizeBytesOs")
    env.reset()
    assert take(env, "-O3", "-Os") == pytest.approx(1.0)
    subprocess.run([GCC, "-w", "-Os", "-c", source, "-o", tmp_path / "unit.o"], check=True)
    content = (tmp_path / "unit.o").read_bytes()
    assert env.observe("obj") == content
    assert env.observe("ObjectSizeBytes")[0] == env.observe("obj_size")[0] == len(content)
    said = subprocess.run([discover().llvm_size, "-A", tmp_path / "unit.o"], capture_output=True, text=True, check=True)
    sections = [line.split() for line in said.stdout.splitlines() if line.startswith(".text")]
    assert env.observe("TextSizeBytes")[0] == sum(int(size) for _, size, _ in sections) > 0


def test_text_is_what_the_native_component_counts(source: Path) -> None:
    env = LlvmEnv(f"file://{source}")
    env.reset()
    assert text_bytes(env.episode.shipped()) == env.observe("TextSizeBytes")[0]
    env.close()
    with pytest.raises(EngineError, match="ELF"):
        text_bytes(b"MZ")


def test_each_observation_lies_in_its_space(make: Callable[..., GccEnv]) -> None:
    env = make()
    env.reset()
    take(env, "-O2", "-fno-inline")
    for name, one in observations(env.options).items():
        if name != "Runtime":  # it is no program here
            assert one.space.contains(seen := env.observe(name)), (name, seen)
    assert env.observe("command_line") == env.commandline() == "-O2 -fno-inline"
    assert env.observe("instruction_counts")["call"] > 1
    assert env.observe("InstructionCount")[0] == sum(env.observe("instruction_counts").values())
    assert "main:" in env.observe("asm")
    assert "Function main" in env.observe("rtl")
    assert env.observe("source") == SOURCE


def test_actions_set_options_and_take_them_back(make: Callable[..., GccEnv]) -> None:
    env = make(options=FEW)
    env.reset()
    assert env.commandline() == ""
    take(env, "-fno-inline", "-O2", "-fgcse", "-O1")
    assert env.commandline() == "-O1 -fgcse -fno-inline"
    take(env, "no choice of -fgcse", "no choice of -O")
    assert env.commandline() == "-fno-inline"


def test_all_at_once_is_the_same(make: Callable[..., GccEnv]) -> None:
    one, other, third = make(options=FEW), make(options=FEW, action_space="all-at-once"), make(options=FEW)
    for env in (one, other, third):
        env.reset()
    reward = take(one, "-Os", "-fno-gcse")
    choices = numpy.array(one.episode.choices)
    assert choices.tolist().count(NO_CHOICE) == 2
    assert other.step(choices)[1] == pytest.approx(reward)
    assert third.set_choices(choices)[1] == pytest.approx(reward)
    assert other.commandline() == third.commandline() == one.commandline() == "-Os -fno-gcse"
    with pytest.raises(UsageError, match="one for each option"):
        third.set_choices([0])


def test_steps_are_a_multistep(make: Callable[..., GccEnv]) -> None:
    one, other = make(options=FEW), make(options=FEW)
    one.reset()
    other.reset()
    actions = [int(n) for n in numpy.random.default_rng(1).integers(0, len(one.action_names), 8)]
    rewards = [one.step(action)[1] for action in actions]
    seen, total, *_ = other.multistep(actions)
    assert total == pytest.approx(sum(rewards))
    assert seen.tolist() == one.observe("choices").tolist()


def test_a_state_is_had_again_and_a_fork_goes_its_own_way(make: Callable[..., GccEnv]) -> None:
    env = make()
    env.reset()
    take(env, "-Os", "-fno-gcse")
    fork = env.fork()
    take(fork, "-O3")
    assert env.commandline() == "-Os -fno-gcse"
    assert fork.commandline() == "-O3 -fno-gcse"
    fork.close()
    again = make()
    _, reward, *_ = again.apply(env.state)
    assert again.state.reward == reward == pytest.approx(env.state.reward)
    assert again.observe("obj_hash") == env.observe("obj_hash")


def test_what_is_kept_of_objects_is_bounded(make: Callable[..., GccEnv], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "_MOST_KEPT_BYTES", 1)
    monkeypatch.setattr(served, "_LEAST_KEPT", 2)
    env = make(options=FEW, reward_space="ObjectSizeBytes")
    env.reset()
    assert take(env, "-O1", "-O2", "-Os", "-O1", "-O0") == 0
    assert len(env.episode.served._kept) == 2


def test_a_state_gives_gcc_nothing_but_choices(make: Callable[..., GccEnv]) -> None:
    env = make()
    for word in ("-fplugin=/tmp/evil.so", "-include", "-fgcse=3", "-ffast-math"):
        with pytest.raises(UsageError, match="no choice"):
            env.apply(State(str(env._benchmark), 0.0, 0.0, f"-O2 {word}"))


def test_what_gcc_rejects_has_no_effect(make: Callable[..., GccEnv], tmp_path: Path) -> None:
    env = make(options=FEW, gcc=gcc_that(f'exec {GCC} -fno-such-option "$@"', tmp_path))
    env.reset()
    take(env, "-O2")
    _, reward, _, truncated, info = env.step(env.action_names.index("-fgcse"))
    assert (reward, truncated, info["action_had_no_effect"]) == (0.0, False, True)
    assert "-fno-such-option" in info["rejected"]
    assert env.commandline() == "-O2"
    assert not env.step(env.action_names.index("-fno-gcse"))[4]["rejected"]


@pytest.mark.parametrize(
    ("action", "ended"),
    [
        ("kill -SEGV $$", "crash"),
        ('echo "unit.c:3:1: internal compiler error: in f" >&2; exit 1', "crash"),
        ('echo "cc1: out of memory allocating 65536 bytes" >&2; exit 1', "memory"),
        ("sleep 1000", "timeout"),
    ],
)
def test_a_gcc_that_does_not_survive_truncates_the_episode(
    make: Callable[..., GccEnv], tmp_path: Path, action: str, ended: str
) -> None:
    env = make(options=FEW, gcc=gcc_that(action, tmp_path))
    begin, _ = env.reset()
    take(env, "-O2")
    if ended == "timeout":  # now, so that what is to succeed has all the time it needs
        env.episode.served.limits = Limits(timeout_s=0.05)
    _, reward, terminated, truncated, info = env.step(env.action_names.index("-fgcse"))
    assert (reward, terminated, truncated, info["ended"]) == (0.0, False, True, ended)
    assert info["reason"]
    assert env.commandline() == "-O2"
    with pytest.raises(UsageError, match="has ended"):
        env.step(0)
    again, _ = env.reset()
    assert again.tolist() == begin.tolist()


def test_memory_is_limited(make: Callable[..., GccEnv], tmp_path: Path) -> None:
    names = "ABCDEFGHIJ"
    more = "".join(f"#define {b} {a} {a} {a} {a}\n" for a, b in itertools.pairwise(names))
    code = f"#define A x += x * x;\n{more}#ifdef __OPTIMIZE__\nint f(int x) {{ J return x; }}\n#endif\n"
    (tmp_path / "large.c").write_text(code)  # a quarter of a million statements, where it is optimized
    env = make(
        benchmark=f"file://{tmp_path}/large.c", options=FEW, limits=Limits(1000.0, 128 << 20), reward_space="asm_size"
    )
    env.reset()
    *_, truncated, info = env.step(env.action_names.index("-O1"))
    assert (truncated, info["ended"]) == (True, "memory")


def test_without_gcc_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolchainError, match="no no-such-gcc on the PATH") as raised:
        GccEnv(gcc="no-such-gcc")
    assert "apt-get install gcc" in raised.value.hint
    with pytest.raises(ToolchainError, match="is not GCC"):
        GccEnv(gcc=str(discover().clang))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="GCC was not found"):
        gymnasium.make(compiler_agent.search.env.GCC_ENVIRONMENT_ID)


def test_a_header_that_was_missing_is_found(make: Callable[..., GccEnv], tmp_path: Path) -> None:
    (tmp_path / "unit.c").write_text('#include "its.h"\nint f(int x) { return x FORM; }\n')
    env = make(benchmark=f"file://{tmp_path}/unit.c", observation_space="obj_size")
    with pytest.raises(EngineError, match=r"its\.h"):
        env.reset()
    for form in ("", "* x + 3"):
        (tmp_path / "its.h").write_text(f"#define FORM {form}\n")
        env.reset()
        assert ("mul" in env.observe("asm")) == bool(form)


def test_what_is_not_there_is_said(make: Callable[..., GccEnv], tmp_path: Path) -> None:
    for arguments in (
        {"observation_space": "Autophase"},
        {"observation_space": "luck"},
        {"reward_space": "IrInstructionCountOz"},
        {"action_space": "passes"},
        {"options": "some"},
        {"options": ["-fno-such"]},
        {"options": []},
    ):
        with pytest.raises(UsageError):
            make(**arguments)
    (tmp_path / "unit.ll").write_text("define void @f() {\n  ret void\n}\n")
    with pytest.raises(UsageError, match="LLVM IR"):
        make(benchmark=f"file://{tmp_path}/unit.ll").reset()
    (tmp_path / "wrong.c").write_text("int f(")
    with pytest.raises(EngineError, match="expected"):
        make(benchmark=f"file://{tmp_path}/wrong.c").reset()


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_cplusplus_is_compiled_by_gxx(make: Callable[..., GccEnv], tmp_path: Path) -> None:
    (tmp_path / "unit.cpp").write_text(
        "template <class T> T twice(T x) { return x + x; }\nint f(int x) { return twice(x); }"
    )
    env = make(benchmark=f"file://{tmp_path}/unit.cpp")
    env.reset()
    assert "_Z5twiceIiET_S0_" in env.observe("asm")


def test_a_program_is_validated_by_what_it_does(
    make: Callable[..., GccEnv], as_program: Callable[[Path], Benchmark], source: Path, tmp_path: Path
) -> None:
    gcc = gcc_that("set -- -DANSWER=43 $*", tmp_path)
    env = make(benchmark=as_program(source), gcc=gcc, observation_space="Runtime")
    env.reset()
    assert env.validate().validity is Validity.OKAY
    take(env, "-O2")
    assert env.validate().validity is Validity.OKAY
    assert len(env.observe("Runtime")) == 5
    *_, truncated, info = env.step(env.action_names.index("-fgcse"))
    assert (truncated, info["ended"]) == (True, "wrong")
    assert "43" in info["reason"]
    assert env.commandline() == "-O2"
    blind = make(benchmark=as_program(source), gcc=gcc)
    blind.reset()
    take(blind, "-O2", "-fgcse")
    found = blind.validate()
    assert found.validity is Validity.WRONG
    assert "43" in found.reason


def test_what_shows_nothing_is_not_okay(make: Callable[..., GccEnv]) -> None:
    env = make()
    env.reset()
    take(env, "-O2")
    found = env.validate()
    assert found.validity is Validity.NOT_ESTABLISHED
    assert "no program" in found.reason


def test_what_is_not_had_again_is_wrong(make: Callable[..., GccEnv], tmp_path: Path) -> None:
    env = make(gcc=gcc_that("set -- -DANSWER=$(date +%N | sed s/^0*//) $*", tmp_path))
    env.reset()
    take(env, "-fgcse")
    found = env.validate()
    assert found.validity is Validity.WRONG
    assert "another object" in found.reason


@pytest.mark.nightly
def test_gcc_takes_each_choice_of_production(make: Callable[..., GccEnv]) -> None:
    env = make()
    env.reset()
    take(env, "-O2")
    for option, action in zip(env.options, (name for name in env.action_names if name.startswith("no ")), strict=True):
        for word in option.choices:
            *_, truncated, info = env.step(env.action_names.index(word))
            assert (truncated, info["rejected"]) == (False, ""), word
        env.step(env.action_names.index(action if option.name != "-O" else "-O2"))
    assert env.commandline() == "-O2"


def test_agents_work_with_it(make: Callable[..., GccEnv]) -> None:
    env = make(options=("-O", "-finline"))
    for name in ("random", "greedy"):
        found = run_agent(name, Run(env, 0.2, 1))
        assert env.state.reward == pytest.approx(found.reward)
        assert found.benchmark == str(env._benchmark)
    with pytest.raises(UsageError, match="plans of LLVM"):
        run_agent("coreset", Run(env, 1.0, 1))
