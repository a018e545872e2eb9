"""The environment is read in one place, and nonsense in it is named."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.config import (
    DEFAULT_BUDGET,
    Budget,
    Mode,
    Settings,
    child_environment,
    find_lock,
    native_directory,
    search_path,
    user_cache_directory,
)
from compiler_agent.base.errors import ConfigurationError, UsageError
from compiler_agent.base.trust import Trust


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("60", Budget(n_evaluations=60)),
        (" 0 ", Budget(n_evaluations=0)),
        ("5s", Budget(seconds=5.0)),
        ("1.5m", Budget(seconds=90.0)),
        ("2h", Budget(seconds=7200.0)),
    ],
)
def test_budget(text, budget):
    assert Budget.parse(text) == budget


@pytest.mark.parametrize("text", ["", "-1", "1.5", "5 s", "s", "5x", "1e3", "nan", "٣x", "5ms"])
def test_nonsense_budget(text):
    with pytest.raises(UsageError, match="is not a budget"):
        Budget.parse(text)


def test_budget_is_one_of_both():
    with pytest.raises(UsageError):
        Budget()
    with pytest.raises(UsageError):
        Budget(n_evaluations=1, seconds=1.0)


@given(
    st.one_of(
        st.integers(0, 10**9).map(lambda n: Budget(n_evaluations=n)),
        st.integers(0, 10**6).map(lambda n: Budget(seconds=n / 8)),
    )
)
def test_budget_round_trips(budget):
    assert Budget.parse(str(budget)) == budget


def test_empty_environment():
    settings = Settings.from_environment({"CC_AGENT_MODE": "", "CC_AGENT_DISABLE": "0"})
    assert settings == Settings(
        lock=None,
        mode=Mode.TUNE,
        budget=DEFAULT_BUDGET,
        trust=Trust.TESTED,
        test_seconds=2.0,
        test_coverage=0.5,
        log=None,
        llvm=None,
        python=Path(sys.executable),
    )


def test_full_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment(
        {
            "CC_AGENT_LOCK": "a.lock",
            "CC_AGENT_MODE": "record",
            "CC_AGENT_BUDGET": "2m",
            "CC_AGENT_LOG": "/x/log",
            "CC_AGENT_LLVM": "/usr/lib/llvm-22",
            "CC_AGENT_PYTHON": "/x/python",
        }
    )
    assert settings == Settings(
        lock=tmp_path / "a.lock",
        mode=Mode.RECORD,
        budget=Budget(seconds=120),
        trust=Trust.TESTED,
        test_seconds=2.0,
        test_coverage=0.5,
        log=Path("/x/log"),
        llvm=Path("/usr/lib/llvm-22"),
        python=Path("/x/python"),
    )


def test_disable_wins():
    assert Settings.from_environment({"CC_AGENT_DISABLE": "1", "CC_AGENT_MODE": "tune"}).mode is Mode.OFF


@pytest.mark.parametrize(("name", "value"), [("CC_AGENT_MODE", "fast"), ("CC_AGENT_BUDGET", "much")])
def test_nonsense_names_the_variable(name, value):
    with pytest.raises(ConfigurationError, match=name) as caught:
        Settings.from_environment({name: value})
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_cache_directory():
    assert user_cache_directory({"CC_AGENT_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/c")
    assert user_cache_directory({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/cc-agent")
    assert user_cache_directory({"XDG_CACHE_HOME": "x", "HOME": "/h"}) == Path("/h/.cache/cc-agent")


def test_native_directory():
    assert native_directory({"CC_AGENT_NATIVE": "/n"}) == Path("/n")
    assert native_directory({}) == Path(__file__).resolve().parents[2] / "build" / "native"


def test_nearest_lock_upward(tmp_path):
    environment = {"CC_AGENT_CACHE": str(tmp_path / "cache")}
    source = tmp_path / "project" / "src" / "a.c"
    source.parent.mkdir(parents=True)
    assert find_lock(source, environment) == tmp_path / "cache" / "cc-agent.lock"
    (tmp_path / "cc-agent.lock").touch()
    assert find_lock(source, environment) == tmp_path / "cc-agent.lock"
    (tmp_path / "project" / "src" / "cc-agent.lock").mkdir()  # a directory is not a lock
    (tmp_path / "project" / "cc-agent.lock").touch()
    assert find_lock(source, environment) == tmp_path / "project" / "cc-agent.lock"
    assert find_lock(source, {"CC_AGENT_LOCK": "/named"}) == Path("/named")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_strangers_lock_is_not_used(tmp_path):
    lock, source = tmp_path / "cc-agent.lock", tmp_path / "a.c"
    lock.touch()
    source.touch()
    os.chown(lock, 12345, -1)
    environment = {"CC_AGENT_CACHE": str(tmp_path / "cache")}
    assert find_lock(source, environment) == tmp_path / "cache" / "cc-agent.lock"
    os.chown(source, 12345, -1)
    assert find_lock(source, environment) == lock


def test_relative_source(tmp_path, monkeypatch):
    (tmp_path / "cc-agent.lock").touch()
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert find_lock("../sub/a.c", {}) == tmp_path / "cc-agent.lock"


def test_child_environment(monkeypatch):
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.setenv("GONE", "1")
    result = child_environment(NEW="2", GONE=None)
    assert (result["KEPT"], result["NEW"]) == ("1", "2")
    assert "GONE" not in result


def test_search_path():
    assert search_path({"PATH": "/a:/b"}) == "/a:/b"
    assert search_path({})


@pytest.mark.parametrize(
    ("name", "text"),
    [("CC_AGENT_TRUST", "blind"), ("CC_AGENT_TEST_SECONDS", "-1"), ("CC_AGENT_TEST_COVERAGE", "1.5")],
)
def test_what_trust_cannot_be_is_said(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment({name: text})


def test_trust_is_read() -> None:
    settings = Settings.from_environment({"CC_AGENT_TRUST": "proved", "CC_AGENT_TEST_SECONDS": "0.5"})
    assert (settings.trust, settings.test_seconds) == (Trust.PROVED, 0.5)
    for text, share in [("0", 0.0), (".25", 0.25), ("0.75", 0.75), ("1", 1.0), ("1.0", 1.0), ("", 0.5)]:
        assert Settings.from_environment({"CC_AGENT_TEST_COVERAGE": text}).test_coverage == share
