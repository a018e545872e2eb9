"""What is in a lock, and its text.

The plugin reads the same file: it looks for the text `"KEY": {` and parses the one object that begins there, and checks
the first lines and the last one. So the layout that `print_text` makes is a part of the format.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Never, cast

from compiler_agent.base.errors import LockCorruptError, LockVersionError
from compiler_agent.base.lock_evidence import PlannerEvidence, RunTimeEvidence
from compiler_agent.base.trust import FunctionRecord, Trust

FORMAT = "cc-agent-lock"
VERSION = 1
ESTABLISHED = "established"
RUN_TIME = "run_time"
"""The objective of a plan for speed; the others are of `evaluation.evaluate.Objective`."""
_KEY = re.compile(r"[0-9a-f]{32}-O[0-9]s[0-9]")
_CONFLICT = re.compile(r"^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)", re.MULTILINE)
_MERGE_HINT = "take either side whole and run the tune again, or see docs/plan-lock.md on merging"
RESTORE_HINT = "restore it from version control, or remove it and tune again"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured, and what was checked, when a plan was accepted."""

    baseline_text_bytes: int
    """Executable sections of the object that the user's own command line gives, in bytes."""
    plan_text_bytes: int
    """Executable sections of the object with the plan, in bytes."""
    n_evaluations: int
    """Candidates that were judged to find it."""
    strategy: str
    """The search strategy's name."""
    seed: int
    """The search's seed."""
    llvm_verifier: str = "passed"
    """What the LLVM verifier said of the optimized module."""
    differential_test: Mapping[str, Any] | None = None
    """What whole-program testing was done, as JSON; None: none."""
    trust: Trust = Trust.PRODUCTION
    """How far the plan was established."""
    functions: Mapping[str, FunctionRecord] = field(default_factory=dict)
    """What was shown for each externally visible function, by symbol, and for what else of the unit can be seen."""
    planner: PlannerEvidence | None = None
    """What a language model had to do with it; None: none was asked."""
    run_time: RunTimeEvidence | None = None
    """How much faster the program is with it; None: it was not kept for its speed."""
    neighbours: tuple[str, ...] = ()
    """Keys of the past units whose plans the search began with, nearest first."""


@dataclass(frozen=True, slots=True)
class LockEntry:
    """A plan that may be replayed, and why."""

    plan: str
    """The plan's canonical text."""
    source: str
    """The source file when it was tuned; for people, nothing depends on it."""
    llvm: str
    """The version of LLVM that it was measured with, as in "22.1.8"."""
    target: str
    """The target triple."""
    evidence: Evidence
    """What the plan stands on."""
    objective: str = "text_bytes"
    """What was minimized."""
    verdict: str = ESTABLISHED
    """Always "established": nothing else may be in a lock."""

    @property
    def plan_sha256(self) -> str:
        """SHA-256 of the plan's text, in hexadecimal."""
        return hashlib.sha256(self.plan.encode()).hexdigest()

    def problem(self) -> str:
        """Why this entry may not be in a lock; empty if it may."""
        if self.verdict != ESTABLISHED:
            return f"the verdict is {self.verdict!r}; only established plans may be kept"
        if not self.plan.startswith("-passes=") or not self.plan.isprintable():
            return f"{self.plan!r} is not a plan: one line that begins with -passes="
        run_time = self.evidence.run_time
        if (self.objective == RUN_TIME) != (run_time is not None) or (run_time is not None and run_time.low <= 1):
            return "a plan for speed, and no other, has evidence of its run time, whose interval is above 1"
        return ""

    def is_better_than(self, other: LockEntry) -> bool:
        """Whether this entry should take the other's place under the same key.

        A smaller object wins; of equal ones the one that is trusted more, then the one that a whole-program test stands
        behind, and else the present one stays, so that a lock does not change for nothing. Figures of another objective
        or another LLVM cannot be compared: then the newcomer wins. Of plans for speed the one wins whose established
        speedup, the lower end of its interval, is larger; figures of another machine cannot be compared, either.
        """
        if (self.objective, self.llvm, self.target) != (other.objective, other.llvm, other.target):
            return True
        ours, theirs = self.evidence, other.evidence
        if ours.run_time is not None and theirs.run_time is not None:
            return not theirs.run_time.is_comparable(ours.run_time) or ours.run_time.low > theirs.run_time.low
        if ours.plan_text_bytes != theirs.plan_text_bytes:
            return ours.plan_text_bytes < theirs.plan_text_bytes
        if ours.trust is not theirs.trust:
            return ours.trust.satisfies(theirs.trust)
        return ours.differential_test is not None and theirs.differential_test is None


