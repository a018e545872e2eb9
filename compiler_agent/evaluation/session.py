"""One program's candidates, compared with its baseline one after the other as a search proposes them.

A session begins by measuring the program against itself, which must find nothing and says how noisy pairs are. What is
claimed over all its candidates holds together: the expected share of false ones among the gains is limited. The figure
that is reported of a gain is measured again (`confirm`), since the best of many looks better than it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.evaluation import cautions, stats
from compiler_agent.evaluation.cautions import Caution
from compiler_agent.evaluation.executor import Executor
from compiler_agent.evaluation.layout import Layouts
from compiler_agent.evaluation.machine import Load, load_now
from compiler_agent.evaluation.measure import Comparison, Rule, Stopping, compare
from compiler_agent.evaluation.pairing import DEFAULT_SETTINGS, Baseline, Outcome, Settings
from compiler_agent.evaluation.samples import SampleFile

ITSELF = "itself"
"""The last word of the name, among raw times, of a session's program against itself."""
_SELF_PAIRS = 20
_SELF_LEVEL = 0.01
"""A session that is refused without need is a nuisance, so this is stricter than what claims are held to."""


@dataclass
class Session:
    """Make one with `start`."""

    baseline: Baseline
    """What candidates are compared with."""
    itself: Comparison
    """The baseline against itself."""
    seed: int
    """Of all that is drawn."""
    n_candidates: int
    """So many are tried at most: the evidence that a claim needs depends on it."""
    fresh: Sequence[Executor]
    """Workloads of other sizes, for candidates that look too good."""
    samples: SampleFile | None
    """Where raw times are kept."""
    name: str
    """Names the session in that file."""
    clock: Callable[[], float]
    """In seconds."""
    load: Callable[[], Load]
    """The machine's load."""
    scale: float = field(init=False)
    """Noise of a pair: standard deviation of its log ratio."""
    tried: dict[str, Comparison] = field(init=False, default_factory=dict)
    """What was found, by the candidates' names."""
    verified: dict[str, str] = field(init=False, default_factory=dict)
    """Why candidates that look too good are believed nevertheless, by name."""

    def __post_init__(self) -> None:
        self.scale = stats.noise_scale([pair.log_ratio for pair in self.itself.pairs])

    @classmethod
    def start(
        cls,
        layouts: Layouts,
        executor: Executor,
        settings: Settings = DEFAULT_SETTINGS,
        *,
        name: str,
        seed: int = 0,
        n_candidates: int = 100,
        fresh: Sequence[Executor] = (),
        samples: SampleFile | None = None,
        clock: Callable[[], float] = time.monotonic,
        load: Callable[[], Load] = load_now,
    ) -> Session:
        """Measures the program against itself.

        Args:
            layouts: The baseline's executables.
            executor: Runs the workload.
            settings: How much is measured.
            name: Names it among the raw times: the program, and what tells this session from others.
            seed: Of orders, layouts and environments.
            n_candidates: Most that will be tried.
            fresh: Workloads of other sizes; candidates that look too good are verified on all of them.
            samples: Where raw times are kept; None: nowhere.
            clock: In seconds.
            load: The machine's load.

        Raises:
            NotEstablished: The program fails or cannot be measured, or it differs from itself here; the hint says what
                to do.
        """
        baseline = Baseline.establish(layouts, executor, settings)
        short = replace(baseline, n_pairs=min(baseline.n_pairs, _SELF_PAIRS))
        rule = Rule(log_needed=stats.log_needed(_SELF_LEVEL), stopping=Stopping.NEVER)
        itself = compare(short, layouts, rule, seed=f"{seed}/{ITSELF}", clock=clock, load=load)
        session = cls(baseline, itself, seed, n_candidates, fresh, samples, name, clock, load)
        session._note(ITSELF, itself)
        if itself.outcome is not Outcome.NOT_SHOWN:
            also = "".join(f"; {caution}" for caution in itself.cautions)
            raise NotEstablished(
                f"this machine cannot be trusted now: measured against itself, {executor.workload.command} is "
                f"{itself.reason}{also}",
                hint="stop what else runs, wait until the clock rate has settled, and try again; "
                "on a shared virtual machine take one with cores of its own",
            )
        return session

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """What the program against itself says about this machine and workload."""
        return (*self.itself.cautions, *cautions.of_noise(self.scale))

    def compare(self, name: str, candidate: Layouts) -> Comparison:
        """Tries a candidate: ends early where a gain is shown, or none can be expected any more.

        A candidate that looks too good is verified on the fresh workloads, if there are any.

        Args:
            name: Of the candidate, as the plan's text; each is tried once.
            candidate: Its executables.

        Raises:
            UsageError: More candidates than planned, or one for the second time.
            NotEstablished: The baseline did something else than before.
            ToolError: The candidate does not link.
        """
        if len(self.tried) >= self.n_candidates or name in self.tried:
            raise UsageError(
                f"{name} is the second of its name or one more than the {self.n_candidates} candidates of this session",
                hint="start a session for more candidates: what a claim needs depends on their number",
            )
        n_found = sum(one.outcome.permits for one in self.tried.values())
        log_needed = stats.log_needed(self.baseline.settings.level, self.n_candidates, n_found + 1)
        rule = Rule(self.scale, log_needed, Stopping.GAINS)
        found = self._compare(self.baseline, candidate, rule, name)
        self.tried[name] = found = self._verify(name, candidate, found)
        return found

    def measure(self, name: str, candidate: Layouts, stopping: Stopping = Stopping.NEVER) -> Comparison:
        """Measures one by itself, in the layouts of the search: for a choice, never for a claim.

        Args:
            name: Of the comparison, among the raw times.
            candidate: Its executables.
            stopping: When it may end early.
        """
        return self._compare(self.baseline, candidate, self._alone(stopping), name)

    def kept(self) -> list[str]:
        """Names of the candidates that may be said to be faster, the strongest evidence first.

        The expected share of false ones among them is at most the settings' level.
        """
        evidence = [one.log_evidence if one.outcome.permits else -math.inf for one in self.tried.values()]
        chosen = stats.discoveries(evidence, self.baseline.settings.level, self.n_candidates)
        names = [name for name, keep in zip(self.tried, chosen, strict=True) if keep]
        return sorted(names, key=lambda name: -self.tried[name].log_evidence)

    def confirm(self, name: str, candidate: Layouts) -> Comparison:
        """Measures one again, with all pairs, in layouts that are new: the figure to report, free of the search's luck.

        One that looks too good only now is verified as in `compare`.

        Args:
            name: Of the candidate.
            candidate: Its executables.
        """
        rule = self._alone(Stopping.NEVER)
        found = self._compare(self.baseline, candidate, rule, f"{name}/confirm", fresh_layouts=True)
        return self._verify(name, candidate, found)

    def _alone(self, stopping: Stopping) -> Rule:
        """For a comparison that is not one of many."""
        return Rule(self.scale, stats.log_needed(self.baseline.settings.level), stopping)

    def _verify(self, name: str, candidate: Layouts, found: Comparison) -> Comparison:
        """Runs a suspect on other inputs, once: it must do the same on all, and be faster on one at least."""
        if found.outcome is not Outcome.QUARANTINED or not self.fresh:
            return found
        if name in self.verified:
            return replace(found, outcome=Outcome.FASTER, reason=self.verified[name])
        rule = self._alone(Stopping.DIFFERENCES)
        commands, n_faster = [], 0
        for n, executor in enumerate(self.fresh):
            baseline = Baseline.establish(self.baseline.layouts, executor, self.baseline.settings)
            seen = self._compare(baseline, candidate, rule, f"{name}/fresh {n}")
            command = executor.workload.command
            if seen.outcome not in (Outcome.FASTER, Outcome.QUARANTINED, Outcome.NOT_SHOWN):
                return replace(found, outcome=seen.outcome, reason=f"{found.reason}; on {command}: {seen.reason}")
            n_faster += seen.outcome is not Outcome.NOT_SHOWN
            commands.append(command)
        if not n_faster:
            return replace(found, reason=f"{found.reason}; no gain was shown on {', '.join(commands)}")
        self.verified[name] = f"{found.speedup} times as fast; verified on {commands}"
        return replace(found, outcome=Outcome.FASTER, reason=self.verified[name])

    def _compare(
        self, baseline: Baseline, candidate: Layouts, rule: Rule, name: str, *, fresh_layouts: bool = False
    ) -> Comparison:
        found = compare(
            baseline,
            candidate,
            rule,
            seed=f"{self.seed}/{name}",
            fresh_layouts=fresh_layouts,
            clock=self.clock,
            load=self.load,
        )
        self._note(name, found)
        return found

    def _note(self, name: str, found: Comparison) -> None:
        if self.samples is not None:
            self.samples.note(f"{self.name}/{name}", found.outcome, found.pairs)
