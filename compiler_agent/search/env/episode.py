"""An episode: one module, the passes that were run on it, and what can be seen of it. Knows nothing of gymnasium."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from compiler_agent.base.errors import EngineError
from compiler_agent.llvm import replay
from compiler_agent.llvm.engine import Measurement, Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.session import Session
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.effects import CompilationFailed, Effect
from compiler_agent.search.env.served import LEVEL, Metric, ServedBenchmark

NO_PASS = "-passes=no-op-module"
"""The plan of an episode in which nothing was done, for what needs one."""


class Episode:
    """One module in a session of its own. `close` it.

    Its plan is what a replay from a lock needs to make the same object.
    """

    def __init__(self, served: ServedBenchmark, session: Session | None = None) -> None:
        self.served = served
        self.session = session or served.session()
        self.elements: list[str] = []
        """The plan's pipeline, one element of the module level for each action."""
        self.plan_options = ""
        """Options and decisions that hold since the beginning, as they stand in the plan's text."""
        self._seen: dict[str, Any] = {}

    @property
    def benchmark(self) -> Benchmark:
        """What it began with."""
        return self.served.benchmark

    @property
    def plan_text(self) -> str:
        """The plan so far; empty before the first action."""
        return f"-passes={','.join(self.elements)}{self.plan_options}" if self.elements else ""

    def extend(self, elements: Sequence[str], observe: Sequence[str] = (), *, verify: bool = False) -> Effect:
        """Runs more of a pipeline on the module.

        Args:
            elements: Each stands at the level of modules.
            observe: What is going to be asked of the module next, so that it comes with the same answer.
            verify: Whether LLVM's verifier looks at what was changed.

        Raises:
            SessionEnded: A pass crashed, hung or used too much memory; the episode is over.
        """
        return self._step([f"-passes={element}" for element in elements], elements, observe, verify)

    def become(self, plan: Plan, observe: Sequence[str] = (), *, verify: bool = False) -> Effect:
        """Starts again from the parsed module and runs a whole plan, options and decisions included.

        Raises:
            SessionEnded: As for `extend`.
        """
        self.close()
        self.session = self.served.session()
        self.elements, self.plan_options, self._seen = [], "", {}
        pipeline, _, rest = str(plan).removeprefix("-passes=").partition(" ")
        effect = self._step([str(plan)], [pipeline], observe, verify)
        if effect.outcome is not Outcome.REJECTED:
            self.plan_options = f" {rest}" if rest else ""
        return effect

    def value(self, name: str) -> Any:
        """Something that the session observes, as `ir_instructions`; computed once for each state."""
        if name not in self._seen:
            reply = self.session.step(observe=[name])
            if reply["outcome"] != "ok":
                raise EngineError(reply["message"], hint="is the native component of this version? run `make setup`")
            self._seen[name] = reply[name]
        return self._seen[name]

    def sizes(self) -> Measurement:
        """What clang's code generation makes of the module: the figures of a replay of the plan.

        Raises:
            CompilationFailed: Code generation crashed or exceeded its limits, or the verifier rejects the module.
        """
        known = self.served.sizes(self.value("fingerprint"), self.plan_options, self.session.emit)
        if known.outcome is not Outcome.OK:
            raise CompilationFailed(known.outcome, known.message)
        return known

    def figure(self, metric: Metric) -> int:
        """The module's figure for a metric: IR instructions or bytes."""
        if metric is Metric.IR_INSTRUCTIONS:
            return self.value("ir_instructions")
        value = metric.of(self.sizes())
        assert value is not None
        return value

    def shipped(self) -> bytes:
        """The object that a build makes that replays the episode's plan.

        Raises:
            CompilationFailed: It cannot.
        """
        served, plan = self.served, self.plan_text or NO_PASS
        made = replay.replay(self.benchmark.command(LEVEL), self.benchmark.directory, served.engine.key, plan)
        if made.outcome is not Outcome.OK:
            raise CompilationFailed(made.outcome, made.message)
        return made.content

    def plain(self) -> bytes:
        """The object that clang makes of the benchmark at -O0.

        Raises:
            ToolError: It does not compile.
        """
        return replay.compile_plainly(self.benchmark.command("-O0"), self.benchmark.directory)

    def checkpoint(self) -> Callable[[], None]:
        """What gives the episode its plan of now back, after a step that does not count."""
        elements, n_elements, options = self.elements, len(self.elements), self.plan_options

        def undo() -> None:
            self.elements, self.plan_options = elements[:n_elements], options

        return undo

    def fork(self) -> Episode:
        """Another episode that goes on from here by itself."""
        other = Episode(self.served, self.session.fork())
        other.elements, other.plan_options, other._seen = [*self.elements], self.plan_options, dict(self._seen)
        return other

    def close(self) -> None:
        """Ends the session; a second call does nothing."""
        self.session.close()

    def _step(self, plans: Sequence[str], elements: Sequence[str], observe: Sequence[str], verify: bool) -> Effect:
        reply = self.session.step(plans, observe, verify=verify)
        outcome = Outcome(reply["outcome"])
        changed = reply.get("changed", reply.get("applied") != 0)
        self.elements += elements[: reply.get("applied", len(elements))]
        if changed:
            self._seen = {}
        self._seen.update((name, reply[name]) for name in observe if name in reply)
        return Effect(outcome, reply.get("message", ""), changed)
