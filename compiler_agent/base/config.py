"""The only module that reads the environment.

CC_AGENT_LOCK=FILE       the lock; default: the nearest cc-agent.lock upward from the source, then the user's cache
CC_AGENT_MODE=MODE       tune (default), replay, record, off
CC_AGENT_BUDGET=BUDGET   per translation unit on a miss: "60" evaluations (default), "5s", "2m"
CC_AGENT_TRUST=TRUST     what a plan needs to be kept: production, tested (default), proved
CC_AGENT_TEST_SECONDS=N  for the test of one function (2); 0: functions are not tested
CC_AGENT_TEST_COVERAGE=N share of its edges that a function's test must reach to count, 0 to 1 (0.5)
CC_AGENT_LOG=FILE        one JSON line per compilation, and per call of a language model
CC_AGENT_DISABLE=1       plain clang
CC_AGENT_REPLAY_TIMEOUT, CC_AGENT_REPLAY_MEMORY: limits of a replay; only the launcher reads them
CC_AGENT_LLVM=DIRECTORY  the LLVM to use, as in /usr/lib/llvm-22
CC_AGENT_NATIVE=DIRECTORY  where bin/cc-agent and lib/cc-agent.so are; default: build/native of this checkout
CC_AGENT_CACHE=DIRECTORY the user's cache; default: $XDG_CACHE_HOME/cc-agent or ~/.cache/cc-agent
CC_AGENT_PYTHON=FILE     the Python interpreter that the launcher starts to tune
CC_AGENT_MODEL=NAME      the language model of `tune --strategy llm`; default: DEFAULT_MODEL
CC_AGENT_PRICES=FILE     a price table to use instead of search/prices.toml
ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, ANTHROPIC_BASE_URL: the key and the address of the Messages API
"""

from __future__ import annotations

import contextlib
import enum
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from compiler_agent.base.errors import ConfigurationError, ToolchainError, UsageError
from compiler_agent.base.trust import DEFAULT_TEST_COVERAGE, DEFAULT_TEST_SECONDS, Trust

