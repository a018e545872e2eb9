"""What a campaign found, from its journal, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from compiler_agent.app.campaign import DIFFERENT, SAME, Triage
from compiler_agent.app.campaign_plans import Kind
from compiler_agent.base.journal import Journal

_FAILURES = ("rejected", "invalid", "crash", "timeout", "memory", "error", "not-run")


def trials(journal: Journal) -> Iterator[tuple[str, dict[str, Any]]]:
    """All trials, each with its program's name."""
    for name, row in journal.rows("case"):
        for trial in row["trials"]:
            yield name, trial


def summary(journal: Journal) -> dict[str, Any]:
    """The figures, for programs."""
    cases = [row for _, row in journal.rows("case")]
    found: dict[str, Any] = {
        "programs": len(cases),
        "discarded": sum(bool(row["discarded"]) for row in cases),
        "kinds": {},
    }
    for kind in Kind:
        of_kind = [trial for _, trial in trials(journal) if trial["kind"] == kind]
        mismatches = [trial for trial in of_kind if trial["outcome"] == DIFFERENT]
        found["kinds"][kind.value] = {
            "plans": len(of_kind),
            "same": sum(trial["outcome"] == SAME for trial in of_kind),
            "different": len(mismatches),
            **{name: sum(trial["outcome"] == name for trial in of_kind) for name in _FAILURES},
            "triage": {name.value: sum(trial["triage"] == name for trial in mismatches) for name in Triage},
            "confirmed_by_pass": _count(
                trial["culprit"] for trial in mismatches if trial["triage"] == Triage.CONFIRMED
            ),
            "failures_by_pass": _count(
                f"{trial['outcome']}: {trial['culprit'] or 'no pass named'}"
                for trial in of_kind
                if trial["outcome"] in _FAILURES
            ),
        }
    return found


def render(journal: Journal, title: str, console: Console) -> None:
    """Prints the tables."""
    figures = summary(journal)
    console.print(
        f"{title}: {figures['programs']} programs, {figures['discarded']} of them not suitable", highlight=False
    )
    table = Table()
    for column in ("plans", "tried", "same", *_FAILURES, "mismatches", *(name.value for name in Triage)):
        table.add_column(column, justify="left" if column == "plans" else "right")
    for kind, row in figures["kinds"].items():
        values = [
            row["plans"],
            row["same"],
            *(row[name] for name in _FAILURES),
            row["different"],
            *row["triage"].values(),
        ]
        table.add_row(kind, *map(str, values))
    console.print(table)
    for kind, row in figures["kinds"].items():
        for words, counts in (("confirmed miscompiles", "confirmed_by_pass"), ("failures", "failures_by_pass")):
            if row[counts]:
                console.print(f"\n{kind}, {words} by pass:", highlight=False)
                for name, count in row[counts].items():
                    console.print(f"  {count:>5}  {name}", highlight=False, markup=False)
    for name, trial in trials(journal):
        if trial["report"]:
            console.print(
                f"{name}: {trial['culprit']}: {trial['report']}", highlight=False, markup=False, soft_wrap=True
            )
        elif trial["outcome"] == DIFFERENT:
            words = f"{name}: {trial['triage']}: {trial['message']}: {trial['plan']}"
            console.print(words, highlight=False, markup=False, soft_wrap=True)


def _count(names: Iterator[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())
