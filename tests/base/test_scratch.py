"""Temporary directories and signals that come at the wrong moment."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest

from compiler_agent.base.scratch import ScratchDirectory


def test_a_signal_while_it_is_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def mkdtemp(*arguments: str | None) -> str:
        made.append(real(*arguments))
        os.kill(os.getpid(), signal.SIGINT)
        return made[-1]

    real = tempfile.mkdtemp
    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    with pytest.raises(KeyboardInterrupt), ScratchDirectory(dir=tmp_path):
        pytest.fail("the signal was lost")
    assert len(made) == 1
    assert os.listdir(tmp_path) == []


def test_a_signal_while_it_is_removed_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlink(*arguments: str, **named: int) -> None:
        real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGINT)

    scratch = ScratchDirectory(dir=tmp_path)
    for name in "abc":
        (Path(scratch.name) / name).write_text("")
    real = os.unlink
    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(KeyboardInterrupt):
        scratch.cleanup()
    assert os.listdir(tmp_path) == []
