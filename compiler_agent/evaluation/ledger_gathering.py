"""What is found out about the functions that a plan changes: the provers are asked first, then the tester."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from compiler_agent.base.trust import Checker, FunctionRecord, Strength, edges_wanted
from compiler_agent.evaluation.function_test import FunctionEvidence, FunctionOutcome
from compiler_agent.evaluation.ledger_checks import Checks
from compiler_agent.evaluation.validate import FunctionVerdict, Outcome

_GROUP = 16
"""Functions that are tested by one process: its start takes as long as the test of one or two."""


class Gathering:
    """Evidence for the functions that a plan changes, as it comes in."""

    def __init__(self, work: Checks, should_stop: Callable[[], bool], on_function: Callable[[int, int], None]) -> None:
        self.changed = work.comparison.differing
        self.refuted: dict[str, str] = {}  # and how
        self._work = work
        self._should_stop = should_stop
        self._on_function = on_function
        self._records: dict[str, FunctionRecord] = {}
        self._doubts: dict[str, FunctionVerdict] = {}
        self._hopeless = ""  # a function whose second failure ends the tests

    def prove(self, names: Sequence[str], seconds: float) -> None:
        """Asks the provers, with so many seconds for each function."""
        for verdict in self._work.validate(names, seconds, self._should_stop):
            if verdict.outcome is Outcome.REFUTED:
                self.refuted[verdict.function] = _in_words(verdict)
            elif verdict.outcome is Outcome.PROVED:
                self._records[verdict.function] = _proved(verdict)
            self._tell()
        for verdict in self._work.ask_alive(self._unsettled(names), seconds, self._should_stop):
            if verdict.outcome is Outcome.PROVED:
                self._records[verdict.function] = _proved(verdict)
            elif verdict.outcome is Outcome.REFUTED:
                self._doubts[verdict.function] = verdict

    def test(self, seconds: float, seed: int, coverage: float, doubtful: Collection[str]) -> None:
        """Tests what is not settled, the doubtful ones first; arguments as for `establish`."""
        for name in self._unsettled(self._work.comparison.hidden):
            reason = "local, and called through a pointer in data: no test calls it"
            self._records[name] = _nothing(Checker.FUNCTION_TEST, reason)
        left = sorted(self._unsettled(self.changed), key=lambda name: name not in doubtful)  # else callees come first
        while left and not self.refuted and not self._hopeless and not self._should_stop():
            size = min(sum(name in doubtful for name in left) or _GROUP, _GROUP)
            group, left = left[:size], left[size:]
            for evidence in self._work.test(group, seconds, seed, self._should_stop):
                name = evidence.function
                if evidence.outcome is FunctionOutcome.REFUTED:
                    self.refuted[name] = evidence.counterexample
                record = self._records[name] = _doubted(record_of_test(evidence, coverage), self._doubts.get(name))
                if name in doubtful and record.strength is Strength.NOT_ESTABLISHED:
                    self._hopeless = self._hopeless or name
            self._tell()

    def all_records(self, interrupted: bool) -> dict[str, FunctionRecord]:
        """What was found out, by symbol, and why nothing was of the others."""
        unchanged = dict.fromkeys(
            self._work.comparison.unchanged, FunctionRecord(Strength.UNCHANGED, Checker.IDENTICAL_CODE)
        )
        differs = "data: it does not begin with what clang's own code gives it"
        data = dict.fromkeys(self._work.comparison.data, _nothing(Checker.IDENTICAL_CODE, differs))
        untried = "interrupted" if interrupted else "not tested"
        if self.refuted:
            untried = "not tested: another function is wrong"
        elif self._hopeless:
            untried = f"not tested: {self._hopeless} is not established"
        left = dict.fromkeys(self._unsettled(self.changed), _nothing(Checker.FUNCTION_TEST, untried))
        refuted = dict.fromkeys(self.refuted, _nothing(Checker.FUNCTION_TEST, "refuted"))
        return dict(sorted({**unchanged, **data, **self._records, **left, **refuted}.items()))

    def _unsettled(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name not in self._records and name not in self.refuted]

    def _tell(self) -> None:
        self._on_function(len(self.changed) - len(self._unsettled(self.changed)), len(self.changed))


def _nothing(checker: Checker, reason: str) -> FunctionRecord:
    return FunctionRecord(Strength.NOT_ESTABLISHED, checker, reason=reason)


def _proved(verdict: FunctionVerdict) -> FunctionRecord:
    return FunctionRecord(Strength.PROVED, Checker(verdict.checker), seconds=round(verdict.time_s, 1))


def record_of_test(evidence: FunctionEvidence, coverage: float) -> FunctionRecord:
    """What a test is worth where it must reach that share of a function's edges, 0 to 1."""
    counts, wanted, reason = evidence.outcome is FunctionOutcome.TESTED, 0, evidence.reason
    if counts:
        wanted = edges_wanted(evidence.edges, coverage)
        if evidence.n_inputs == 0:
            counts, reason = False, "no input was compared"
        elif evidence.edges_covered < wanted:
            counts, reason = False, f"{evidence.edges_covered} of {evidence.edges} edges reached, {wanted} wanted"
    return FunctionRecord(
        strength=Strength.TESTED if counts else Strength.NOT_ESTABLISHED,
        checker=Checker.FUNCTION_TEST,
        n_inputs=evidence.n_inputs,
        edges=evidence.edges,
        edges_covered=evidence.edges_covered,
        seconds=round(evidence.seconds, 1),
        seed=evidence.seed,
        reason=reason,
        edges_wanted=wanted,
    )


def _doubted(record: FunctionRecord, doubt: FunctionVerdict | None) -> FunctionRecord:
    """What a test is worth where alive-tv calls the function incorrect: its inputs may just not show it."""
    if doubt is None or record.strength is not Strength.TESTED:
        return record
    return replace(
        record,
        strength=Strength.NOT_ESTABLISHED,
        checker=Checker.ALIVE2,
        reason=f"{_in_words(doubt)}, which {record.n_inputs} inputs of the function test do not show",
    )


def _in_words(verdict: FunctionVerdict) -> str:
    inputs = ", ".join(f"{name} = {value}" for name, value in verdict.counterexample)
    return f"{verdict.checker}: {verdict.reason}" + (f" for {inputs}" if inputs else "")
