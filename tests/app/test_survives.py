"""Whatever is wrong with a lock or a plan: clang's own object, exit status 0, and a message that says what is wrong."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.base import lock as locks
from compiler_agent.base.lock_format import Evidence, LockEntry
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.toolchain import discover

from .programs import Project

EVIDENCE = Evidence(100, 90, 10, "evolve", 0)
GOOD = "-passes=default<O0> -enable-machine-outliner=always"


@pytest.fixture
def key(project: Project) -> str:
    with Engine([str(discover().clang), "-Oz", "-c", "-o", "-", "weigh.c"], project.directory) as engine:
        return engine.key


def entry(plan: str = GOOD, llvm: str = "") -> LockEntry:
    return LockEntry(plan, "weigh.c", llvm or discover().version, "x86_64-pc-linux-gnu", EVIDENCE)


def replay(project: Project, **variables: str) -> tuple[bytes, str, dict]:
    """The object of a replay, what was said on stderr, and the log's line; the compilation succeeds."""
    log = project.directory / "log.jsonl"
    arguments = ["-O-agent=size", "-c", "weigh.c", "-o", "ours.o"]
    done = project.compile(*arguments, CC_AGENT_LOG=str(log), CC_AGENT_LOCK=str(project.lock), **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    (line,) = log.read_text().splitlines()
    return (project.directory / "ours.o").read_bytes(), done.stderr.decode(), json.loads(line)


def plain(project: Project) -> bytes:
    project.clang("-Oz", "-c", "weigh.c", "-o", "plain.o")
    return (project.directory / "plain.o").read_bytes()


def edited(text: str, key: str) -> str:
    return text.replace("-enable-machine-outliner=always", "-enable-machine-outliner=never")


def other_llvm(text: str, key: str) -> str:
    return text.replace(f'"llvm": "{discover().version}"', '"llvm": "21.1.0"')


DAMAGES: dict[str, tuple[Callable[[str, str], str], str]] = {
    "no JSON": (lambda text, key: "not a lock at all\n", "is not a cc-agent lock"),
    "cut off": (lambda text, key: text[: len(text) // 2], "is not a cc-agent lock"),
    "an empty file": (lambda text, key: "", "is not a cc-agent lock"),
    "a merge conflict": (lambda text, key: text.replace('  "plans"', '<<<<<<< ours\n  "plans"'), "merge conflict"),
    "another format": (lambda text, key: text.replace("cc-agent-lock", "some-other-lock"), "is not a cc-agent lock"),
    "a future version": (lambda text, key: text.replace('"version": 1', '"version": 2'), "is of format version 2"),
    "another layout": (lambda text, key: json.dumps(json.loads(text)), "was reformatted"),
    "an edited plan": (edited, "was edited: its evidence belongs to another plan"),
    "another LLVM": (other_llvm, "was established with LLVM 21.1.0"),
    "a missing digest": (lambda text, key: text.replace('"plan_sha256"', '"plan_digest"'), "lacks plan"),
    "another verdict": (
        lambda text, key: text.replace('"established"', '"miscompiled"'),
        "has the verdict miscompiled",
    ),
    "a corrupt entry": (lambda text, key: text.replace('"verdict": ', '"verdict" '), "corrupt"),
}


def test_the_undamaged_lock_is_replayed(project: Project, key: str) -> None:
    """Without this the tests below would pass with a launcher that never replays."""
    locks.update(project.lock, {key: entry()})
    ours, words, line = replay(project)
    assert line["decision"] == "replayed"
    assert words == ""
    assert ours != plain(project)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_lock(project: Project, key: str, damage: str) -> None:
    locks.update(project.lock, {key: entry()})
    change, message = DAMAGES[damage]
    text = project.lock.read_text()
    project.lock.write_text(change(text, key))
    assert project.lock.read_text() != text
    ours, words, line = replay(project)
    assert ours == plain(project)
    assert line["decision"] == "error"
    assert message in words
    assert message in line["events"][0]["message"]
    assert str(project.lock) in words
    assert project.leftovers() == []


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("-passes=no-such-pass", "unknown pass name 'no-such-pass'"),
        ("-passes=function(simplifycfg<unheard-of>)", "unheard-of"),
        ("-passes=function(sroa", "invalid pipeline"),
        ("-passes=default<O2> -no-such-option=1", "no-such-option"),
        ("-passes=default<O2> -inline-threshold=many", "many"),
    ],
)
def test_a_plan_that_llvm_does_not_take(project: Project, key: str, plan: str, message: str) -> None:
    locks.update(project.lock, {key: entry(plan)})
    ours, words, line = replay(project)
    assert ours == plain(project)
    assert line["decision"] == "error"
    assert message in words
    assert "does not apply" in words
    assert key in words


@pytest.mark.parametrize("name", ["crash", "abort", "fatal-error", "invalid"])
def test_a_plan_that_breaks_the_compiler(project: Project, key: str, name: str) -> None:
    locks.update(project.lock, {key: entry(f"-passes=cc-agent-test-{name},default<O2>")})
    ours, words, line = replay(project, CC_AGENT_TEST_PASSES="1")
    assert ours == plain(project)
    assert line["decision"] == "fallback"
    assert "with the plugin" in line["reason"]
    assert "Running pass" in words or name in words
    assert_told_last(words, key, project)
    assert project.leftovers() == []
    assert [path.name for path in project.temporary.iterdir()] == []


def assert_told_last(words: str, key: str, project: Project) -> None:
    """One line of ours, after all that clang says, names the plan and what to do."""
    *_, last = words.splitlines()
    assert words.count("cc-agent: warning: ") == 1
    assert last.startswith("cc-agent: warning: clang ")
    assert f"the plan of {key}; clang's own object was made instead" in last
    assert last.endswith(f"compiler-agent verify '{project.lock}'")


@pytest.mark.parametrize(
    ("name", "limit", "told"),
    [
        ("hang", {"CC_AGENT_REPLAY_TIMEOUT": "1"}, "CPU time limit exceeded"),
        ("eat-memory", {"CC_AGENT_REPLAY_MEMORY": "200"}, "out of memory"),
    ],
)
def test_a_plan_that_never_ends_or_eats_memory(
    project: Project, key: str, name: str, limit: dict[str, str], told: str
) -> None:
    locks.update(project.lock, {key: entry(f"-passes=cc-agent-test-{name},default<O2>")})
    ours, words, line = replay(project, CC_AGENT_TEST_PASSES="1", **limit)
    assert ours == plain(project)
    assert line["decision"] == "fallback"
    assert told in words
    assert_told_last(words, key, project)
    assert project.leftovers() == []
    assert [path.name for path in project.temporary.iterdir()] == []


def test_a_source_that_clang_refuses_late_is_not_the_plans_fault(project: Project, key: str) -> None:
    source = 'int weigh(int a) { __asm__ volatile("no-such-instruction"); return a; }\n'
    (project.directory / "weigh.c").write_text(source)
    with Engine([str(discover().clang), "-Oz", "-c", "-o", "-", "weigh.c"], project.directory) as engine:
        locks.update(project.lock, {engine.key: entry()})
    done = project.compile("-O-agent=size", "-c", "weigh.c", "-o", "ours.o", CC_AGENT_LOCK=str(project.lock))
    assert done.returncode == 1
    assert b"invalid instruction mnemonic" in done.stderr
    assert b"cc-agent: warning" not in done.stderr


def test_test_passes_are_unknown_in_a_real_build(project: Project, key: str) -> None:
    locks.update(project.lock, {key: entry("-passes=cc-agent-test-crash")})
    ours, words, _ = replay(project)
    assert ours == plain(project)
    assert "unknown pass name 'cc-agent-test-crash'" in words


def test_a_lock_that_is_a_directory(project: Project) -> None:
    project.lock.mkdir()
    ours, words, line = replay(project)
    assert ours == plain(project)
    assert line["decision"] == "error"
    assert "cannot be read" in words


def test_a_lock_that_is_not_there(project: Project) -> None:
    ours, words, line = replay(project)
    assert (ours, words, line["decision"]) == (plain(project), "", "miss")


def test_a_plan_of_another_source_is_not_used(project: Project, key: str) -> None:
    other = hashlib.sha256(b"another source").hexdigest()[:32] + key[32:]
    locks.update(project.lock, {other: dataclasses.replace(entry(), source="other.c")})
    ours, words, line = replay(project)
    assert (ours, words, line["decision"]) == (plain(project), "", "miss")


def test_an_error_in_the_source_is_clangs_own(project: Project, key: str) -> None:
    locks.update(project.lock, {key: entry()})
    (project.directory / "weigh.c").write_text("int weigh(void) { return undeclared; }\n")
    done = project.compile("-O-agent=size", "-c", "weigh.c", "-o", "ours.o", CC_AGENT_LOCK=str(project.lock))
    assert done.returncode == 1
    assert done.stderr.count(b"use of undeclared identifier") == 1
    assert b"cc-agent" not in done.stderr
    assert not Path(project.directory / "ours.o").exists()
