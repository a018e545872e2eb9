"""A session's process and the clang that waits for it, where what is asked makes no sense."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler_agent.llvm.engine import Engine, Outcome
from compiler_agent.llvm.session import Session
from compiler_agent.llvm.toolchain import discover


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "unit.c").write_text("int twice(int x) { return x + x; }\n")
    with Engine([str(discover().clang), "-Oz", "-c", "-o", "-", "unit.c"], tmp_path) as engine:
        yield engine


def test_what_is_no_child_has_not_ended_well(engine: Engine) -> None:
    with Session.open(engine) as session:
        limits = {"timeout_s": 1.0, "memory_bytes": 1 << 30}
        outcome, reason = engine.end_session(os.getpid(), limits)
        assert outcome is Outcome.ERROR
        assert str(os.getpid()) in reason
        process = session.process
        session.close()
        assert engine.end_session(process, limits)[0] is Outcome.ERROR  # it was waited for already


def test_a_descriptor_that_comes_with_nonsense_is_closed(engine: Engine) -> None:
    with Session.open(engine) as session:
        for process, ours in ((engine.process, engine._socket), (session.process, session._socket)):
            before = len(os.listdir(f"/proc/{process}/fd"))
            for line in (b"nonsense\n", b"[]\n", b'{"plan":"","end":0,"plans":[]}\n'):
                socket.send_fds(ours, [line], [ours.fileno()])
                while not ours.recv(1 << 16).endswith(b"\n"):
                    pass
            assert len(os.listdir(f"/proc/{process}/fd")) == before
