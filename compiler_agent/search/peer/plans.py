"""Plans in a peer's words: flat lists of its passes, each with its default parameters, and nothing else.

Our plans have structure: pass managers in pass managers, parameters, options, decisions. `flatten` makes a list of one,
and says what is lost; a plan that is proposed for the peer has to be flat from the beginning, or it is refused.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from compiler_agent.base.errors import PlanError, UsageError
from compiler_agent.llvm import catalog
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.catalog_entries import CataloguedPass, Parameter, ParameterKind, Provenance
from compiler_agent.llvm.pipeline import Adaptor, Level, Pass, Pipeline, walk
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.peer.process import Description
from compiler_agent.search.space import Space

_STOCK = "default"
_RENAMED = {
    "function-attrs": "functionattrs",
    "rpo-function-attrs": "rpo-functionattrs",
    "loop-unroll-full": "loop-unroll",
    "lower-switch": "lowerswitch",
}
"""Passes that LLVM 10 calls otherwise."""
_COMMAND = ("opt", ("input.bc", "-o", "output.bc"))
_RESTRICTION = (
    "none: a plan here is a flat list of the passes above, such as `sroa,gvn,simplifycfg`; no pass managers, no "
    "parameters, no options, no decisions. They are the old pass manager's of LLVM 10."
)


@dataclass(frozen=True, slots=True)
class Flattened:
    """One of our plans in a peer's words."""

    passes: tuple[str, ...]
    """In order."""
    unknown: tuple[str, ...]
    """Names of passes that the peer has not, sorted."""
    n_parameters: int
    """Passes whose parameters were dropped."""
    n_options: int
    """Options and decisions that were dropped."""


class PeerCatalog(Catalog):
    """A peer's passes; plans that are not flat are refused."""

    def check(self, plan: Plan) -> None:
        """Passes if the peer takes the plan.

        Raises:
            PlanError: It has structure, options or decisions, or names what the peer has not.
        """
        if plan.options or plan.decisions:
            raise PlanError("the peer knows no options and no decisions", hint="name passes alone")
        for node in plan.pipeline.nodes:
            if isinstance(node, Adaptor):
                raise PlanError(f"the peer knows no pass managers such as {node.name}(…)", hint="a flat list of passes")
            if node.parameters is not None and node.name != _STOCK:
                raise PlanError(f"the peer's {node.name} takes no parameters", hint="name the pass alone")
        super().check(plan)


def catalog_of(peer: Description) -> PeerCatalog:
    """What a plan for the peer may hold."""
    ours = catalog.load().all_passes
    said = {name: text or (ours[name].description if name in ours else "") for name, text in peer.passes}
    passes = {name: _entry(name, text) for name, text in said.items()}
    standing = Parameter("O2", ParameterKind.ENUM, ("O2",))
    passes[_STOCK] = _entry(_STOCK, "what stands for -Oz", search=False, parameters=(standing,))
    return PeerCatalog(peer.name, passes, {}, {}, {}, {})


class PeerSpace(Space):
    """Random edits of flat plans."""

    restriction = _RESTRICTION

    def __init__(self, peer: Description) -> None:
        super().__init__(catalog_of(peer), pipeline_of(peer.stock))

    def edit_options(self, plan: Plan, rng: random.Random) -> Plan:
        """There are none: the pipeline is edited instead."""
        return self.edit_pipeline(plan, rng)

    def edit_pipeline(self, plan: Plan, rng: random.Random) -> Plan:
        """Takes a few neighbours out, puts one pass in, or moves some."""
        nodes = list(self.spelled_out(plan.pipeline).nodes)
        first, n_some = rng.randrange(len(nodes)), rng.choice((1, 1, 1, 2, 4))
        kind = rng.random()
        if kind < 0.35 and len(nodes) > n_some:
            del nodes[first : first + n_some]
        elif kind < 0.75:
            nodes.insert(rng.randint(0, len(nodes)), rng.choice(self.passes).node())
        else:
            moved = nodes[first : first + n_some]
            if kind < 0.9:  # else they stand in both places
                del nodes[first : first + n_some]
            place = rng.randint(0, len(nodes))
            nodes[place:place] = moved
        return plan.with_pipeline(Pipeline(tuple(nodes)))

    def cross(self, first: Plan, second: Plan, rng: random.Random) -> Plan:
        """The beginning of one plan and the end of the other, both cut at the same part of their length."""
        cut = rng.random()
        ours, others = (self.spelled_out(plan.pipeline).nodes for plan in (first, second))
        nodes = (*ours[: round(cut * len(ours))], *others[round(cut * len(others)) :])
        return Plan(Pipeline(nodes or ours))

    def names(self, plan: Plan) -> tuple[str, ...]:
        """The passes that a plan runs.

        Raises:
            PlanError: The peer does not take the plan.
        """
        self.catalog.check(plan)
        nodes = (self.stock.nodes if node.name == _STOCK else (node,) for node in plan.pipeline.nodes)
        return tuple(node.name for some in nodes for node in some)


def pipeline_of(names: Sequence[str]) -> Pipeline:
    """Passes as a flat pipeline."""
    return Pipeline(tuple(Pass(name) for name in names))


def flat_name(action: str) -> str:
    """What LLVM 10 calls the one pass of an action, as in `loop-mssa(licm<…>)`: licm; empty: it is not one pass."""
    passes = [node.name for _, node, _ in walk(Plan.parse(f"-passes={action}").pipeline) if isinstance(node, Pass)]
    return _RENAMED.get(passes[0], passes[0]) if len(passes) == 1 else ""


def flatten(plan: Plan, peer: Description) -> Flattened:
    """One of our plans as the peer can run it: its passes in their order, those that the peer has."""
    known = {name for name, _ in peer.passes}
    passes: list[str] = []
    unknown: set[str] = set()
    n_parameters = 0
    for _, node, _ in walk(plan.pipeline):
        if isinstance(node, Adaptor):
            continue
        if node.name == _STOCK:
            passes += peer.stock
            continue
        special = f"{node.name}-{node.parameters}" if node.parameters else ""  # early-cse<memssa>
        name = special if special in known else _RENAMED.get(node.name, node.name)
        if name not in known:
            unknown.add(node.name)
            continue
        passes.append(name)
        n_parameters += bool(node.parameters) and name != special
    return Flattened(tuple(passes), tuple(sorted(unknown)), n_parameters, len(plan.options) + len(plan.decisions))


def command_line(names: Sequence[str]) -> str:
    """A state's command line as CompilerGym writes it."""
    program, rest = _COMMAND
    return " ".join((program, *(f"-{name}" for name in names), *rest)) if names else ""


def names_of(line: str) -> tuple[str, ...]:
    """The passes of such a command line.

    Raises:
        UsageError: It is none.
    """
    words, (program, rest) = tuple(line.split()), _COMMAND
    if not words:
        return ()
    flags = words[1 : -len(rest)]
    if words[0] != program or words[-len(rest) :] != rest or not all(flag.startswith("-") for flag in flags):
        raise UsageError(
            f"not a peer's command line: {line[:120]}", hint="the form is `opt -sroa input.bc -o output.bc`"
        )
    return tuple(flag[1:] for flag in flags)


def _entry(
    name: str, description: str, *, search: bool = True, parameters: tuple[Parameter, ...] = ()
) -> CataloguedPass:
    return CataloguedPass(
        name=name,
        levels=(Level.MODULE,),
        provenance=Provenance.PRODUCTION,
        because="",
        search=search,
        keep=False,
        forms=(name,),
        parameters=parameters,
        description=description,
    )
