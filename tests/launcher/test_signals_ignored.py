"""A parent that ignores SIGCHLD passes that on through exec: a failed compilation must not become a success by it."""

import signal
import subprocess
from pathlib import Path

import pytest

from .conftest import clean_environment


def ignore_children() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


@pytest.mark.parametrize("extra", [[], ["-O0"]])
def test_status_is_clangs_where_sigchld_is_ignored(launcher: Path, tmp_path: Path, extra: list[str]):
    (tmp_path / "good.c").write_text("int good;\n")
    (tmp_path / "bad.c").write_text("int bad\n")
    environment = clean_environment(CC_AGENT_CACHE=str(tmp_path / "cache"), CC_AGENT_MODE="replay")
    statuses = [
        subprocess.run(
            [launcher, "-O-agent=size", *extra, "-c", source],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            preexec_fn=ignore_children,
        ).returncode
        for source in ("good.c", "bad.c")
    ]
    assert statuses == [0, 1]