LOCK_NAME = "cc-agent.lock"
_REPOSITORY = Path(__file__).resolve().parents[2]
_BUDGET = re.compile(r"(\d+)|(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Mode(enum.Enum):
    """What the wrapper does with a translation unit that has no plan."""

    TUNE = "tune"
    """Search within the budget."""
    REPLAY = "replay"
    """Never search."""
    RECORD = "record"
    """Note the translation unit for a later tune."""
    OFF = "off"
    """Plain clang, also where a plan is known."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a search may spend: a number of evaluations, or a time. Exactly one is given."""

    n_evaluations: int | None = None
    """Candidates that may be judged."""
    seconds: float | None = None
    """Time on the clock, in seconds."""

    def __post_init__(self) -> None:
        if (self.n_evaluations is None) == (self.seconds is None):
            raise UsageError("a budget is either a number of evaluations or a time")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Reads "60" (evaluations), "5s", "1.5m" or "1h".

        Raises:
            UsageError: It is none of these.
        """
        match = _BUDGET.fullmatch(text.strip())
        if match is None:
            raise UsageError(
                f"{text!r} is not a budget", hint='write a number of evaluations, as "60", or a time, as "5s" or "2m"'
            )
        if match[1]:
            return cls(n_evaluations=int(match[1]))
        return cls(seconds=float(match[2]) * _SECONDS[match[3]])

    def __str__(self) -> str:
        """The text that `parse` reads."""
        return str(self.n_evaluations) if self.seconds is None else f"{self.seconds:.15g}s"


DEFAULT_BUDGET = Budget(n_evaluations=60)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, read once."""

    lock: Path | None
    """The lock that was named; None: look for it, see `find_lock`."""
    mode: Mode
    """What to do on a miss; `Mode.OFF` also if CC_AGENT_DISABLE is set."""
    budget: Budget
    """What a search may spend on one translation unit."""
    trust: Trust
    """How far a plan must be established to be kept."""
    test_seconds: float
    """For the test of one function, in seconds; 0: functions are not tested."""
    test_coverage: float
    """The share of its edges that a function's test must reach to count, 0 to 1."""
    log: Path | None
    """Where the line per compilation goes; None: nowhere."""
    llvm: Path | None
    """The prefix of the LLVM that was named; None: look for it."""
    python: Path
    """The interpreter that runs this package."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads CC_AGENT_*; an empty variable is the same as none.

        Args:
            environment: What to read instead of the process's own environment.

        Raises:
            ConfigurationError: A variable's value makes no sense; the message names it.
        """
        source = _environment(environment)
        return cls(
            lock=_path(source, "CC_AGENT_LOCK"),
            mode=_mode(source),
            budget=_budget(source),
            trust=_trust(source),
            test_seconds=_test_seconds(source),
            test_coverage=_test_coverage(source),
            log=_path(source, "CC_AGENT_LOG"),
            llvm=_path(source, "CC_AGENT_LLVM"),
            python=_path(source, "CC_AGENT_PYTHON") or Path(sys.executable),
        )


DEFAULT_MODEL = "claude-sonnet-5-5"


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How the language model is reached. The keys are for the connection only: they are in no text of ours."""

    name: str
    """The model's name."""
    base_url: str
    """The server's address; empty: Anthropic's own."""
    prices: Path | None
    """The price table that was named; None: the one of this package."""
    api_key: str = field(repr=False, default="")
    """ANTHROPIC_API_KEY; empty: none."""
    auth_token: str = field(repr=False, default="")
    """ANTHROPIC_AUTH_TOKEN, as gateways give it, used where there is no key; empty: none."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> ModelSettings:
        """Reads CC_AGENT_MODEL, CC_AGENT_PRICES and ANTHROPIC_*; an empty variable is the same as none."""
        source = _environment(environment)
        return cls(
            name=source.get("CC_AGENT_MODEL", "") or DEFAULT_MODEL,
            base_url=source.get("ANTHROPIC_BASE_URL", ""),
            prices=_path(source, "CC_AGENT_PRICES"),
            # A key that was read from a file may end in a newline, which no HTTP header can hold.
            api_key=source.get("ANTHROPIC_API_KEY", "").strip(),
            auth_token=source.get("ANTHROPIC_AUTH_TOKEN", "").strip(),
        )


def user_cache_directory(environment: Mapping[str, str] | None = None) -> Path:
    """Where evaluations and the locks of sources without one of their own are kept; it may not exist yet."""
    source = _environment(environment)
    named = _path(source, "CC_AGENT_CACHE")
    if named is not None:
        return named
    xdg = source.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):  # the XDG specification says to ignore a relative one
        return Path(xdg) / "cc-agent"
    home = source.get("HOME", "")
    return Path(home) / ".cache" / "cc-agent" if home else Path(platformdirs.user_cache_dir("cc-agent"))


def native_directory(environment: Mapping[str, str] | None = None) -> Path:
    """Where bin/cc-agent and lib/cc-agent.so are."""
    return _path(_environment(environment), "CC_AGENT_NATIVE") or _REPOSITORY / "build" / "native"


def native_file(name: str, *, target: str = "setup") -> Path:
    """A file of the native component.

    Args:
        name: As in "bin/cc-agent".
        target: What make is to build where it is missing.

    Raises:
        ToolchainError: It is not built.
    """
    path = native_directory() / name
    if not path.is_file():
        raise ToolchainError(f"{path} is not built", hint=f"run `make {target}`")
    return path


def find_lock(source: str | os.PathLike[str], environment: Mapping[str, str] | None = None) -> Path:
    """The lock of a source file, by the rule that the launcher has too.

    CC_AGENT_LOCK if it is set; else the nearest `cc-agent.lock` in the source's directory or one above it, by the path
    as it is written (symbolic links are not resolved); else the one in the user's cache.

    Args:
        source: The source file; it need not exist.
        environment: What to read instead of the process's own environment.

    Returns:
        The absolute path; the file need not exist.
    """
    named = _path(_environment(environment), "CC_AGENT_LOCK")
    if named is not None:
        return named
    for directory in Path(os.path.abspath(source)).parents:
        candidate = directory / LOCK_NAME
        if candidate.is_file() and _is_trusted(candidate, source):
            return candidate
    return user_cache_directory(environment) / LOCK_NAME


def _is_trusted(lock: Path, source: str | os.PathLike[str]) -> bool:
    """Whether its owner may decide what code is made of a source; anybody can leave a lock in a directory like /tmp."""
    owners = {0, os.geteuid()}
    with contextlib.suppress(OSError):
        owners.add(os.stat(source).st_uid)
    return lock.stat().st_uid in owners


def child_environment(**changes: str | None) -> dict[str, str]:
    """Our own environment for a program that we start, with changes; None removes a variable."""
    result = dict(os.environ)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result


def search_path(environment: Mapping[str, str] | None = None) -> str:
    """The PATH on which programs are looked for."""
    return _environment(environment).get("PATH", os.defpath)


def _environment(environment: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environment is None else environment


def _path(source: Mapping[str, str], name: str) -> Path | None:
    text = source.get(name, "")
    return Path(os.path.abspath(text)) if text else None


def _mode(source: Mapping[str, str]) -> Mode:
    if source.get("CC_AGENT_DISABLE", "") not in ("", "0"):
        return Mode.OFF
    text = source.get("CC_AGENT_MODE", "") or Mode.TUNE.value
    try:
        return Mode(text)
    except ValueError:
        known = ", ".join(mode.value for mode in Mode)
        raise ConfigurationError(f"CC_AGENT_MODE={text} is not a mode", hint=f"one of: {known}") from None


def _budget(source: Mapping[str, str]) -> Budget:
    text = source.get("CC_AGENT_BUDGET", "")
    try:
        return Budget.parse(text) if text else DEFAULT_BUDGET
    except UsageError as error:
        raise ConfigurationError(f"CC_AGENT_BUDGET: {error.message}", hint=error.hint) from None


def _trust(source: Mapping[str, str]) -> Trust:
    text = source.get("CC_AGENT_TRUST", "") or Trust.TESTED.value
    try:
        return Trust(text)
    except ValueError:
        raise ConfigurationError(
            f"CC_AGENT_TRUST={text} is not a degree of trust", hint=f"one of: {', '.join(Trust)}"
        ) from None


def _test_seconds(source: Mapping[str, str]) -> float:
    text = source.get("CC_AGENT_TEST_SECONDS", "")
    if not re.fullmatch(r"(\d+(\.\d+)?)?", text):
        raise ConfigurationError(f"CC_AGENT_TEST_SECONDS={text} is not a number of seconds", hint="as 2, or 0.5")
    return float(text) if text else DEFAULT_TEST_SECONDS


def _test_coverage(source: Mapping[str, str]) -> float:
    text = source.get("CC_AGENT_TEST_COVERAGE", "")
    if not re.fullmatch(r"(0|1|0?\.\d+|[01]\.0*)?", text):
        raise ConfigurationError(f"CC_AGENT_TEST_COVERAGE={text} is not a share of a function's edges", hint="as 0.5")
    return float(text) if text else DEFAULT_TEST_COVERAGE
