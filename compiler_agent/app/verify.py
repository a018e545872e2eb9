"""`compiler-agent verify`: does every plan of a lock still apply, still win, and still pass?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.records import Record, recall
from compiler_agent.app.unit import confirm
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.lock import Lock
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.evaluation.evaluate import Evaluator, Objective, Verdict
from compiler_agent.llvm import catalog
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.plan import Plan


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry of a lock, judged again."""

    key: str
    """The entry."""
    source: str
    """Its source, as the lock names it."""
    verdict: Verdict
    """What was established now."""
    reason: str
    """Why it is not established."""
    baseline_value: int | None
    """The baseline's figure now."""
    value: int | None
    """The plan's figure now."""
    was_judged: bool = False
    """The plan itself was tried on its own source; False: it could not be, and nothing is said against it."""


def verify_lock(
    path: Path,
    records: Mapping[str, Record] | None = None,
    *,
    on_finding: Callable[[Finding], None] = lambda finding: None,
) -> list[Finding]:
    """Judges every entry again.

    Args:
        path: The lock.
        records: How each key is compiled; what is missing there is looked up in the user's cache.
        on_finding: Told of each entry as soon as it is judged.
    """
    findings = []
    for key, entry in sorted(Lock.load(path).plans.items()):
        finding = verify_entry(key, entry, (records or {}).get(key) or recall(key))
        on_finding(finding)
        findings.append(finding)
    return findings


def verify_entry(key: str, entry: LockEntry, record: Record | None) -> Finding:
    """Judges one entry again: the same command, the same plan, a fresh compiler."""

    def finding(verdict: Verdict, reason: str, baseline: int | None = None, value: int | None = None) -> Finding:
        return Finding(key, entry.source, verdict, reason, baseline, value, was_judged=baseline is not None)

    if record is None:
        return finding(
            Verdict.NOT_ESTABLISHED, "its compile command is not known here: give the build command after --"
        )
    try:
        with Engine(record.argv, record.cwd) as engine:
            if engine.key != key:
                return finding(
                    Verdict.NOT_ESTABLISHED, f"the source has changed: its key is now {engine.key}; tune again"
                )
            evaluator = Evaluator(
                engine,
                catalog.load(),
                objective=Objective(entry.objective),
                allow_experimental=entry.evidence.differential_test is not None,
            )
            evaluation = evaluator.evaluate(Plan.parse(entry.plan), fresh=True)
            verdict, reason = evaluation.verdict, evaluation.reason
            if verdict.may_be_kept and not confirm(record, engine, evaluation):
                verdict, reason = Verdict.NOT_ESTABLISHED, "a real compilation does not give the measured object"
            return finding(verdict, reason, evaluator.baseline_value, evaluation.value)
    except CompilerAgentError as error:
        return finding(Verdict.NOT_ESTABLISHED, str(error))
