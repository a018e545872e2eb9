"""The figures of planted faults: what was caught, of which kind, in which library, and the honest lower bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_journal import Journal
from compiler_agent.app.bench_mutants_judge import Answer, Truth

TARGET_RATE = 0.95
TARGET_MUTANTS = 1000


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of mutants."""

    caught: int
    """An alarm."""
    wrong: int
    """Let through, and an input shows that it is wrong."""
    undecided: int
    """Let through, and neither shown equivalent nor wrong."""
    equivalent: int
    """Let through, and shown to be no mistake after all."""
    refused: int
    """Not established: a plan would not be kept, but nobody said that it is wrong."""
    unreached: int
    """Of wrong and undecided: those to whose site no input gets."""

    @property
    def total(self) -> int:
        """All that were tested."""
        return self.caught + self.wrong + self.undecided + self.equivalent + self.refused

    @property
    def rate(self) -> float | None:
        """Caught ÷ (caught + let through and really wrong)."""
        return _share(self.caught, self.caught + self.wrong)

    @property
    def lower_bound(self) -> float | None:
        """The same with every undecided one counted as missed."""
        return _share(self.caught, self.caught + self.wrong + self.undecided)

    @property
    def lower_bound_reached(self) -> float | None:
        """The lower bound among mutants to whose site some input gets."""
        return _share(self.caught, self.caught + self.wrong + self.undecided - self.unreached)

    @property
    def strictest(self) -> float | None:
        """The lower bound with those missed too for which the function is not established."""
        return _share(self.caught, self.caught + self.wrong + self.undecided + self.refused)


def tally(rows: Iterable[dict[str, Any]]) -> Tally:
    """Counts mutants: rows as `mutants` gives them."""
    found = list(rows)

    def count(truth: Truth) -> int:
        return sum(row["answer"] == Answer.PASSED.value and row["truth"] == truth.value for row in found)

    missed = (Truth.WRONG.value, Truth.UNDECIDED.value)
    return Tally(
        caught=sum(row["answer"] == Answer.ALARM.value for row in found),
        wrong=count(Truth.WRONG),
        undecided=count(Truth.UNDECIDED),
        equivalent=count(Truth.EQUIVALENT),
        refused=sum(row["answer"] == Answer.NOT_ESTABLISHED.value for row in found),
        unreached=sum(
            row["answer"] == Answer.PASSED.value and row["truth"] in missed and row["reached"] is False for row in found
        ),
    )


def mutants(journal: Journal) -> list[dict[str, Any]]:
    """The mutants that were tested: what each is, the answer, and what it turned out to be."""
    rows = []
    for key, made in journal.rows("made"):
        tested = journal.get("tested", key)
        if made["fate"] != "kept" or tested is None:
            continue
        judged = journal.get("judged", key) or {"truth": Truth.UNDECIDED.value, "how": "not judged", "reached": None}
        rows.append({**made, **tested, **{name: judged[name] for name in ("truth", "how", "reached")}})
    return rows


def misses(whole: Tally) -> list[str]:
    """The targets that were missed, as sentences."""
    found = []
    if whole.total < TARGET_MUTANTS:
        found.append(f"{whole.total} mutants were tested, the target is {TARGET_MUTANTS}")
    if whole.rate is None or whole.rate < TARGET_RATE:
        found.append(
            f"{_percent(whole.rate)} of the really wrong ones were caught, the target is {_percent(TARGET_RATE)}"
        )
    return found


def render(journal: Journal, console: Console) -> Tally:
    """Prints the tables; returns the whole."""
    rows = mutants(journal)
    fates = [made["fate"] for _, made in journal.rows("made")]
    functions = {(row["unit"], row["function"]) for row in rows}
    console.print(
        f"{len(rows)} mutants of {len(functions)} functions tested; {fates.count('identical')} more gave the object of "
        f"the unmutated module and {fates.count('duplicate')} that of another mutant, and are left out"
    )
    groups: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("part", lambda row: str(row["part"])),
        ("library", lambda row: f"{row['library']} ({row['part']})"),
        ("level", lambda row: str(row["level"])),
        ("kind", lambda row: str(row["kind"])),
        ("function", lambda row: f"{row['unit']} {row['function']}"),
    ]
    for title, of in groups:
        console.print(_table(title, rows, of))
    whole = tally(rows)
    for what, share in (
        ("caught ÷ (caught + really wrong)", whole.rate),
        ("lower bound: undecided counted as missed", whole.lower_bound),
        ("lower bound where some input gets to the site", whole.lower_bound_reached),
        ("lower bound with functions not established counted as missed", whole.strictest),
    ):
        console.print(f"{what}: {_percent(share)}")
    return whole


def _table(title: str, rows: list[dict[str, Any]], of: Callable[[dict[str, Any]], str]) -> Table:
    table = Table(title=f"by {title}")
    table.add_column(title)
    for name in ("mutants", "caught", "wrong", "undecided", "equivalent", "refused", "unreached", "rate", "at least"):
        table.add_column(name, justify="right")
    for name in (*sorted({of(row) for row in rows}), "all"):
        part = tally(row for row in rows if name == "all" or of(row) == name)
        counts = (part.total, part.caught, part.wrong, part.undecided, part.equivalent, part.refused, part.unreached)
        table.add_row(name, *map(str, counts), _percent(part.rate), _percent(part.lower_bound))
    return table


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"
