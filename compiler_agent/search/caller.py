"""Calls a language model: within the accounts, again where it may help, and never longer than the user waits."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from compiler_agent.base.errors import CompilerAgentError, Interrupted
from compiler_agent.search.accounts import Accounts, Total
from compiler_agent.search.chat import Model, ModelFault, Reply, Request, Usage

_TRIES = 5
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Interruptible:
    """A model that nobody has to wait for once the user has asked to stop."""

    model: Model
    """Who answers."""
    should_stop: Callable[[], bool]
    """Whether the user has asked to stop."""

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def reply(self, request: Request, timeout_s: float) -> Reply:
        """Asks in a thread that ends with the process: a call that is waited for in vain can then be left alone.

        Raises:
            ModelFault: There is no reply.
            Interrupted: The user asked to stop before there was one.
        """
        answers: list[Reply | BaseException] = []

        def ask() -> None:
            try:
                answers.append(self.model.reply(request, timeout_s))
            except BaseException as error:
                answers.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_POLL_S)
            if not answers and self.should_stop():
                raise Interrupted("interrupted while the language model was asked")
        (answer,) = answers
        if isinstance(answer, BaseException):
            raise answer
        return answer


@dataclass(slots=True)
class Caller:
    """The way from one conversation to its model."""

    model: Model
    """Who answers."""
    accounts: Accounts
    """What may be spent, and what was."""
    conversation: str
    """Names it in the accounts."""
    should_stop: Callable[[], bool] = lambda: False
    """Whether the user has asked to stop."""
    say: Callable[[str], None] = lambda text: None
    """Told of each try that failed."""
    timeout_s: float = 300.0
    """For one try."""
    wait: Callable[[float], None] = time.sleep
    """Lets time pass between tries."""
    rng: random.Random = field(default_factory=random.Random)
    """Of the waits; no outcome depends on it."""

    def reply(self, request: Request) -> Reply:
        """The model's reply, after as many tries as it takes and are allowed.

        Raises:
            BudgetSpent: What may be spent would not suffice for the next try.
            ModelFault: No try gave a reply, or none can.
            Interrupted: The user asked to stop.
        """
        for n_try in range(1, _TRIES + 1):
            try:
                return self._try(request)
            except ModelFault as fault:
                if not fault.fault.may_pass or n_try == _TRIES:
                    raise
                wait_s = self._wait_s(n_try, fault)
                self.say(f"{fault.message}; try {n_try} of {_TRIES}, again in {wait_s:.1f} s")
            self._pause(wait_s)
        raise AssertionError("the last try returns or raises")

    @property
    def spent(self) -> Total:
        """What this conversation cost so far."""
        return self.accounts.total(self.conversation)

    def _try(self, request: Request) -> Reply:
        request, aside = self.accounts.reserve(request)
        started_s = time.monotonic()

        def settle(outcome: str, usage: Usage | None, *, whole: bool = True) -> None:
            seconds = time.monotonic() - started_s
            self.accounts.settle(aside, self.conversation, self.model.name, outcome, usage, seconds, whole=whole)

        try:
            reply = self.model.reply(request, self.timeout_s)
        except ModelFault as fault:
            settle(fault.fault.value, fault.usage, whole=fault.usage is None or not fault.usage.output_tokens)
            raise
        except Interrupted:
            settle("interrupted", None)
            raise
        except CompilerAgentError:  # a replay has no such call
            self.accounts.release(aside)
            raise
        settle(reply.stop_reason, reply.usage)
        return reply

    def _wait_s(self, n_try: int, fault: ModelFault) -> float:
        if fault.retry_after_s is not None:
            return min(fault.retry_after_s, _LONGEST_WAIT_S)
        # Doubled each time, and shaken, so that many who were turned away together do not come back together.
        return min(_FIRST_WAIT_S * 2 ** (n_try - 1), _LONGEST_WAIT_S) * self.rng.uniform(0.5, 1.0)

    def _pause(self, seconds: float) -> None:
        while seconds > 0:
            if self.should_stop():
                raise Interrupted("interrupted while waiting for the language model")
            self.wait(min(seconds, 0.2))
            seconds -= 0.2
