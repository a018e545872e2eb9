"""The strategy that asks a language model: it holds the conversation, and hands out what comes of it, plan by plan.

A turn is: the results of the plans before go to the model; the model looks at what it wants to see; it proposes plans;
those are asked for one by one. What it says otherwise is a named fault that goes back to it, a few times.

`tell` takes scores of plans of other strategies, too: the next turn's table has the best of them. That is where a mixed
strategy plugs in: it asks this one and the embedded one in turn, and tells both everything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from compiler_agent.base.errors import BudgetSpent, CompilerAgentError, Interrupted, PlanError
from compiler_agent.llvm.plan import Plan
from compiler_agent.search import observing, prompting, proposals
from compiler_agent.search.caller import Caller
from compiler_agent.search.chat import Block, Fault, ModelFault, Reply, Request
from compiler_agent.search.conversation import Conversation
from compiler_agent.search.observing import Names, Observer, fenced
from compiler_agent.search.proposals import Candidate
from compiler_agent.search.space import Space
from compiler_agent.search.strategy import Score, Strategy, ranked

_FAULTS_IN_A_ROW = 4
_LOOKS_PER_TURN = 12
_OTHERS_SHOWN = 3


@dataclass(slots=True)
class Session:
    """One unit's conversation: who is asked, and about what."""

    caller: Caller
    """The way to the model."""
    observer: Observer
    """Shows the unit."""
    space: Space
    """What a plan may hold."""
    stock: Plan
    """Plan 0."""
    objective: str
    """What is minimized."""
    baseline: int
    """Its figure with the stock plan."""
    evaluations: str
    """How much may be tried, for people: "60 evaluations"."""
    names: Names = field(default_factory=Names)
    """What the model calls the unit's symbols."""
    similar: str = ""
    """What worked for the most similar units of the past, from the store; it is fenced. Empty: nothing is known."""
    plans_per_turn: int = 6
    """Plans that the model may propose at once."""
    token_budget: int = 8000
    """For the observations of the first turn."""
    say: Callable[[str], None] = lambda text: None
    """Told when something does not go as planned."""


