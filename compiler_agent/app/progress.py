"""The progress display of long work, on stderr: unit, best so far, evaluations per second, time left, verification."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from compiler_agent.base.config import Budget
from compiler_agent.evaluation.evaluate import Evaluation


class UnitProgress:
    """One translation unit that is being searched."""

    def __init__(self, owner: Progress, name: str) -> None:
        self._owner = owner
        self.name = name
        self.n_evaluations = 0
        self.best = 1.0
        self.verification = ""

    def evaluated(self, evaluation: Evaluation) -> None:
        """One more plan was judged."""
        self.tried(evaluation.size_ratio if evaluation.verdict.may_be_kept else None)

    def tried(self, ratio: float | None) -> None:
        """One more plan was judged: how many times better it is than the baseline, if it may be kept."""
        self.n_evaluations += 1
        if ratio is not None:
            self.best = max(self.best, ratio)
        self._owner.changed()

    def verified(self, done: int, of: int) -> None:
        """Of the functions that a plan changed, so many have been proved or tested."""
        self.verification = f"verification: {done} of {of} functions"

    def done(self) -> None:
        """Search and verification have ended."""
        self._owner.finished(self)


class Progress:
    """Shows the units in work on a terminal, and a line for each finished unit everywhere. Use as a context manager."""

    def __init__(self, budget: Budget, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._n_units, self._budget = 0, budget
        self._running: list[UnitProgress] = []
        self._n_done = self._n_evaluations = 0
        self._start = time.monotonic()
        self._turn = threading.Lock()
        self._live = Live(console=self._console, refresh_per_second=4, transient=True, get_renderable=self._render)

    def expect(self, n_units: int) -> None:
        """So many units will be searched."""
        with self._turn:
            self._n_units = n_units

    def unit(self, name: str) -> UnitProgress:
        """A unit whose search begins."""
        shown = UnitProgress(self, name)
        with self._turn:
            self._running.append(shown)
        return shown

    def changed(self) -> None:
        """One more evaluation."""
        with self._turn:
            self._n_evaluations += 1

    def say(self, text: str) -> None:
        """A line above the display."""
        self._console.print(text, highlight=False, markup=False)

    def finished(self, unit: UnitProgress) -> None:
        """A unit's search has ended."""
        with self._turn:
            self._running.remove(unit)
            self._n_done += 1
            n_done = self._n_done
        self._console.print(
            f"[{n_done}/{self._n_units}] {unit.name}: best {unit.best:.4f} after {unit.n_evaluations} evaluations",
            highlight=False,
            markup=False,
        )

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def _render(self) -> Table:
        seconds = time.monotonic() - self._start
        with self._turn:
            done, evaluations, running = self._n_done, self._n_evaluations, list(self._running)
        rate = evaluations / seconds if seconds else 0.0
        table = Table(box=None, show_header=True, header_style="bold")
        for title in ("unit", "best so far", "evaluations"):
            table.add_column(title)
        for unit in running:
            table.add_row(unit.name, f"{unit.best:.4f}", unit.verification or str(unit.n_evaluations))
        left = "?"
        if self._budget.n_evaluations is not None and rate:
            left = f"{max(0.0, self._n_units * self._budget.n_evaluations - evaluations) / rate:.0f} s"
        state = f"{done}/{self._n_units} units done" if self._n_units else "the build is recorded"
        table.add_row(state, f"{rate:.1f} evaluations/s", f"time left {left}")
        return table
