"""The strategy that asks a language model: it holds the conversation, and hands out what comes of it, plan by plan.

A turn is: the results of the plans before go to the model; the model looks at what it wants to see; it proposes plans;
those are asked for one by one. What it says otherwise is a named fault that goes back to it, a few times.

`tell` takes scores of plans of other strategies, too: the next turn's table has the best of them. That is where a mixed
strategy plugs in: it asks this one and the embedded one in turn, and tells both everything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.llvm.plan import Plan
from compiler_agent.search import observing, prompting, proposals
from compiler_agent.search.accounts import BudgetSpent
from compiler_agent.search.caller import Caller, Interrupted
from compiler_agent.search.chat import Block, Fault, ModelFault, Reply, Request
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
    source: str
    """The source file's name, as the model is told it."""
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
        self._session = session
        self._fallback = fallback
        self._given_up = False
        self._ended = False
        self._messages: list[Block] = []
        self._plans: list[Plan] = [session.stock]
        self._candidates: dict[str, Candidate] = {}
        self._scores: dict[str, Score] = {}
        self._queue: deque[Plan] = deque()
        self._answers: list[dict[str, Any]] = []
        """Of the tool calls that the next message of ours answers."""
        self._proposed: dict[str, list[int | str]] = {}
        """By call of `propose_plans`: the numbers of its plans, or what was wrong with them."""
        self._others: list[Score] = []
        self._tools = (proposals.tool(session.space), *observing.tools())
        self._system = prompting.system(session.space, session.plans_per_turn)

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
                self._session.say(f"the language model is asked no more: {spent.message}")
            except Interrupted:
                self._ended = True
            except ModelFault as fault:
                self._given_up = True
                self._session.say(f"{fault.message}; going on with the embedded search")
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
        session = self._session
        text = prompting.fill(
            "first",
            source=session.source,
            objective=session.objective,
            baseline=session.baseline,
            evaluations=session.evaluations,
            similar=f"\nWhat worked for similar units before:\n\n{fenced(session.similar)}\n"
            if session.similar
            else "",
            packet=fenced(session.observer.packet(session.token_budget)),
        )
        return self._request([{"role": "user", "content": [{"type": "text", "text": text}]}])

    def _request(self, messages: list[Block]) -> Request:
        return Request(self._system, self._tools, tuple(messages))

    def _turn(self) -> None:
        """Talks until there is a plan to try, or the model has none."""
        if not self._messages:
            self._messages = list(self.first_request().messages)
        else:
            self._send([*self._answers, *self._results()])
        faults = looks = 0
        while True:
            reply = self._session.caller.reply(self._request(self._messages))
            calls = [block for block in reply.content if block["type"] == "tool_use"]
            if reply.stop_reason != "refusal" and any(block["type"] in ("tool_use", "text") for block in reply.content):
                self._messages.append({"role": "assistant", "content": list(reply.content)})
            fault = _fault(reply, calls)
            self._answers, self._proposed = [], {}
            for call in calls if self._messages[-1]["role"] == "assistant" else []:
                looks += call["name"] in observing.NAMES
                self._answer(call, fault, looks)
            if self._queue or self._ended:
                return
            if not fault and not any(answer.get("is_error") for answer in self._answers):
                faults = 0
            else:
                faults += 1
                if faults == _FAULTS_IN_A_ROW:
                    raise _unusable(fault or _text(self._answers))
            self._send([*self._answers, *([_block(prompting.fill("fault", fault=fault))] if fault else [])])

    def _answer(self, call: Block, fault: str, n_looks: int) -> None:
        """Does what one tool call asks for, and notes what it is answered."""
        name = call["name"]
        try:
            if fault:
                raise CompilerAgentError(fault)
            if name == proposals.TOOL:
                self._propose(call)
            elif name not in observing.NAMES:
                raise CompilerAgentError(f"there is no tool {name!r}")
            elif n_looks > _LOOKS_PER_TURN:
                raise CompilerAgentError(f"{_LOOKS_PER_TURN} looks a turn are used up: propose plans")
            else:
                session = self._session
                shown = observing.look(session.observer, session.space.catalog, session.names, name, call["input"])
                self._answers.append(_result(call, shown))
        except CompilerAgentError as error:
            self._answers.append(_result(call, self._session.names.hide(observing.said(error)), is_error=True))

    def _propose(self, call: Block) -> None:
        session, given = self._session, call["input"]
        if isinstance(given, Mapping) and given.get("plans") == []:
            self._ended = True
            session.say("the language model expects no more gain")
            return
        outcome: list[int | str] = []
        for found in proposals.read(given, self._plans, session.space, session.names):
            if isinstance(found, Candidate) and len(self._queue) >= session.plans_per_turn:
                found = f"more than {session.plans_per_turn} plans in a turn"
            if isinstance(found, str):
                outcome.append(self._session.names.hide(found))
                continue
            known = [str(plan) for plan in self._plans]
            if str(found.plan) in known:
                outcome.append(f"the same as plan {known.index(str(found.plan))}")
                continue
            outcome.append(len(self._plans))
            self._plans.append(found.plan)
            self._candidates[str(found.plan)] = found
            self._queue.append(found.plan)
        if any(isinstance(entry, int) for entry in outcome):
            self._proposed[call["id"]] = outcome
        else:
            self._answers.append(_result(call, _refusals(outcome), is_error=True))

    def _results(self) -> list[dict[str, Any]]:
        """What became of the plans of the last turn, each call's in its own answer."""
        others = self._other_results()
        best = ranked([score for score in self._scores.values() if score.may_be_kept])
        answers = []
        for identifier, outcome in self._proposed.items():
            numbers = [n for n in outcome if isinstance(n, int) and str(self._plans[n]) in self._scores]
            rows = [(n, self._shown(self._scores[str(self._plans[n])])) for n in numbers]
            text = prompting.fill(
                "results",
                table="\n".join(filter(None, [prompting.table(rows, self._session.baseline), _refusals(outcome)])),
                best=f"{best[0].value} ({self._name(best[0].plan)})" if best else "nothing beats plan 0",
                others=others,
            )
            answers.append({"type": "tool_result", "tool_use_id": identifier, "content": [_block(text)]})
        return answers

    def _other_results(self) -> str:
        """The best plans that another strategy tried in between; each becomes a parent to edit."""
        others, self._others = ranked(self._others)[:_OTHERS_SHOWN], []
        for score in others:
            self._plans.append(score.plan)
        rows = [(self._plans.index(score.plan), self._shown(score)) for score in others]
        rename = self._session.names.redacted
        texts = "\n".join(
            f"plan {n}: {' '.join(proposals.renamed(word, rename) for word in str(score.plan).split())}"
            for n, score in rows
        )
        return f"\nThe embedded search tried:\n{texts}\n{prompting.table(rows, self._session.baseline)}" if rows else ""

    def _name(self, plan: Plan) -> str:
        return f"plan {self._plans.index(plan)}" if plan in self._plans else "the embedded search's"

    def _shown(self, score: Score) -> Score:
        """A score without the compiler's own words where symbols are not to be sent: they name them."""
        if not self._session.names.are_hidden:
            return score
        return Score(score.plan, score.value, score.may_be_kept, score.verdict)

    def _send(self, content: list[dict[str, Any]]) -> None:
        """Adds to the conversation; two messages of ours in a row are one."""
        if self._messages[-1]["role"] == "user":
            last = self._messages.pop()
            content = [*last["content"], *content]
        self._messages.append({"role": "user", "content": content})


def _fault(reply: Reply, calls: list[Block]) -> str:
    """What makes a whole reply unusable; empty: nothing."""
    if reply.stop_reason == "refusal":
        return "the reply was a refusal; this is the optimization of a program that its owner compiles"
    if reply.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        return "the reply was cut off; be shorter"
    if not calls:
        return "the reply calls no tool"
    return ""


def _unusable(detail: str) -> ModelFault:
    return ModelFault(Fault.UNREADABLE, f"{_FAULTS_IN_A_ROW} replies in a row could not be used, the last: {detail}")


def _refusals(outcome: list[int | str]) -> str:
    return "\n".join(f"entry {n + 1} is refused: {entry}" for n, entry in enumerate(outcome) if isinstance(entry, str))


def _block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _result(call: Block, text: str, *, is_error: bool = False) -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": [_block(text)]}
    return {**result, "is_error": True} if is_error else result


def _text(answers: list[dict[str, Any]]) -> str:
    return "; ".join(block["text"] for answer in answers for block in answer["content"] if answer.get("is_error"))