class LlmPlanner:
    """Proposes what a language model proposes; where that fails, what the embedded strategy does."""

    def __init__(self, session: Session, fallback: Strategy) -> None:
        """Asks nobody yet."""
        self.session = session
        """Who is asked, and about what."""
        self._fallback = fallback
        self._given_up = False
        self._ended = False
        self._plans: list[Plan] = [session.stock]
        """By the numbers that the model knows them by."""
        self._candidates: dict[str, Candidate] = {}
        self._scores: dict[str, Score] = {}
        self._queue: deque[Plan] = deque()
        self._proposed: dict[str, list[int | str]] = {}
        """By call of `propose_plans` that is to be answered: the numbers of its plans, or what was wrong with them."""
        self._others: list[Score] = []
        self._n_looks = 0
        self._conversation = Conversation(
            prompting.system(session.space, session.plans_per_turn),
            [proposals.tool(session.space), *observing.tools()],
        )

    def ask(self) -> Plan | None:
        """The next plan; None when the model has no more, what may be spent is spent, or the user asked to stop."""
        while not self._queue:
            if self._given_up:
                return self._fallback.ask()
            if self._ended:
                return None
            try:
                self._turn()
            except BudgetSpent as spent:
                self._ended = True
                self.session.say(f"the language model is asked no more: {spent.message}")
            except Interrupted:
                self._ended = True
            except ModelFault as fault:
                self._given_up = True
                self.session.say(f"{fault.message}; going on with the embedded search")
        return self._queue.popleft()

    def tell(self, score: Score) -> None:
        """The outcome of a plan, of this strategy or of another."""
        self._fallback.tell(score)
        if str(score.plan) not in self._candidates and str(score.plan) not in self._scores:
            self._others.append(score)
        self._scores[str(score.plan)] = score

    def candidate(self, plan: Plan) -> Candidate | None:
        """What the model said of a plan; None if it did not propose it."""
        return self._candidates.get(str(plan))

    @property
    def gave_up(self) -> bool:
        """Whether the model failed, so that the embedded search went on."""
        return self._given_up

    def first_request(self) -> Request:
        """What the model is sent first."""
        session = self.session
        similar = f"\nWhat worked for similar units before:\n\n{fenced(session.similar)}\n" if session.similar else ""
        text = prompting.fill(
            "first",
            objective=session.objective,
            baseline=session.baseline,
            evaluations=session.evaluations,
            similar=similar,
            packet=fenced(session.observer.packet(session.token_budget)),
        )
        self._conversation.tell(text)
        return self._conversation.request()

    def _turn(self) -> None:
        """Talks until there is a plan to try, or the model has none.

        Raises:
            ModelFault: No reply came, or none that is of use.
        """
        self._n_looks = n_faults = 0
        if self._conversation.has_begun:
            self._report()
            request = self._conversation.request()
        else:
            request = self.first_request()
        while True:
            fault = self._follow(self.session.caller.reply(request))
            if self._queue or self._ended:
                return
            n_faults = n_faults + 1 if fault else 0
            if n_faults == _FAULTS_IN_A_ROW:
                raise ModelFault(Fault.UNREADABLE, f"{n_faults} replies in a row could not be used, the last: {fault}")
            request = self._conversation.request()

    def _follow(self, reply: Reply) -> str:
        """Does what a reply asks for, as far as that may be done; gives what is wrong with it, empty if nothing is."""
        calls = self._conversation.hear(reply)
        whole = fault = _fault(reply, calls)
        for call in calls:
            try:
                if whole:
                    raise CompilerAgentError(whole)
                self._do(call)
            except CompilerAgentError as error:
                fault = observing.said(error)
                self._conversation.answer(call["id"], fault, is_error=True)
        if whole:
            self._conversation.tell(prompting.fill("fault", fault=whole))
        return fault

    def _do(self, call: Block) -> None:
        """One tool call.

        Raises:
            CompilerAgentError: It cannot be done; the message is the answer.
        """
        session, tool = self.session, call["name"]
        if tool == proposals.TOOL:
            self._propose(call)
            return
        if tool not in observing.NAMES:
            raise CompilerAgentError(f"there is no tool {tool!r}")
        self._n_looks += 1
        if self._n_looks > _LOOKS_PER_TURN:
            raise CompilerAgentError(f"{_LOOKS_PER_TURN} looks a turn are used up: propose plans")
        shown = observing.look(session.observer, session.space.catalog, session.names, tool, call["input"])
        self._conversation.answer(call["id"], shown)

    def _propose(self, call: Block) -> None:
        session, given = self.session, call["input"]
        if isinstance(given, Mapping) and given.get("plans") == []:
            self._ended = True
            session.say("the language model expects no more gain")
            return
        found = proposals.read(given, self._plans, session.space, session.names)
        outcome = [self._number(entry) if isinstance(entry, Candidate) else entry for entry in found]
        if all(isinstance(entry, str) for entry in outcome):
            raise PlanError(_refusals(outcome))
        self._proposed[call["id"]] = outcome

    def _number(self, candidate: Candidate) -> int | str:
        """Takes a plan into the queue and gives its number; or says why not."""
        if len(self._queue) == self.session.plans_per_turn:
            return f"more than {self.session.plans_per_turn} plans in a turn"
        if candidate.plan in self._plans:
            return f"the same as plan {self._plans.index(candidate.plan)}"
        self._plans.append(candidate.plan)
        self._queue.append(candidate.plan)
        self._candidates[str(candidate.plan)] = candidate
        return len(self._plans) - 1

    def _report(self) -> None:
        """Answers the calls that proposed plans: what became of them."""
        others = self._other_results()
        best = ranked([score for score in self._scores.values() if score.may_be_kept])
        for call, outcome in self._proposed.items():
            rows = self._table([n for n in outcome if isinstance(n, int)])
            text = prompting.fill(
                "results",
                table="\n".join(filter(None, [rows, _refusals(outcome)])),
                best=f"{best[0].value} ({self._name(best[0].plan)})" if best else "nothing beats plan 0",
                others=others,
            )
            self._conversation.answer(call, text)
        self._proposed = {}

    def _other_results(self) -> str:
        """The best plans that another strategy tried in between; each becomes a parent to edit."""
        others, self._others = ranked(self._others)[:_OTHERS_SHOWN], []
        if not others:
            return ""
        numbers = range(len(self._plans), len(self._plans) + len(others))
        self._plans += [score.plan for score in others]
        rename = self.session.names.redacted
        texts = [f"plan {n}: {proposals.renamed(self._plans[n], rename)}" for n in numbers]
        return "\n".join(["\nThe embedded search tried:", *texts, self._table(numbers)])

    def _table(self, numbers: Iterable[int]) -> str:
        """The results of plans that were tried; without compilers' own words where names are hidden: they have them."""
        scores = [(n, self._scores[str(self._plans[n])]) for n in numbers if str(self._plans[n]) in self._scores]
        if self.session.names.are_hidden:
            scores = [(n, replace(score, reason="")) for n, score in scores]
        return prompting.table(scores, self.session.baseline)

    def _name(self, plan: Plan) -> str:
        return f"plan {self._plans.index(plan)}" if plan in self._plans else "the embedded search's"


def _fault(reply: Reply, calls: Sequence[Block]) -> str:
    """What makes a whole reply unusable; empty: nothing."""
    if reply.stop_reason == "refusal":
        return "the reply was a refusal; this is the optimization of a program that its owner compiles"
    if reply.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        return "the reply was cut off; be shorter"
    return "" if calls else "the reply calls no tool"


def _refusals(outcome: Sequence[int | str]) -> str:
    return "\n".join(f"entry {n + 1} is refused: {entry}" for n, entry in enumerate(outcome) if isinstance(entry, str))
