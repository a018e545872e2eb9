"""The accounts of a run with a language model: what may be spent, asked before each call, and what each call cost.

One `Accounts` serves all units of a run, which may be in work at the same time; what a unit's own conversation cost is
asked for by its name. Evaluations are not its business: `loop.search` counts them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from compiler_agent.base.errors import BudgetSpent, UsageError
from compiler_agent.base.files import file_error
from compiler_agent.search.chat import Request, Usage
from compiler_agent.search.prices import Prices

# Cautious on purpose: English has about four characters a token, IR about three.
_CHARACTERS_PER_TOKEN = 2.5
# Less is not worth a call: a plan with its reasons takes as much.
_LEAST_OUTPUT_TOKENS = 2_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may spend on its language model; None: no limit."""

    cost_usd: float | None = None
    """US dollars."""
    tokens: int | None = None
    """Read and written, from caches too."""
    calls: int | None = None
    """Calls, each try counted."""
    seconds: float | None = None
    """Time that calls take, by the clock."""


@dataclass(frozen=True, slots=True)
class Call:
    """One try, as it stands in the log."""

    conversation: str
    """Whose: the unit's key and source."""
    model: str
    """Who was asked."""
    outcome: str
    """`tool_use`, `end_turn` and so on for a reply, else the kind of fault."""
    usage: Usage
    """Tokens."""
    estimated: bool
    """The server did not say how many tokens it counted: what was sent is taken as read."""
    seconds: float
    """From asking to the end of the answer."""
    cost_usd: float | None
    """None: the model has no price."""


@dataclass(frozen=True, slots=True)
class Total:
    """What several calls cost together."""

    calls: int
    """Tries."""
    tokens: int
    """Read and written."""
    cache_read_tokens: int
    """Of these, read from the cache."""
    cost_usd: float | None
    """None: the model has no price."""
    seconds: float
    """Time of the calls."""


class Accounts:
    """Asked before each call whether it may be made, told what it cost. Safe to use from several threads."""

    def __init__(
        self,
        limits: Limits,
        prices: Prices | None,
        *,
        log: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Starts at nothing spent.

        Args:
            limits: What may be spent.
            prices: Those of the model; None: not known.
            log: Where each call is a line of JSON; None: nowhere.
            now: The clock of the log.

        Raises:
            UsageError: Dollars are limited and the price is not known.
        """
        if limits.cost_usd is not None and prices is None:
            raise UsageError(
                "what this model costs is not known, so its cost cannot be limited",
                hint="add a line for it to search/prices.toml, or to a copy that CC_AGENT_PRICES names; "
                "or leave --max-cost away and limit --max-tokens or --max-calls",
            )
        self._limits, self._prices, self._log, self._now = limits, prices, log, now
        self._calls: list[Call] = []
        self._reserved: list[Usage] = []
        self._turn = threading.Lock()

    def reserve(self, request: Request) -> tuple[Request, Usage]:
        """Sets aside what a call may cost at worst.

        Returns:
            The request, its answer shortened to what can still be paid, and what is set aside: give it to `settle`.

        Raises:
            BudgetSpent: The call could exceed a limit.
        """
        with self._turn:
            spent = _total(self._calls)
            n_calls = len(self._calls) + len(self._reserved)
            if self._limits.calls is not None and n_calls >= self._limits.calls:
                raise BudgetSpent(f"{self._limits.calls} calls are used up")
            if self._limits.seconds is not None and spent.seconds >= self._limits.seconds:
                raise BudgetSpent(f"{self._limits.seconds:g} s of calls are used up")
            n_output = min(request.max_tokens, self._affordable(request, spent))
            if n_output < min(request.max_tokens, _LEAST_OUTPUT_TOKENS):
                raise BudgetSpent(f"the next call could exceed {self._bound()} ({describe(spent)} so far)")
            aside = replace(_estimate(request), output_tokens=n_output)
            self._reserved.append(aside)
            return replace(request, max_tokens=n_output), aside

    def release(self, aside: Usage) -> None:
        """Gives back what was set aside for a call that was not made."""
        with self._turn:
            self._reserved.remove(aside)

    def settle(
        self,
        aside: Usage,
        conversation: str,
        model: str,
        outcome: str,
        usage: Usage | None,
        seconds: float,
        *,
        whole: bool = True,
    ) -> Call:
        """Notes what became of a call; `usage` is None where the server did not say.

        An answer that is not `whole` may have been written to its end: it is counted as long as it could be.
        """
        counted = usage or replace(aside, output_tokens=0)
        if not whole and counted.output_tokens:
            counted = replace(counted, output_tokens=aside.output_tokens)
        cost = self._prices.cost_usd(counted) if self._prices else None
        call = Call(conversation, model, outcome, counted, usage is None or not whole, round(seconds, 3), cost)
        with self._turn:
            self._reserved.remove(aside)
            self._calls.append(call)
            if self._log is not None:
                _append(self._log, {"event": "model-call", "time": self._now().isoformat(), **asdict(call)})
        return call

    def total(self, conversation: str | None = None) -> Total:
        """What was spent, by one conversation or by all."""
        with self._turn:
            return _total([call for call in self._calls if conversation in (None, call.conversation)])

    def _affordable(self, request: Request, spent: Total) -> int:
        """How many tokens an answer may have within the limits, what is set aside for other calls counted as spent."""
        prompt = _estimate(request)
        left = float("inf")
        if self._limits.tokens is not None:
            others = sum(one.total_tokens for one in self._reserved)
            left = self._limits.tokens - spent.tokens - others - prompt.total_tokens
        if self._limits.cost_usd is not None and self._prices is not None:
            others_usd = sum(map(self._prices.cost_usd, self._reserved))
            left_usd = self._limits.cost_usd - (spent.cost_usd or 0.0) - others_usd - self._prices.cost_usd(prompt)
            per_token = self._prices.cost_usd(replace(prompt, output_tokens=1)) - self._prices.cost_usd(prompt)
            left = min(left, left_usd / per_token if per_token else left)
        return int(max(0.0, min(left, float(request.max_tokens))))

    def _bound(self) -> str:
        bounds = [f"${self._limits.cost_usd:g}"] if self._limits.cost_usd is not None else []
        bounds += [f"{self._limits.tokens} tokens"] if self._limits.tokens is not None else []
        return " or ".join(bounds)


def describe(total: Total) -> str:
    """For people: calls, tokens and dollars."""
    cost = "cost unknown" if total.cost_usd is None else f"${total.cost_usd:.4f}"
    return f"{total.calls} calls, {total.tokens} tokens ({total.cache_read_tokens} from the cache), {cost}"


def _estimate(request: Request) -> Usage:
    """What a request has to read, at most; all of it may have to be put into the cache."""
    return Usage(cache_write_tokens=int(len(json.dumps(request.body(""))) / _CHARACTERS_PER_TOKEN))


def _total(calls: list[Call]) -> Total:
    costs = [call.cost_usd for call in calls]
    return Total(
        calls=len(calls),
        tokens=sum(call.usage.total_tokens for call in calls),
        cache_read_tokens=sum(call.usage.cache_read_tokens for call in calls),
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
        seconds=sum(call.seconds for call in calls),
    )


def _append(path: Path, row: dict[str, object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
    except OSError as error:
        raise file_error("write", path, error) from error
