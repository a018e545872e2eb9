"""`compiler-agent verify`: does every plan of a lock still apply, still win, and still pass?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.records import Record, recall
from compiler_agent.app.verification import Demands, confirm, establish
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.lock import Lock
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.base.trust import FunctionRecord, Trust
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
    trust: Trust | None = None
    """How far it is established now; a program's test is taken from the lock, not run again."""
    functions: Mapping[str, FunctionRecord] = dataclasses.field(default_factory=dict)
    """What was shown for each function now."""


def verify_lock(
    path: Path,
    records: Mapping[str, Record] | None = None,
    *,
    demands: Demands | None = None,
    on_finding: Callable[[Finding], None] = lambda finding: None,
) -> list[Finding]:
    """Judges every entry again.

    Args:
        path: The lock.
        records: How each key is compiled; what is missing there is looked up in the user's cache.
        demands: What an entry needs to stay; by default what it needs to be kept at all.
        on_finding: Told of each entry as soon as it is judged.
    """
    findings = []
    for key, entry in sorted(Lock.load(path).plans.items()):
        finding = verify_entry(key, entry, (records or {}).get(key) or recall(key), demands or Demands())
        on_finding(finding)
        findings.append(finding)
    return findings


def verify_entry(key: str, entry: LockEntry, record: Record | None, demands: Demands) -> Finding:
    """Judges one entry again: the same command, the same plan, a fresh compiler, all functions."""
    program_tested = entry.evidence.differential_test is not None
    demands = dataclasses.replace(demands, program_follows=program_tested)

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
                allow_experimental=True,  # the ledger says whether it may stay
            )
            evaluation = evaluator.evaluate(Plan.parse(entry.plan), fresh=True)
            verdict, reason = evaluation.verdict, evaluation.reason
            if verdict.may_be_kept and not confirm(record, engine, evaluation):
                verdict, reason = Verdict.NOT_ESTABLISHED, "a real compilation does not give the measured object"
            made = finding(verdict, reason, evaluator.baseline_value, evaluation.value)
            if not verdict.may_be_kept:
                return made
            ledger = establish(record, evaluator, evaluation, demands)
            verdict, reason = demands.verdict(ledger)
            trust = ledger.trust
            if program_tested and not ledger.refutation and (trust is None or not trust.satisfies(Trust.TESTED)):
                trust = Trust.TESTED
                reason = reason or "tested by the program's test of the tune, which is not run again here"
            return dataclasses.replace(
                made, verdict=verdict, reason=reason, trust=trust, functions=dict(ledger.functions)
            )
    except CompilerAgentError as error:
        return finding(Verdict.NOT_ESTABLISHED, str(error))
