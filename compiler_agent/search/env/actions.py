"""What an agent can do: run one more pass on the module, or edit the plan that is run on it from its beginning."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Protocol

from compiler_agent.base.errors import PlanError, UsageError
from compiler_agent.evaluation.evaluate import stock_plan
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.catalog_entries import CataloguedPass, ParameterKind
from compiler_agent.llvm.pipeline import Level, Pass, Pipeline, parse, walk
from compiler_agent.llvm.pipeline_edit import nest, set_parameter
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search.env.effects import Effect
from compiler_agent.search.env.episode import Episode
from compiler_agent.search.space import Space

ACTION_SPACES = ("passes", "production", "all", "plan-edits")
STOCK_PIPELINES = ("default<O1>", "default<O2>", "default<O3>", "default<Os>", "default<Oz>")
"""Whole pipelines as actions. What `clang -Oz` runs is `default<O2>`, on functions with size attributes."""


class Actions(Protocol):
    """A discrete set of actions."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each one is called."""
        ...

    def take(self, episode: Episode, indices: list[int], observe: tuple[str, ...], verify: bool) -> Effect:
        """Takes actions, one after the other, in an episode; arguments and errors as for `Episode.extend`."""
        ...

    def reset(self, seed: int | None) -> None:
        """Begins a new episode; a seed begins the random choices anew."""
        ...

    def fork(self) -> Actions:
        """The same for another episode, whose random choices are its own and go on from here."""
        ...


class PassActions:
    """Each action appends one element to the pipeline: a pass with its parameters, or a stock pipeline."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def take(self, episode: Episode, indices: list[int], observe: tuple[str, ...], verify: bool) -> Effect:
        """Runs the elements on the module, in place."""
        return episode.extend([self.names[index] for index in indices], observe, verify=verify)

    def reset(self, seed: int | None) -> None:
        """Nothing here is random."""

    def fork(self) -> PassActions:
        """There is no state."""
        return self


class PlanEdits:
    """Each action edits the plan, at a place that is drawn, and the edited plan is run from the beginning.

    The first plan is clang's own at -Oz. These are the edits that `evolve` makes (`search.space`).
    """

    names = ("edit-pipeline", "set-or-drop-option", "drop-option", "back-to-stock")

    def __init__(self, space: Space) -> None:
        self._space = space
        self._rng = random.Random()

    def take(self, episode: Episode, indices: list[int], observe: tuple[str, ...], verify: bool) -> Effect:
        """Edits the plan, and runs what came of it."""
        plan = Plan.parse(episode.plan_text) if episode.plan_text else stock_plan()
        for index in indices:
            plan = self._edited(self.names[index], plan)
        return episode.become(plan, observe, verify=verify)

    def reset(self, seed: int | None) -> None:
        """Draws places from a new seed on, if there is one."""
        if seed is not None:
            self._rng = random.Random(seed)

    def fork(self) -> PlanEdits:
        """The same, with a copy of the random state."""
        other = PlanEdits(self._space)
        other._rng.setstate(self._rng.getstate())
        return other

    def _edited(self, name: str, plan: Plan) -> Plan:
        match name:
            case "edit-pipeline":
                return self._space.edit_pipeline(plan, self._rng)
            case "set-or-drop-option":
                return self._space.edit_options(plan, self._rng)
            case "drop-option":
                return plan.without_option(self._rng.choice(plan.options)[0]) if plan.options else plan
            case _:
                return stock_plan()


def actions(name: str | Sequence[str]) -> Actions:
    """A set of actions.

    Args:
        name: Elements of a pipeline, each of which is an action; or a name: `passes` (what stock clang runs, each pass
            once and with its usual parameters, as CompilerGym has it), `production` (the same with parameters of their
            own as actions, and stock pipelines), `all` (LLVM's other passes too, some of which are known to
            miscompile), or `plan-edits`.

    Raises:
        UsageError: There is none of that name.
        PlanError: What is given cannot be an element of a pipeline.
    """
    if not isinstance(name, str):
        return PassActions(tuple(map(_at_module_level, name)))
    if name == "plan-edits":
        known = catalog.load()
        return PlanEdits(Space(known, stock.editable_pipeline(discover(), known)))
    if name not in ACTION_SPACES:
        raise UsageError(f"there is no action space '{name}'", hint=f"one of: {', '.join(ACTION_SPACES)}")
    if name == "passes":
        usual = (str(one.nested(Level.MODULE)) for one in catalog.load().passes())
        return PassActions(tuple(filter(_is_single_pass, usual)))
    passes = catalog.load().passes(allow_experimental=name == "all")
    return PassActions(tuple(dict.fromkeys([*(text for one in passes for text in _spellings(one)), *STOCK_PIPELINES])))


def _spellings(one: CataloguedPass) -> Iterator[str]:
    """A pass in each of its forms, and the first one with each of its parameters, at the level of modules."""
    for form in range(len(one.forms)):
        yield str(one.nested(Level.MODULE, form))
    node = one.nested(Level.MODULE)
    assert node is not None
    pipeline = Pipeline((node,))
    *_, (path, _, _) = walk(pipeline)  # the pass itself is innermost
    for parameter in one.parameters:
        exclusive = parameter.spellings if parameter.kind is not ParameterKind.FLAG else ()
        for spelling in parameter.spellings:
            yield str(set_parameter(pipeline, path, spelling, exclusive))


def _at_module_level(text: str) -> str:
    """An element so that it can follow any other: `sroa` as `function(sroa)`."""
    nodes = parse(text).nodes
    if len(nodes) != 1:
        raise PlanError(f"'{text}' is not one element of a pipeline", hint="put it in an adaptor: function(sroa,gvn)")
    known = catalog.load().all_passes.get(nodes[0].name)
    if known is None or Level.MODULE in known.levels or not isinstance(nodes[0], Pass):
        return text
    return str(nest(nodes[0], known.levels[0], Level.MODULE))


def _is_single_pass(name: str) -> bool:
    return "-simplification<" not in name and name != "inliner-wrapper"  # these are pipelines of many
