"""`compiler-agent blame`: from a refuted plan to a report that could be filed upstream.

    the plan ─► the smallest plan that is still refuted          (blame_minimise)
             ─► which application of which pass, in which function (blame_ir, with -opt-bisect-limit)
             ─► a small module on which that pass is still wrong   (blame_reduce, with llvm-reduce)
             ─► report.md, reproduce.sh, the modules               (blame_report)

Each step that does not succeed leaves what the one before it found; the report says how far it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from compiler_agent.app.blame_ir import Application, IrUnit
from compiler_agent.app.blame_minimise import NOTHING, Oracle, minimise, only, parts_of
from compiler_agent.app.blame_program import Judge
from compiler_agent.app.blame_reduce import reduce_module
from compiler_agent.base.errors import CompilerAgentError, NotEstablished, ToolError
from compiler_agent.base.process import run
from compiler_agent.evaluation.difftest import Difference, ProgramVerdict
from compiler_agent.evaluation.evaluate import stock_plan
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.pipeline import Adaptor, Pass, Pipeline, parse, walk
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import Toolchain

DEFAULT_REDUCE_S = 300.0
STOCK = stock_plan()
"""What shows a fault that lies hidden in a module: clang's own passes, which are right without it."""


@dataclass(frozen=True, slots=True)
class Blame:
    """What was found about a refuted plan. Every field after `minimal` may be empty: the step did not succeed."""

    plan: Plan
    """The plan that is wrong."""
    differences: tuple[Difference, ...]
    """What the program does wrong with it."""
    minimal: Plan
    """The smallest part of it that is wrong too."""
    culprits: tuple[str, ...]
    """The passes and options in that part that are to blame; mostly one."""
    application: Application | None = None
    """The first run of a pass after which the module is wrong, even if only what follows shows it."""
    functions: tuple[str, ...] = ()
    """The functions in which it makes the difference, as far as that can be told."""
    step: Plan | None = None
    """What turns `before` wrong: the pass, and what of the rest it takes to show it. None where `opt` and clang do not
    reproduce what the plugin does."""
    before: str = ""
    """The module just before that step, as textual IR."""
    reduced: str = ""
    """A smaller module on which the step is wrong too."""
    is_reduction_complete: bool = False
    """llvm-reduce came to its end within its time."""
    notes: tuple[str, ...] = field(default=())
    """What did not succeed, and why."""


class ProgramOracle:
    """Refutes a plan by running the program, or testing the function; equal objects are judged once."""

    def __init__(self, program: Judge) -> None:
        self.program = program
        self.n_runs = 0
        self._known: dict[str, tuple[Difference, ...]] = {}

    def refutes(self, plan: Plan) -> bool:
        """Whether the program does something else with the plan."""
        return bool(self.differences(plan))

    def differences(self, plan: Plan) -> tuple[Difference, ...]:
        """What the program does differently with the plan; nothing where it does not compile."""
        made = self.program.unit.compile(plan)
        return self.differences_of(made.content) if made.outcome is Outcome.OK else ()

    def differences_of(self, content: bytes) -> tuple[Difference, ...]:
        """What the program does differently with this object of the unit."""
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self._known:
            self.n_runs += 1
            try:
                judged = self.program.judge(content)
            except ToolError as error:  # a plan that drops a symbol does not link: wrong, and seen by everybody
                self._known[digest] = (Difference("linking", "it links", error.stderr_tail[-200:]),)
            else:
                self._known[digest] = judged.differences if judged.verdict is ProgramVerdict.DIFFERENT else ()
        return self._known[digest]


def find_blame(
    plan: Plan,
    program: Judge,
    toolchain: Toolchain,
    catalog: Catalog,
    *,
    reduce_s: float = DEFAULT_REDUCE_S,
    on_step: Callable[[str], None] = lambda words: None,
) -> Blame:
    """Finds what in a plan makes a program wrong.

    Args:
        plan: The plan.
        program: The unit and what shows that it is wrong.
        toolchain: LLVM.
        catalog: Of passes and options.
        reduce_s: What making the module smaller may take, in seconds; 0: it is not tried.
        on_step: Told what is done, in words.

    Raises:
        NotEstablished: The program does not do anything else with the plan.
    """
    oracle = ProgramOracle(program)
    differences = oracle.differences(plan)
    if not differences:
        made = program.unit.compile(plan)
        why = "the program does the same" if made.outcome is Outcome.OK else f"{made.outcome}: {made.message}"
        raise NotEstablished(f"the plan is not refuted, so there is nobody to blame: {why}")
    on_step(f"refuted: {differences[0]}")
    minimal = smallest(plan, oracle, catalog, toolchain)
    on_step(f"smallest plan: {minimal} ({oracle.n_runs} different objects were tried)")
    found = _Found(IrUnit(program, toolchain, catalog), minimal, on_step)
    try:
        found.search(reduce_s)
    except CompilerAgentError as error:
        found.notes.append(f"the search on IR ended early: {error.message}")
    culprits = (found.application.name,) if found.application else _names(minimal)
    return Blame(
        plan=plan,
        differences=differences,
        minimal=minimal,
        culprits=culprits,
        application=found.application,
        functions=found.functions,
        step=found.step,
        before=found.before,
        reduced=found.reduced,
        is_reduction_complete=found.is_complete,
        notes=tuple(found.notes),
    )