def is_key(text: str) -> bool:
    """Whether a text has the form of a key."""
    return _KEY.fullmatch(text) is not None


def print_text(plans: Mapping[str, LockEntry]) -> str:
    """The whole text of a lock: sorted, one value per line, ASCII, the same for equal plans."""
    content = {"format": FORMAT, "version": VERSION, "plans": {key: _to_json(plans[key]) for key in sorted(plans)}}
    return json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def parse(text: str, name: str) -> dict[str, LockEntry]:
    """Reads and checks the text of a lock.

    Args:
        text: The file's content.
        name: What messages call the file.

    Returns:
        The entries by key.

    Raises:
        LockCorruptError: It is not a lock, is damaged, or was edited so that a digest no longer matches.
        LockVersionError: A newer version of this project wrote it.
    """
    return _Reader(text, name).read()


class _Reader:
    """One reading of a lock; knows the text, to say in which line something is wrong."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name

    def read(self) -> dict[str, LockEntry]:
        conflict = _CONFLICT.search(self._text)
        if conflict is not None:
            self._fail("a merge conflict is not resolved", conflict.start(), _MERGE_HINT)
        try:
            content = json.loads(self._text, object_pairs_hook=self._object, parse_constant=self._constant)
        except json.JSONDecodeError as error:
            self._fail(f"not JSON, perhaps cut off: {error.msg}", error.pos)
        except (ValueError, RecursionError) as error:
            self._fail(f"not JSON: {error}", 0)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            self._fail(f'not a lock: there is no "format": "{FORMAT}"', 0)
        self._check_version(content.get("version"))
        plans = content.get("plans")
        if not isinstance(plans, dict) or len(content) != 3:
            self._fail("there must be a format, a version and plans, and nothing else", 0)
        return {key: self._entry(key, value) for key, value in plans.items()}

    def _check_version(self, version: object) -> None:
        position = max(self._text.find('"version"'), 0)
        if type(version) is not int or version < 1:
            self._fail(f"{version!r} is not a version of the format", position)
        if version > VERSION:
            raise LockVersionError(
                f"{self._where(position)}: version {version} of the format; this cc-agent knows up to {VERSION}",
                hint="install a newer cc-agent, or name another lock with CC_AGENT_LOCK",
            )

    def _entry(self, key: str, value: object) -> LockEntry:
        position = max(self._text.find(f'"{key}"'), 0)
        if not is_key(key):
            self._fail(f"{key!r} is not a key: 32 hexadecimal digits, then -O<level>s<level>", position)
        content = self._fields(value, _ENTRY_TYPES, key, position)
        content["evidence"] = self._evidence(content["evidence"], position)
        digest = content.pop("plan_sha256")
        entry = LockEntry(**content)
        if digest != entry.plan_sha256:
            hint = "the plan was edited or damaged: tune again, or judge the edited plan and keep that"
            self._fail(f"plan_sha256 of {key} is not the digest of its plan", position, hint)
        problem = entry.problem()
        if problem:
            self._fail(f"{key}: {problem}", position)
        return entry

    def _evidence(self, value: object, position: int) -> Evidence:
        if isinstance(value, dict):
            # These are there only where they say something.
            value = {"planner": None, "neighbours": [], "run_time": None, **value}
        content = self._fields(value, _EVIDENCE_TYPES, "evidence", position)
        for name, kind, types in _OPTIONAL:
            if content[name] is not None:
                fields = self._fields(content[name], types, name, position)
                try:
                    content[name] = kind(**fields)
                except (TypeError, ValueError) as error:
                    self._fail(f"{name}: {error}", position)
        if content["trust"] not in list(Trust):
            self._fail(f"evidence: trust is {content['trust']!r}", position)
        content["trust"] = Trust(content["trust"])
        functions = {}
        for symbol, record in content["functions"].items():
            try:
                functions[symbol] = FunctionRecord.from_json(record if isinstance(record, dict) else {})
            except ValueError as error:
                self._fail(f"evidence of {symbol}: {error}", max(self._text.find(json.dumps(symbol), position), 0))
        content["functions"] = functions
        for key in content["neighbours"]:
            if not isinstance(key, str) or not is_key(key):
                self._fail(f"evidence: {key!r} in neighbours is not a key", position)
        content["neighbours"] = tuple(content["neighbours"])
        return Evidence(**content)

    def _fields(self, value: object, types: Mapping[str, Any], what: str, position: int) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._fail(f"{what} is not an object", position)
        for name in types.keys() ^ value.keys():
            self._fail(f"{what}: {name!r} is {'missing' if name in types else 'unknown'}", position)
        for name, expected in types.items():
            if not isinstance(value[name], expected) or isinstance(value[name], bool):
                self._fail(f"{what}: {name} is {value[name]!r}", position)
        return dict(value)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, value in pairs:
            if name in result:
                self._fail(f"{name!r} is there twice", self._text.rfind(f'"{name}"'), _MERGE_HINT)
            result[name] = value
        return result

    def _constant(self, text: str) -> Never:
        self._fail(f"{text} is not JSON", self._text.find(text))

    def _where(self, position: int) -> str:
        line = self._text.count("\n", 0, position) + 1
        return f"{self._name}:{line}"

    def _fail(self, what: str, position: int, hint: str = RESTORE_HINT) -> Never:
        raise LockCorruptError(f"{self._where(position)}: {what}", hint=hint)


_ENTRY_TYPES: dict[str, Any] = {
    "evidence": dict,
    "llvm": str,
    "objective": str,
    "plan": str,
    "plan_sha256": str,
    "source": str,
    "target": str,
    "verdict": str,
}
_EVIDENCE_TYPES: dict[str, Any] = {
    "baseline_text_bytes": int,
    "plan_text_bytes": int,
    "n_evaluations": int,
    "strategy": str,
    "seed": int,
    "llvm_verifier": str,
    "differential_test": dict | None,
    "trust": str,
    "functions": dict,
    "planner": dict | None,
    "neighbours": list,
    "run_time": dict | None,
}
_PLANNER_TYPES: dict[str, Any] = {
    "model": str,
    "proposed_by": str,
    "expected": str,
    "rationale": str,
    "calls": int,
    "tokens": int,
    "cache_read_tokens": int,
    "cost_usd": float | int | None,
}
_RUN_TIME_TYPES: dict[str, Any] = {
    "speedup": float | int,
    "low": float | int,
    "high": float | int,
    "n_samples": int,
    "n_layouts": int,
    "baseline": str,
    "machine": str,
    "profile_sha256": str | None,
    "front": list,
}
_OPTIONAL: tuple[tuple[str, Any, dict[str, Any]], ...] = (
    ("planner", PlannerEvidence, _PLANNER_TYPES),
    ("run_time", RunTimeEvidence, _RUN_TIME_TYPES),
)


def _to_json(entry: LockEntry) -> dict[str, Any]:
    content = {name: getattr(entry, name) for name in _ENTRY_TYPES}
    evidence = {name: getattr(entry.evidence, name) for name in _EVIDENCE_TYPES}
    evidence["functions"] = {symbol: record.to_json() for symbol, record in entry.evidence.functions.items()}
    for name, _, _ in _OPTIONAL:
        value = evidence.pop(name)
        if value is not None:
            evidence[name] = asdict(value)
    if not evidence["neighbours"]:
        del evidence["neighbours"]
    content["evidence"] = evidence
    return cast(dict[str, Any], _sorted(content))


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value
