"""What goes wrong in an episode: misbehaving passes, killed processes, interrupts. The next episode is whole."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.base.errors import EngineError, UsageError
from compiler_agent.llvm.engine import Measurement, Outcome
from compiler_agent.llvm.session import Session
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.served import Limits, ServedBenchmark


@pytest.mark.parametrize(
    ("how", "ended"), [("crash", "crash"), ("fatal-error", "crash"), ("hang", "timeout"), ("eat-memory", "memory")]
)
def test_a_pass_that_misbehaves_truncates_the_episode(
    make: Callable[..., LlvmEnv], monkeypatch: pytest.MonkeyPatch, how: str, ended: str
) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    env = make(
        # A slow machine needs more than a second to fill its memory.
        limits=Limits(1.0 if how == "hang" else 60.0, 256 << 20),
        action_space=(
            "function(sroa)",
            f"cc-agent-test-{how}",
        ),
    )
    begin, _ = env.reset()
    seen, *_ = env.step(0)
    assert seen.tolist() != begin.tolist()
    last, reward, terminated, truncated, info = env.step(1)
    assert (reward, terminated, truncated, info["ended"]) == (0.0, False, True, ended)
    assert info["reason"]
    assert last.tolist() == seen.tolist()
    assert env.commandline() == "-passes=function(sroa)"
    with pytest.raises(UsageError, match="has ended"):
        env.step(0)
    again, _ = env.reset()
    assert again.tolist() == begin.tolist()
    assert env.step(0)[0].tolist() == seen.tolist()


def test_an_invalid_module_truncates_the_episode(make: Callable[..., LlvmEnv], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    # Code generation is given no module that the verifier rejects, whether or not it looks after each step.
    for arguments in ({"verify": True}, {"reward_space": "TextSizeBytes", "observation_space": "IrInstructionCountO0"}):
        env = make(**arguments, action_space=("cc-agent-test-invalid",))
        env.reset()
        assert env.step(0)[4]["ended"] == "invalid"


@pytest.mark.parametrize("name", ["Cfg", "Programl", "Remarks"])
def test_an_observation_of_an_invalid_module_truncates_the_episode(
    make: Callable[..., LlvmEnv], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    env = make(action_space=("function(sroa)", "cc-agent-test-invalid"), observation_space=name)
    env.reset()
    env.step(0)
    assert env.step(1)[3]
    assert env.commandline() == "-passes=function(sroa)"  # the plan of what is observed


def test_a_benchmark_that_cannot_be_had_leaves_nothing(make: Callable[..., LlvmEnv], tmp_path: Path) -> None:
    (tmp_path / "wrong.c").write_text("int f(")
    env = make()
    begin, _ = env.reset()
    with pytest.raises(EngineError, match="expected"):
        env.reset(options={"benchmark": f"file://{tmp_path}/wrong.c"})
    again, _ = env.reset()
    assert again.tolist() == begin.tolist()


def test_without_a_baseline_there_is_no_episode(make: Callable[..., LlvmEnv], monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> int:
        raise EngineError("the baseline cannot be measured")

    env = make()
    env.reset()
    clang = env.episode.served.engine.process
    with monkeypatch.context() as patch:
        patch.setattr(ServedBenchmark, "figure", gone)
        with pytest.raises(EngineError, match="baseline"):
            env.reset()
    assert not children(clang)
    with pytest.raises(UsageError, match="no episode"):
        env.step(0)


def children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_nothing_is_left(make: Callable[..., LlvmEnv], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    env = make(
        action_space=(
            "function(sroa)",
            "cc-agent-test-crash",
        )
    )
    for action in (0, 1, 0):
        env.reset()
        env.step(action)
    fork = env.fork()
    clang = env.episode.served.engine.process
    assert len(children(clang)) == 2
    fork.close()
    assert len(children(clang)) == 1
    env.close()
    with pytest.raises(ProcessLookupError):
        os.kill(clang, 0)


def test_what_is_forgotten_is_ended(make: Callable[..., LlvmEnv]) -> None:
    env = make()
    env.reset()
    clang = env.episode.served.engine.process
    fork = env.fork()
    assert len(children(clang)) == 2
    del fork
    assert len(children(clang)) == 1


def test_reset_works_where_the_clang_was_killed(make: Callable[..., LlvmEnv]) -> None:
    env = make()
    begin, _ = env.reset()
    os.kill(env.episode.served.engine.process, signal.SIGKILL)
    again, _ = env.reset()
    assert again.tolist() == begin.tolist()
    assert not env.step(0)[3]


class InterruptedSocket:
    """Ctrl-C comes when the request is sent, and its answer is waited for."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def recv(self, _: int) -> bytes:
        raise KeyboardInterrupt


def test_after_an_interrupt_no_answer_is_taken_for_another(
    make: Callable[..., LlvmEnv], monkeypatch: pytest.MonkeyPatch
) -> None:
    env = make(action_space=["default<O3>", "no-op-module"], observation_space="IrInstructionCount")
    begin, _ = env.reset()
    engine, session = env.episode.served.engine, env.episode.session
    with monkeypatch.context() as patch:
        patch.setattr(session, "_socket", InterruptedSocket(session._socket))
        with pytest.raises(KeyboardInterrupt):
            env.multistep([0] * 50)
    *_, truncated, info = env.step(1)
    assert truncated
    assert info["reason"]
    with monkeypatch.context() as patch:
        patch.setattr(engine, "_socket", InterruptedSocket(engine._socket))
        with pytest.raises(KeyboardInterrupt):
            engine.measure("-passes=no-op-module")
    with pytest.raises(EngineError):
        engine.measure("-passes=default<O2>")
    again, _ = env.reset()
    assert again.tolist() == begin.tolist()
    fresh = make()
    fresh.reset()
    assert env.observe("TextSizeBytesOz") == fresh.observe("TextSizeBytesOz")


def test_a_fork_that_is_interrupted_leaves_no_process(
    make: Callable[..., LlvmEnv], monkeypatch: pytest.MonkeyPatch
) -> None:
    env = make()
    env.reset()
    clang = env.episode.served.engine.process
    receive = Session._receive

    def interrupted(session: Session) -> dict[str, object]:
        monkeypatch.setattr(Session, "_receive", receive)
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "_receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        env.fork()
    assert len(children(clang)) == 1  # also no zombie
    assert not env.step(0)[3]


def test_an_unoptimized_baseline_may_take_longer_than_a_step(
    make: Callable[..., LlvmEnv], monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: list[float] = []
    opened = Session.open

    def open_(engine: object, *, timeout_s: float, memory_bytes: int) -> Session:
        allowed.append(timeout_s)
        return opened(engine, timeout_s=timeout_s, memory_bytes=memory_bytes)  # type: ignore[arg-type]

    env = make(limits=Limits(3.0))
    env.reset()
    monkeypatch.setattr(Session, "open", open_)
    env.observe("TextSizeBytesO0")
    assert allowed == [30.0]


def test_code_generation_that_failed_once_is_tried_again(
    make: Callable[..., LlvmEnv], monkeypatch: pytest.MonkeyPatch
) -> None:
    env = make(action_space=["function(sroa)"], reward_space="TextSizeBytes", observation_space="IrInstructionCountO0")
    slow = Measurement(Outcome.TIMEOUT, "the machine was busy")
    for ended in ("timeout", None):
        env.reset()
        with monkeypatch.context() as patch:
            if ended:
                patch.setattr(Session, "emit", lambda _: slow)
            assert env.step(0)[4].get("ended") == ended
