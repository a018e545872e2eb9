"""What the launcher's tests share: the real launcher and clang, and a launcher whose clang and tuner are scripts."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NATIVE = Path(os.environ.get("CC_AGENT_NATIVE") or ROOT / "build" / "native")


def clean_environment(**changes: str) -> dict[str, str]:
    """The environment without the caller's own CC_AGENT_* settings, except where LLVM is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CC_AGENT_")}
    if "CC_AGENT_LLVM" in os.environ:
        kept["CC_AGENT_LLVM"] = os.environ["CC_AGENT_LLVM"]
    return {**kept, **changes}


@pytest.fixture(scope="session")
def launcher() -> Path:
    program = NATIVE / "bin" / "cc-agent"
    if not program.exists():
        pytest.fail(f"{program} is missing; build it: cmake -S passes -B build/cmake && cmake --build build/cmake")
    return program


@pytest.fixture(scope="session")
def clang(launcher: Path) -> str:
    """The clang that the launcher uses: comparisons must be with the same one."""
    text = subprocess.run([launcher, "--cc-agent-version"], capture_output=True, text=True, check=True).stdout
    return next(line.removeprefix("clang: ") for line in text.splitlines() if line.startswith("clang: "))


@pytest.fixture
def describe(launcher: Path, tmp_path: Path) -> Callable[..., dict]:
    """What `--cc-agent-describe` says of the given arguments, run in tmp_path."""

    def run(*arguments: str | bytes, program: str = "cc-agent") -> dict:
        command = [launcher.with_name(program), "--cc-agent-describe", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=clean_environment())
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


FAKE_CLANG = """#!/bin/sh
# Stands for clang: FAKE_PLUGIN_* say what happens when the plugin is loaded, FAKE_* what happens otherwise.
echo "$*" >> "$FAKE_DIRECTORY/calls"
output= previous= plugin=
for word in "$@"; do
  [ "$previous" = -o ] && output=$word
  case $word in -fpass-plugin=*) plugin=1;; esac
  previous=$word
done
if [ -n "$plugin" ]; then
  case "$*" in *" /dev/null -o /dev/null") exit "${FAKE_LOAD_STATUS:-0}";; esac
  echo "warning: with plugin" >&2
  event=${FAKE_EVENT:-miss}
  [ -e "$FAKE_DIRECTORY/tuned" ] && event=hit
  lines='{"event":"'$event'","key":"0123-O2s0","source":"unit.c","message":"m"}'
  [ "$event" != none ] && echo "$lines" > "/proc/self/fd/$CC_AGENT_PLUGIN_STATUS"
  echo "lock=$CC_AGENT_PLUGIN_LOCK serve=${CC_AGENT_PLUGIN_SERVE-unset}" >> "$FAKE_DIRECTORY/calls"
  echo "$CC_AGENT_PLUGIN_LIMITS" > "$FAKE_DIRECTORY/limits"
  [ -n "$FAKE_PLUGIN_STDOUT" ] && echo "$FAKE_PLUGIN_STDOUT"
  [ -n "$FAKE_PLUGIN_SIGNAL" ] && kill -"$FAKE_PLUGIN_SIGNAL" $$
  [ -e "$FAKE_DIRECTORY/tuned" ] && [ -n "$FAKE_TUNED_STATUS" ] && { rm -f "$output"; exit "$FAKE_TUNED_STATUS"; }
  [ -n "$FAKE_PLUGIN_STATUS" ] && exit "$FAKE_PLUGIN_STATUS"
  [ -n "$output" ] && echo "$event" > "$output"
  exit 0
fi
echo "warning: plain" >&2
[ -n "$FAKE_STDOUT" ] && echo "$FAKE_STDOUT"
[ -n "$FAKE_SLEEP" ] && { touch "$FAKE_DIRECTORY/started"; sleep "$FAKE_SLEEP"; }
[ -n "$FAKE_SIGNAL" ] && kill -"$FAKE_SIGNAL" $$
[ -n "$output" ] && echo plain > "$output"
exit "${FAKE_STATUS:-0}"
"""

FAKE_TUNER = """#!/bin/sh
echo "tuner: a word on stdout"
echo "tuner: a word on stderr" >&2
for word in "$@"; do echo "$word"; done > "$FAKE_DIRECTORY/tuner-call"
[ "${FAKE_TUNER_STATUS:-0}" = 0 ] && touch "$FAKE_DIRECTORY/tuned"
exit "${FAKE_TUNER_STATUS:-0}"
"""


@dataclass(frozen=True, slots=True)
class Staged:
    """A launcher in its own directory, with scripts for clang and for the tuner."""

    directory: Path
    """Everything is below it; the work directory is `directory / "work"`."""
    settings: dict[str, str]
    """The environment that makes the launcher use the scripts."""

    @property
    def work(self) -> Path:
        return self.directory / "work"

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `cc-agent` with the arguments in the work directory."""
        command = [self.directory / "native" / "bin" / "cc-agent", *arguments]
        settings = {**self.settings, **environment}
        return subprocess.run(command, cwd=self.work, env=settings, capture_output=True, text=True, timeout=300)

    def calls(self) -> list[str]:
        """What the script for clang was called with, and its private variables, one line each."""
        path = self.directory / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def log(self) -> list[dict]:
        """The entries of CC_AGENT_LOG."""
        return [json.loads(line) for line in (self.directory / "log.jsonl").read_text().splitlines()]


@pytest.fixture
def staged(launcher: Path, tmp_path: Path) -> Staged:
    for directory in ("native/bin", "native/lib", "llvm/bin", "llvm/lib/clang/22", "work", "cache", "home"):
        (tmp_path / directory).mkdir(parents=True)
    shutil.copy(launcher, tmp_path / "native" / "bin" / "cc-agent")
    (tmp_path / "native" / "lib" / "cc-agent.so").touch()
    for name, text in (("llvm/bin/clang", FAKE_CLANG), ("tuner", FAKE_TUNER)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "work" / "unit.c").write_text("int unit;\n")
    settings = clean_environment(
        CC_AGENT_LLVM=str(tmp_path / "llvm"),
        CC_AGENT_PYTHON=str(tmp_path / "tuner"),
        CC_AGENT_LOG=str(tmp_path / "log.jsonl"),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        HOME=str(tmp_path / "home"),
        FAKE_DIRECTORY=str(tmp_path),
    )
    return Staged(tmp_path, settings)
