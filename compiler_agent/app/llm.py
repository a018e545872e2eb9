"""A run with a language model, from the command line's options to each unit's conversation and its evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from compiler_agent.app.records import Record
from compiler_agent.base.config import Budget, ModelSettings, Settings, user_cache_directory
from compiler_agent.base.lock_format import PlannerEvidence
from compiler_agent.evaluation.evaluate import Evaluation, Evaluator, stock_plan
from compiler_agent.search import observing
from compiler_agent.search.accounts import Accounts, Limits
from compiler_agent.search.caller import Caller, Interruptible
from compiler_agent.search.chat import AnthropicModel, Model, Reply, Request
from compiler_agent.search.fakes.recorded import Recording, Replay
from compiler_agent.search.fakes.scripted import ScriptedModel, Step, from_json, read_script
from compiler_agent.search.hybrid import Hybrid
from compiler_agent.search.observing import Names, Redaction
from compiler_agent.search.planner import LlmPlanner, Session
from compiler_agent.search.prices import prices_of
from compiler_agent.search.space import Space
from compiler_agent.search.strategy import Strategy

DEFAULT_COST_USD = 1.0
_REPLAY = "replay:"
_SCRIPT = "script:"
NO_NAMES = Names()
"""Nothing is renamed."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What the user said of the language model."""

    model: str = ""
    """Its name, replay:FILE, or script:FILE, which is no model: the same replies for all. Empty: CC_AGENT_MODEL."""
    limits: Limits = field(default_factory=Limits)
    """What may be spent, by all units together."""
    record: Path | None = None
    """Where the conversations are written."""
    show_prompt: bool = False
    """Print what would be sent, and send nothing."""
    redact: bool = False
    """Symbols and strings do not leave the machine."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a model is asked for."""

    objective: str
    """What is made smaller."""
    baseline: int
    """Its figure with the stock plan."""
    budget: Budget
    """How much may be tried."""

    @property
    def evaluations(self) -> str:
        """The budget, for people."""
        budget = self.budget
        return f"{budget.n_evaluations} evaluations" if budget.n_evaluations else f"{budget.seconds:g} s"