def smallest(plan: Plan, oracle: Oracle, catalog: Catalog, toolchain: Toolchain) -> Plan:
    """The smallest refuted part of a plan; what `default<…>` stands for is taken apart where it is in that part."""
    minimal = minimise(plan, oracle, catalog)
    spelled = spell_out(minimal, toolchain)
    if spelled != minimal and oracle.refutes(spelled):
        minimal = minimise(spelled, oracle, catalog)
    return minimal


def spell_out(plan: Plan, toolchain: Toolchain) -> Plan:
    """The plan with `default<…>` and the like as the passes they stand for, as `opt` prints them."""
    shorthands = {"default", "thinlto-pre-link", "lto-pre-link"}
    if not any(isinstance(node, Pass) and node.name in shorthands for _, node, _ in walk(plan.pipeline)):
        return plan
    command = [str(toolchain.tool("opt")), f"-passes={plan.pipeline}", "-print-pipeline-passes", "-disable-output", "-"]
    done = run(command, input=b"", timeout_s=60)
    return plan.with_pipeline(parse(done.stdout.decode().strip())) if done.status == 0 else plan


class _Found:
    """What the steps on IR have found so far."""

    def __init__(self, unit: IrUnit, minimal: Plan, on_step: Callable[[str], None]) -> None:
        self.unit, self.minimal, self.on_step = unit, minimal, on_step
        self.application: Application | None = None
        self.functions: tuple[str, ...] = ()
        self.step: Plan | None = None
        self.before = self.reduced = ""
        self.is_complete = False
        self.notes: list[str] = []

    def search(self, reduce_s: float) -> None:
        source = self.unit.source_ir(self.minimal)
        if not self.unit.refutes(source, self.minimal):
            self.notes.append("opt and clang do not reproduce what the plan does inside clang")
            return
        self.step, self.before = self.minimal, source
        self.application = self.unit.find_application(source, self.minimal, [STOCK])
        if self.application is None and self.unit.refutes(source, STOCK):
            self.notes.append("clang's own pipeline makes the program wrong too: is its behaviour defined?")
            self.application = self.unit.find_application(source, self.minimal, [])
        if self.application is None:
            self.notes.append("no single application of a pass makes the difference")
        else:
            found = self.application
            self.on_step(f"application {found.number}: {found.name} on {found.unit}")
            self._isolate(source, found)
        if reduce_s > 0:
            self.reduced, self.is_complete = reduce_module(self.unit, self.before, self.step, reduce_s)
            if self.reduced:
                self.on_step(f"reduced to {len(self.reduced.splitlines())} lines")
            else:
                self.notes.append(
                    "the module could not be reduced: clang's own pipelines do not agree on it, or no time"
                )

    def _isolate(self, source: str, found: Application) -> None:
        """Steps right before the application, where the pass alone is still wrong there."""
        before = self.unit.optimise(source, self.minimal, found.number - 1)
        after = self.unit.optimise(source, self.minimal, found.number)
        if before is None or after is None:
            return
        # As little as possible after the pass itself: nothing, what follows it in the smallest plan, clang's own.
        for rest in (Plan(NOTHING, self.minimal.options), *passes_after(self.minimal, found.name), STOCK):
            if not self.unit.refutes(after[0], rest):
                continue
            self.functions = self.unit.find_functions(before[0], after[0], rest)
            for alone in passes_alone(self.minimal, found.name):
                step = join(alone, rest)
                if self.unit.refutes(before[0], step):
                    self.step, self.before = step, before[0]
                    return
        self.notes.append(f"{found.name} alone, on the module just before it, is not wrong")


def join(first: Plan, second: Plan) -> Plan:
    """One plan after the other."""
    nodes = tuple(node for node in (*first.pipeline.nodes, *second.pipeline.nodes) if node not in NOTHING.nodes)
    return Plan(
        Pipeline(nodes or NOTHING.nodes), tuple(sorted({**dict(first.options), **dict(second.options)}.items()))
    )


def passes_after(plan: Plan, name: str) -> list[Plan]:
    """What stands in a plan behind each place of a pass, where there is anything."""
    parts = parts_of(plan)
    places = [index for index, part in enumerate(parts) if part.path and part.text.partition("<")[0] == name]
    found = [only(plan, parts[index + 1 :]) for index in places]
    return [rest for rest in dict.fromkeys(found) if rest.pipeline != NOTHING]


def passes_alone(plan: Plan, name: str) -> list[Plan]:
    """The plan with one pass left, inside the pass managers that it stands in; one for each place of that name."""
    found: list[Plan] = []
    for path, node, _ in walk(plan.pipeline):
        if not isinstance(node, Pass) or node.name != name:
            continue
        around: Pass | Adaptor = node
        for length in range(len(path) - 1, 0, -1):
            holder = next(node for place, node, _ in walk(plan.pipeline) if place == path[:length])
            assert isinstance(holder, Adaptor)
            around = Adaptor(holder.name, (around,), holder.parameters)
        alone = plan.with_pipeline(parse(str(around)))
        if alone not in found:
            found.append(alone)
    return found


def _names(plan: Plan) -> tuple[str, ...]:
    passes = [node.name for _, node, _ in walk(plan.pipeline) if isinstance(node, Pass) and node.name != "no-op-module"]
    return (*passes, *(f"-{name}" for name, _ in plan.options), *map(str, plan.decisions))
