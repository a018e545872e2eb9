"""Small programs that the tests of tuning and replaying compile, and how to run our commands on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from compiler_agent.app.cli import cli
from compiler_agent.base.config import native_directory
from compiler_agent.llvm.toolchain import discover

WEIGH_C = """
int weigh(const char *text) {
  int total = 0;
  for (int i = 0; text[i]; i++) {
    switch (text[i]) {
    case 'a': total += 3; break;
    case 'b': total += 7; break;
    case 'c': total ^= 5; break;
    case 'd': total *= 3; break;
    default: total++;
    }
    for (int j = 0; j < 4; j++)
      total += (text[i] >> j) & 1 ? j * 3 : -j;
  }
  return total;
}
"""
MAIN_C = """
#include <stdio.h>
int weigh(const char *text);
int main(int count, char **words) {
  printf("%d %d\\n", weigh("abcdabcd"), weigh("some other text"));
  for (int i = 1; i < count; i++)
    printf("%s %d\\n", words[i], weigh(words[i]));
  return 0;
}
"""
WORDS_CPP = """
#include <cstdio>
#include <string>
#include <vector>
template <typename Item> static Item largest(const std::vector<Item> &items) {
  Item best = items.front();
  for (const Item &item : items)
    if (best < item)
      best = item;
  return best;
}
int main() {
  std::vector<std::string> words{"pear", "apple", "plum"};
  std::vector<long> numbers{3, 1, 4, 1, 5};
  std::printf("%s %ld\\n", largest(words).c_str(), largest(numbers));
  return words.size() == 3 ? 0 : 1;
}
"""
MAKEFILE = "program: main.o weigh.o\n\t$(CC) -o $@ $^\n"
EXPECTED = b"62 73\n"


@dataclass(frozen=True, slots=True)
class Project:
    """A directory with sources, and an environment whose temporary files and cache are its own."""

    directory: Path
    """Where the sources are, and the commands run; its name has spaces."""
    environment: Mapping[str, str]
    """For every command."""

    @property
    def lock(self) -> Path:
        return self.directory / "cc-agent.lock"

    @property
    def temporary(self) -> Path:
        return Path(self.environment["TMPDIR"])

    def plans(self) -> dict[str, dict]:
        """The lock's entries by key."""
        return json.loads(self.lock.read_text())["plans"]

    def command(self, *arguments: str | Path) -> list[str]:
        """The words that start `compiler-agent`."""
        return [sys.executable, "-m", "compiler_agent.app.cli", *map(str, arguments)]

    def agent(self, *arguments: str | Path, timeout: float = 120, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs `compiler-agent`."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Starts `compiler-agent` and leaves it running."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def compile(
        self, *arguments: str, program: str = "cc-agent", **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs the launcher, which replays and never searches."""
        return subprocess.run(
            [native_directory() / "bin" / program, *arguments],
            cwd=self.directory,
            env={**self.environment, "CC_AGENT_MODE": "replay", **variables},
            capture_output=True,
            timeout=120,
            check=False,
        )

    def clang(self, *arguments: str) -> None:
        """Runs plain clang, which must succeed."""
        subprocess.run([discover().clang, *arguments], cwd=self.directory, env=self.environment, check=True)

    def run(self, program: str) -> bytes:
        """What a program prints; it must succeed."""
        return subprocess.run([self.directory / program], check=True, capture_output=True, timeout=300).stdout

    def leftovers(self) -> list[str]:
        """Temporary files that are still there, by name."""
        here = [name for name in os.listdir(self.directory) if ".tmp-" in name]
        return here + [name for name in os.listdir(self.temporary) if "cc-agent" in name]


def call(*arguments: str) -> Result:
    """One command of ours, in this process; what it raises is raised here."""
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def make_project(root: Path) -> Project:
    """A new project with all of the sources above."""
    directory = root / "a project"
    for path in (directory, root / "tmp", root / "cache"):
        path.mkdir(parents=True)
    for name, text in (("weigh.c", WEIGH_C), ("main.c", MAIN_C), ("words.cpp", WORDS_CPP), ("Makefile", MAKEFILE)):
        (directory / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if name not in ("CFLAGS", "CXXFLAGS", "CC", "CXX")}
    environment |= {"TMPDIR": str(root / "tmp"), "CC_AGENT_CACHE": str(root / "cache"), "LC_ALL": "C.UTF-8"}
    # Most tests are not about trust, and functions take their seconds.
    environment |= {"CC_AGENT_TRUST": "production", "CC_AGENT_TEST_SECONDS": "0"}
    return Project(directory, environment)


def text_bytes(path: Path) -> int:
    """The executable sections of an object, as llvm-size counts them."""
    lines = subprocess.run(["llvm-size-22", "-A", path], capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split() for line in lines]
    return sum(int(row[1]) for row in rows if len(row) == 3 and row[0].startswith(".text"))


def descendants(pid: int) -> list[int]:
    """The processes below one."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        below = [child for child, its_parent in parents.items() if its_parent == parent]
        found += below
        waiting += below
    return found


def is_running(pid: int) -> bool:
    """Whether a process is there and is not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 120) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()
