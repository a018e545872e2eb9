"""The search space: single random edits of a plan, all within the catalog."""

from __future__ import annotations

import random

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm import pipeline_edit
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.catalog_entries import CataloguedOption, ParameterKind, Provenance
from compiler_agent.llvm.pipeline import Adaptor, Level, Node, Pass, Path, Pipeline, walk
from compiler_agent.llvm.plan import Plan

Places = list[tuple[Path, Node, Level]]


class Space:
    """Edits of plans. Options are drawn by what they gained on the training libraries, passes evenly."""

    restriction = ""
    """Why there are neither options nor decisions, for a language model; empty: there are."""

    def __init__(
        self, catalog: Catalog, stock: Pipeline, *, allow_experimental: bool = False, middle_end_only: bool = False
    ) -> None:
        """A space around the stock pipeline.

        Args:
            catalog: What plans may hold.
            stock: What `default<…>` stands for where it is edited.
            allow_experimental: Whether experimental passes and options are drawn.
            middle_end_only: Whether options are left alone that only code generation reads: they change no IR.
        """
        self.catalog = catalog
        self.stock = stock
        self.allow_experimental = allow_experimental
        self.passes = tuple(known for known in catalog.passes(allow_experimental) if known.search)
        self.options = tuple(
            option
            for option in catalog.options(allow_experimental)
            if option.search and not (middle_end_only and option.stage == "back-end")
        )
        # Screening's best gain on one module, in per mille, is the weight: strong levers are drawn more often.
        self._weights = [1.0 + 1000 * (option.best - 1.0) for option in self.options]

    def takes(self, plan: Plan) -> bool:
        """Whether a plan from elsewhere may be tried: its words are known, and no experiment unless allowed."""
        try:
            self.catalog.check(plan)
        except PlanError:
            return False
        return self.allow_experimental or self.catalog.provenance_of(plan).provenance is Provenance.PRODUCTION

    def with_option(self, plan: Plan, option: CataloguedOption, value: str) -> Plan:
        """The plan with an option, and with what that option needs to have an effect."""
        if option.needs is not None:
            plan = plan.with_option(*option.needs)
        return plan.with_option(option.name, value)

    def edit_options(self, plan: Plan, rng: random.Random) -> Plan:
        """Sets one option, or takes one out."""
        if plan.options and rng.random() < 0.3:
            return plan.without_option(rng.choice(plan.options)[0])
        option = rng.choices(self.options, self._weights)[0]
        # The values stand strongest first; one beyond them may win on a module that screening never saw.
        values = option.search if rng.random() < 0.8 or not option.values else option.values
        return self.with_option(plan, option, rng.choice(values))

    def edit_pipeline(self, plan: Plan, rng: random.Random) -> Plan:
        """One edit of the pipeline, the stock pipeline spelled out first."""
        pipeline = self.spelled_out(plan.pipeline)
        for _ in range(20):  # an edit may not fit the place that was drawn
            try:
                edited = pipeline_edit.normalise(self._edit(pipeline, rng))
            except PlanError:
                continue
            if edited != pipeline and edited.nodes:
                return plan.with_pipeline(edited)
        return plan

    def spelled_out(self, pipeline: Pipeline) -> Pipeline:
        """`default<…>` as the passes it stands for: what can be edited."""
        if len(pipeline.nodes) == 1 and pipeline.nodes[0].name == "default":
            return self.stock
        return pipeline

    def cross(self, first: Plan, second: Plan, rng: random.Random) -> Plan:
        """The pipeline of one plan, and options and decisions drawn from both."""
        chosen = dict(option for option in (*first.options, *second.options) if rng.random() < 0.6)
        crossed = Plan(rng.choice((first, second)).pipeline, tuple(sorted(chosen.items())))
        for decision in (*first.decisions, *second.decisions):
            if rng.random() < 0.6:
                crossed = crossed.with_decision(decision)
        return crossed

    def _edit(self, pipeline: Pipeline, rng: random.Random) -> Pipeline:
        places = list(walk(pipeline))
        path, _, level = rng.choice(places)
        kind = rng.random()
        if kind < 0.35:
            return self._delete(pipeline, places, rng)
        if kind < 0.65:
            fitting = rng.choice(self.passes)
            new = fitting.nested(level, rng.randrange(len(fitting.forms)) if fitting.forms else 0)
            if new is None:
                raise PlanError(f"{fitting.name} does not fit level {level}")
            return pipeline_edit.insert(pipeline, path, new)
        if kind < 0.8:
            siblings = [other for other, _, _ in places if other[:-1] == path[:-1] and other != path]
            if not siblings:
                raise PlanError("nothing to swap with")
            return pipeline_edit.swap(pipeline, path, rng.choice(siblings))
        return self._set_parameter(pipeline, places, rng)

    def _delete(self, pipeline: Pipeline, places: Places, rng: random.Random) -> Pipeline:
        removable = [
            path
            for path, node, _ in places
            if isinstance(node, Pass)
            and node.name in self.catalog.all_passes
            and not self.catalog.all_passes[node.name].keep
        ]
        if not removable:
            raise PlanError("nothing to delete")
        return pipeline_edit.delete(pipeline, rng.choice(removable))

    def _set_parameter(self, pipeline: Pipeline, places: Places, rng: random.Random) -> Pipeline:
        candidates = [
            (path, self.catalog.all_passes[node.name])
            for path, node, _ in places
            if not isinstance(node, Adaptor)
            and node.name in self.catalog.all_passes
            and any(parameter.spellings for parameter in self.catalog.all_passes[node.name].parameters)
        ]
        if not candidates:
            raise PlanError("nothing to set")
        path, known = rng.choice(candidates)
        parameter = rng.choice([parameter for parameter in known.parameters if parameter.spellings])
        exclusive = parameter.spellings if parameter.kind is not ParameterKind.FLAG else ()
        return pipeline_edit.set_parameter(pipeline, path, rng.choice(parameter.spellings), exclusive)
