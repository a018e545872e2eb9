"""What a language model is shown of a benchmark in a peer: its counts and its IR, before optimization."""

from __future__ import annotations

import re

from compiler_agent.base.errors import UsageError
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.peer.agents import PeerEvaluator

_CHARACTERS_PER_TOKEN = 3
_FUNCTION = re.compile(r"^define .*?@\"?([\w.$]+)\"?\(.*?^}", re.MULTILINE | re.DOTALL)


class PeerObserver:
    """One benchmark; there is no llvm-mca, there are no remarks and no analyses of loops."""

    def __init__(self, evaluator: PeerEvaluator) -> None:
        self._evaluator = evaluator
        evaluator.env.run(())  # what is shown is the module before the first pass
        process = evaluator.env.process
        self._counts: dict[str, int] = process.observe("InstCount")
        self._text: str = process.observe("Ir")

    def packet(self, token_budget: int) -> str:
        """The module in counts, then as much of its text as there is room for."""
        counts = " ".join(f"{name}={count}" for name, count in self._counts.items())
        peer = self._evaluator.env.peer
        text = f"compiler: {peer.name}\n{counts}\n\n{self._text}"
        return text[: token_budget * _CHARACTERS_PER_TOKEN]

    def show_function(self, name: str) -> str:
        """The IR of one function."""
        for found in _FUNCTION.finditer(self._text):
            if found[1] == name:
                return found[0]
        raise UsageError(f"there is no function {name}", hint="the packet names them")

    def show_loop(self, function: str, loop: int) -> str:
        """Not to be had."""
        raise UsageError("the peer analyses no loops", hint="show_function")

    def show_mca(self, function: str) -> str:
        """Not to be had."""
        raise UsageError("the peer has no llvm-mca", hint="show_function")

    def show_remarks(self, function: str) -> str:
        """Not to be had."""
        raise UsageError("the peer makes no remarks", hint="show_function")

    def try_pass_effect(self, pipeline: str) -> str:
        """What a pipeline makes of the module, in what is counted."""
        found = self._evaluator.evaluate(Plan.parse(f"-passes={pipeline}"))
        first = self._evaluator.env.loaded.first
        return f"{first} before, {found.value} after" if found.value is not None else f"{found.verdict}: {found.reason}"
