"""What a tune notes in the store: what became of each plan, what the unit is like, and how to read that later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from compiler_agent.app.verification import Demands, Verified
from compiler_agent.base.store import Store, StoredEvaluation, StoredUnit
from compiler_agent.base.trust import Trust
from compiler_agent.evaluation.evaluate import Evaluation, Evaluator, Verdict
from compiler_agent.llvm.toolchain import Toolchain

# What the store says of plans that were better and are not trusted enough: what was demanded, then the reason.
_BELOW = re.compile(r"below trust (\w+)(?: \(([\d.]+) s, coverage ([\d.]+)\))?: ")


def keep_outcomes(
    store: Store, toolchain: Toolchain, evaluator: Evaluator, source: str, evaluations: Iterable[Evaluation]
) -> None:
    """Notes what was tried on a unit, and what the unit is like: other searches can begin with what worked here."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    engine, baseline = evaluator.engine, evaluator.baseline
    store.put_many(_stored(engine.key, toolchain, evaluation, now) for evaluation in evaluations)
    store.put_unit(
        StoredUnit(
            engine.key,
            toolchain.digest,
            engine.target,
            source,
            engine.features,
            baseline.text_bytes,
            baseline.object_bytes,
            baseline.ir_instructions,
            now,
        )
    )


def gives_nothing(row: StoredEvaluation, demands: Demands) -> bool:
    """Whether what the store says of a plan is that it would not be kept again: no less is demanded now."""
    if below := _BELOW.match(row.message):
        seconds, coverage = float(below[2] or 0), float(below[3] or 0)
        return (
            demands.trust.satisfies(Trust(below[1]))
            and demands.test_seconds <= seconds
            and demands.test_coverage >= coverage
        )
    return row.outcome != Verdict.ESTABLISHED.value


def refused_plans(verified: Verified, ranked: Sequence[Evaluation], demands: Demands) -> list[Evaluation]:
    """What the store is to say of plans that won and may not be kept: where none is kept, of all that won."""
    rows = {str(one.plan): one for one in ranked} if verified.kept is None and verified.refused else {}
    rows |= {str(one.plan): one for one in verified.refused}
    below = f"below trust {demands.trust} ({demands.test_seconds:g} s, coverage {demands.test_coverage:g}): "
    return [
        one
        if one.verdict is Verdict.MISCOMPILED
        else replace(one, verdict=Verdict.NOT_ESTABLISHED, reason=f"{below}{one.reason or 'not tried'}")
        for one in rows.values()
    ]


def _stored(key: str, toolchain: Toolchain, evaluation: Evaluation, now: str) -> StoredEvaluation:
    measured = evaluation.measurement
    return StoredEvaluation(
        key=key,
        toolchain=toolchain.digest,
        plan_sha256=evaluation.plan.sha256,
        plan=str(evaluation.plan),
        outcome=evaluation.verdict.value,
        message=evaluation.reason,
        text_bytes=measured.text_bytes,
        object_bytes=measured.object_bytes,
        ir_instructions=measured.ir_instructions,
        seconds=measured.wall_time_s,
        created=now,
    )