class ModelRun:
    """All conversations of a run: one model, one account."""

    def __init__(self, asking: Asking) -> None:
        """Connects to nothing yet.

        Raises:
            CompilerAgentError: There is no key, the price is not known and cost is limited, or a file cannot be used.
        """
        settings = ModelSettings.from_environment()
        self._asking = asking
        self._replay: Replay | None = None
        self._model: Model | None = None
        self._script: list[Step] = []
        if asking.model.startswith(_REPLAY):
            self._replay = Replay(Path(asking.model.removeprefix(_REPLAY)))
            self.model_name = self._replay.name
        elif asking.model.startswith(_SCRIPT):
            self._script = [from_json(row) for row in read_script(Path(asking.model.removeprefix(_SCRIPT)))]
            self.model_name = "script"
        else:
            self.model_name = asking.model or settings.name
            if not asking.show_prompt:
                self._model = AnthropicModel(settings, self.model_name)
        log = Settings.from_environment().log or user_cache_directory() / "model-calls.jsonl"
        prices, limits = prices_of(self.model_name, settings.prices), asking.limits
        if self._replay is not None:
            limits = Limits()  # a replay costs nothing, and ends where the recording did
        elif limits.cost_usd is None and prices is not None:
            limits = replace(limits, cost_usd=DEFAULT_COST_USD)
        self.accounts = Accounts(limits, prices, log=log)
        self._recording = Recording(asking.record, self.model_name) if asking.record else None

    def session(
        self,
        record: Record,
        evaluator: Evaluator,
        space: Space,
        budget: Budget,
        *,
        strategy: str = "llm",
        similar: str = "",
        should_stop: Callable[[], bool] = lambda: False,
        say: Callable[[str], None] = lambda text: None,
    ) -> Session:
        """The conversation about one unit; nothing is sent yet.

        Args:
            record: The unit.
            evaluator: Its judge.
            space: What a plan may hold.
            budget: How much may be tried.
            strategy: For which the model is asked.
            similar: What worked on similar units. It is recorded, and a replay takes what was recorded: the store has
                learned since.
            should_stop: Ends the waiting for the model.
            say: Told what a person should know.
        """
        observer, redaction = observer_of(record, redact=self._asking.redact)
        # Two sources of equal code have one key, two strategies one source; each has a conversation of its own.
        return self.conversation(
            f"{evaluator.engine.key} {strategy} {record.source}",
            observer,
            Goal(evaluator.objective.value, evaluator.baseline_value, budget),
            space,
            names=Names(redaction),
            similar=similar,
            should_stop=should_stop,
            say=say,
        )

    def conversation(
        self,
        name: str,
        observer: observing.Observer,
        goal: Goal,
        space: Space,
        *,
        names: Names = NO_NAMES,
        similar: str = "",
        should_stop: Callable[[], bool] = lambda: False,
        say: Callable[[str], None] = lambda text: None,
    ) -> Session:
        """A conversation about whatever can be observed; nothing is sent yet.

        Args:
            name: Of the conversation, under which it is recorded.
            observer: Shows what it is about.
            goal: What is made smaller.
            space: What a plan may hold.
            names: How symbols are renamed.
            similar: As for `session`.
            should_stop: As for `session`.
            say: As for `session`.
        """
        if self._replay is not None:
            similar = self._replay.similar(name)
        if self._recording is not None:
            self._recording.note_similar(name, similar)
        caller = Caller(self._model_for(name, should_stop), self.accounts, name, should_stop, say)
        if self._replay is not None:
            caller.wait = lambda seconds: None  # what was waited for has long passed
        return Session(
            caller=caller,
            observer=observer,
            space=space,
            stock=stock_plan(),
            objective=goal.objective,
            baseline=goal.baseline,
            evaluations=goal.evaluations,
            names=names,
            similar=similar,
            say=say,
        )

    def evidence(self, strategy: Strategy, kept: Evaluation | None) -> PlannerEvidence | None:
        """What a unit's conversation cost, and what was said of the plan that is kept; None without a conversation."""
        planner = planner_of(strategy)
        if planner is None:
            return None
        said = planner.candidate(kept.plan) if kept else None
        return replace(
            self.spent(planner.session.caller.conversation),
            proposed_by="model" if said else "embedded search" if kept else "",
            expected=said.expected if said else "",
            rationale=said.rationale if said else "",
        )

    def spent(self, conversation: str | None = None) -> PlannerEvidence:
        """What one conversation cost, or the whole run; what was said is left out."""
        total = self.accounts.total(conversation)
        cost_usd = None if total.cost_usd is None else round(total.cost_usd, 6)
        return PlannerEvidence(
            self.model_name, "", "", "", total.calls, total.tokens, total.cache_read_tokens, cost_usd
        )

    def _model_for(self, conversation: str, should_stop: Callable[[], bool]) -> Model:
        if self._replay is not None:
            model: Model = self._replay.model(conversation)
        elif self._script:
            model = ScriptedModel(self._script, self.model_name)
        elif self._model is not None:
            model = Interruptible(self._model, should_stop)
        else:
            return _Silent(self.model_name)
        return self._recording.model(model, conversation) if self._recording else model


@dataclass(frozen=True, slots=True)
class _Silent:
    """Stands where nothing is to be sent."""

    name: str
    """The model that would be asked."""

    def reply(self, request: Request, timeout_s: float) -> Reply:
        """Never: --show-prompt ends before."""
        raise AssertionError("nothing is sent with --show-prompt")


def planner_of(strategy: Strategy) -> LlmPlanner | None:
    """The part of a strategy that asks a language model, if there is one."""
    planner = strategy.model if isinstance(strategy, Hybrid) else strategy
    return planner if isinstance(planner, LlmPlanner) else None


def observer_of(record: Record, *, redact: bool) -> tuple[observing.Observer, Redaction | None]:
    """What shows a unit to the model, and how its symbols are renamed, if they are.

    Raises:
        CompilerAgentError: The unit does not compile, or cannot be observed.
    """
    from compiler_agent.llvm.observe.observer import Observer  # it takes its time to import, and few need it

    observer = Observer(record.argv, record.cwd, redact=redact)
    return observer, observer.redaction if redact else None
