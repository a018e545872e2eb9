"""The figures of planted faults: what was caught, of which kind, in which library, and the honest lower bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_mutants_judge import PROVERS, Answer, Truth, verdict_of
from compiler_agent.base.journal import Journal
from compiler_agent.base.trust import DEFAULT_TEST_COVERAGE

TARGET_RATE = 0.95
TARGET_MUTANTS = 1000
TARGET_FUNCTIONS = 30
IDENTICAL = "object"
"""How a mutant is known to be equivalent that has clang's own object, byte for byte."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of mutants with different objects."""

    caught: int
    """An alarm."""
    refused: int
    """Not established: a plan would not be kept, but nobody said that it is wrong."""
    wrong: int
    """Let through, and an input shows that it is wrong."""
    undecided: int
    """Let through, and neither shown equivalent nor wrong."""
    equivalent: dict[str, int]
    """Shown to be no mistake after all, by whom; those were not tested. `IDENTICAL` ones are not in `total`."""
    own_tests: int
    """Of refused and wrong: those with which the library's own tests fail, as far as they were run."""
    untested: int
    """Not tested yet, and not shown equivalent."""
    unreached: int
    """Of wrong and undecided: those to whose site no input gets, as far as was looked."""

    @property
    def tested(self) -> int:
        """All that the tester was asked about."""
        return self.caught + self.refused + self.wrong + self.undecided

    @property
    def total(self) -> int:
        """All mutants with an object of their own."""
        return self.tested + self.untested + sum(n for how, n in self.equivalent.items() if how != IDENTICAL)

    @property
    def rate(self) -> float | None:
        """Caught ÷ (caught + refused + let through and really wrong)."""
        return _share(self.caught, self.caught + self.refused + self.wrong)

    @property
    def rate_where_tested(self) -> float | None:
        """Caught ÷ (caught + let through and really wrong)."""
        return _share(self.caught, self.caught + self.wrong)

    @property
    def rate_with_own_tests(self) -> float | None:
        """(Caught, or the library's own tests fail) ÷ (caught + refused + let through and really wrong).

        It flatters: of what is undecided, own tests only ever count what they find.
        """
        return _share(self.caught + self.own_tests, self.caught + self.refused + self.wrong)

    @property
    def lower_bound(self) -> float | None:
        """Caught ÷ all that were tested: what is undecided counts as missed."""
        return _share(self.caught, self.tested)

    @property
    def kept_out(self) -> float | None:
        """(Caught + refused) ÷ all that were tested: the least share that would not have got into a build."""
        return _share(self.caught + self.refused, self.tested)


def tally(rows: Iterable[dict[str, Any]]) -> Tally:
    """Counts mutants: rows as `mutants` gives them."""
    found = list(rows)
    fates = Counter(row["fate"] for row in found)
    known = Counter(row["prover"] for row in found if row["fate"] == "equivalent")
    return Tally(
        caught=fates["caught"],
        refused=fates["refused"],
        wrong=fates["wrong"],
        undecided=fates["undecided"],
        equivalent={how: known[how] for how in (IDENTICAL, *PROVERS)},
        own_tests=sum(row["own_tests"] != "" and row["fate"] in ("refused", "wrong") for row in found),
        untested=fates["untested"],
        unreached=sum(row["fate"] in ("wrong", "undecided") and row["reached"] is False for row in found),
    )


def mutants(made: Journal, tests: Journal, n_mutants: int) -> list[dict[str, Any]]:
    """The first mutants: what each is, what became of it (`fate`), and what was shown of it."""
    rows: list[dict[str, Any]] = []
    n_kept = 0
    for key, row in made.rows("made"):
        if n_kept == n_mutants:
            break
        n_kept += row["fate"] == "kept"
        base = {**row, "key": key, "prover": "", "how": "", "judged": "", "reached": None, "answer": "", "seconds": 0.0,
                "own_tests": _own_tests_failed(key, made)}  # fmt: skip
        if row["fate"] == "identical":
            rows.append({**base, "fate": "equivalent", "prover": IDENTICAL})
        elif row["fate"] == "kept":
            rows.append({**base, **_fate(key, made, tests)})
    return rows


def _fate(key: str, made: Journal, tests: Journal) -> dict[str, Any]:
    verdict, tested = verdict_of(made, key), tests.get("tested", key)
    found: dict[str, Any] = {"prover": verdict.prover, "how": verdict.how, "judged": verdict.how}
    if tested is not None:
        found |= {name: tested[name] for name in ("answer", "seconds", "coverage", "n_inputs")}
    if verdict.truth is Truth.EQUIVALENT:
        return {**found, "fate": "equivalent"}
    if tested is None:
        return {**found, "fate": "untested"}
    if tested["answer"] == Answer.ALARM.value:
        return {**found, "fate": "caught"}
    if tested["answer"] == Answer.NOT_ESTABLISHED.value:
        return {**found, "fate": "refused", "how": tested["reason"]}
    if 0 <= tested["coverage"] < DEFAULT_TEST_COVERAGE:  # the ledger's rule: no evidence
        return {**found, "fate": "refused", "how": f"tested with {tested['coverage']:.0%} of its edges"}
    confirmed = tests.get("confirmed", key)
    if confirmed is not None:
        found["reached"] = confirmed["reached"]
        if confirmed["wrong"]:
            return {**found, "fate": "wrong", "prover": "tester", "how": confirmed["how"]}
    failed = _own_tests_failed(key, made)
    if verdict.truth is Truth.UNDECIDED and failed:
        return {**found, "fate": "wrong", "prover": "own tests", "how": failed}
    return {**found, "fate": "wrong" if verdict.truth is Truth.WRONG else "undecided"}


def _own_tests_failed(key: str, made: Journal) -> str:
    """How the library's own tests fail with a mutant; empty: they do not, or were not run."""
    row = made.get("programs", key)
    return str(row["reason"]) if row is not None and row["answer"] == Answer.ALARM.value else ""


def contradictions(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Mutants of which two that should know say the opposite: a bug of ours, to be looked at."""
    found = []
    for row in rows:
        if row["judged"].startswith("CONTRADICTION"):
            found.append(f"{row['key']}: {row['judged']}")
        if row["fate"] == "equivalent" and row["answer"] == Answer.ALARM.value:
            found.append(f"{row['key']}: an alarm, and equivalent by {row['prover']}: {row['how']}")
        if row["fate"] == "equivalent" and row["own_tests"]:
            found.append(f"{row['key']}: {row['own_tests']}; and equivalent by {row['prover']}: {row['how']}")
    return found


def misses(rows: list[dict[str, Any]]) -> list[str]:
    """The targets that were missed, as sentences."""
    whole = tally(rows)
    found = [f"contradiction: {one}" for one in contradictions(rows)]
    if whole.total < TARGET_MUTANTS:
        found.append(f"there are {whole.total} mutants, the target is {TARGET_MUTANTS}")
    if whole.untested:
        found.append(f"{whole.untested} are not tested")
    functions = {(row["unit"], row["function"]) for row in rows}
    if len(functions) < TARGET_FUNCTIONS:
        found.append(f"they are of {len(functions)} functions, the target is {TARGET_FUNCTIONS}")
    for what, rate in (("those that are wrong", whole.rate), ("all that may be wrong", whole.lower_bound)):
        if rate is None or rate < TARGET_RATE:
            found.append(f"{_percent(rate)} of {what} were caught, the target is {_percent(TARGET_RATE)}")
    return found


def render(made: Journal, tests: Journal, n_mutants: int, console: Console) -> list[dict[str, Any]]:
    """Prints the tables; returns the rows that they count."""
    rows = mutants(made, tests, n_mutants)
    own = [row for row in rows if row["prover"] != IDENTICAL]
    functions = {(row["unit"], row["function"]) for row in own}
    duplicates = sum(row["fate"] == "duplicate" for _, row in made.rows("made"))
    console.print(
        f"{len(own)} mutants of {len(functions)} functions; {len(rows) - len(own)} more have clang's own object and "
        f"{duplicates} that of another mutant"
    )
    groups: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("library", lambda row: f"{row['part']}: {row['library']}"),
        ("part", lambda row: str(row["part"])),
        ("level", lambda row: str(row["level"])),
        ("kind", lambda row: str(row["kind"])),
        ("function", lambda row: f"{row['unit']} {row['function']}"),
    ]
    for title, of in groups:
        console.print(_table(title, rows, of))
    whole = tally(rows)
    for what, share in (
        ("caught ÷ (caught + refused + wrong)", whole.rate),
        ("caught ÷ (caught + wrong)", whole.rate_where_tested),
        ("caught, or by the library's own tests ÷ (caught + refused + wrong)", whole.rate_with_own_tests),
        ("lower bound: caught ÷ (caught + refused + wrong + undecided)", whole.lower_bound),
        ("kept out of a build: (caught + refused) ÷ (caught + refused + wrong + undecided)", whole.kept_out),
    ):
        console.print(f"{what}: {_percent(share)}")
    for one in contradictions(rows):
        console.print(f"CONTRADICTION: {one}", highlight=False)
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures as JSON has them."""

    def figures(chosen: list[dict[str, Any]]) -> dict[str, Any]:
        whole = tally(chosen)
        rates = {"rate": whole.rate, "rate_where_tested": whole.rate_where_tested,
                 "rate_with_own_tests": whole.rate_with_own_tests, "lower_bound": whole.lower_bound}  # fmt: skip
        return {**asdict(whole), "total": whole.total, **rates}

    def by(name: str) -> dict[str, Any]:
        return {key: figures([row for row in rows if row[name] == key]) for key in sorted({row[name] for row in rows})}

    return {"all": figures(rows), **{name: by(name) for name in ("part", "library", "level", "kind")}}


def _table(title: str, rows: list[dict[str, Any]], of: Callable[[dict[str, Any]], str]) -> Table:
    table = Table(title=f"by {title}")
    table.add_column(title, no_wrap=True)
    for name in ("mutants", "caught", "refused", "wrong", "undecided", "unreached", "own tests",
                 *(f"= {how}" for how in PROVERS),
                 f"(= {IDENTICAL})", "untested", "rate", "c÷(c+w)", "at least"):  # fmt: skip
        table.add_column(name, justify="right")
    for name in (*sorted({of(row) for row in rows}), "all"):
        part = tally(row for row in rows if name == "all" or of(row) == name)
        counts = (part.total, part.caught, part.refused, part.wrong, part.undecided, part.unreached, part.own_tests,
                  *(part.equivalent[how] for how in (*PROVERS, IDENTICAL)), part.untested)  # fmt: skip
        table.add_row(
            name, *map(str, counts), _percent(part.rate), _percent(part.rate_where_tested), _percent(part.lower_bound)
        )
    return table


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"
