"""An episode with GCC: one benchmark, and the options that were chosen. Knows nothing of gymnasium."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from compiler_agent.base.errors import UsageError
from compiler_agent.llvm.engine import Outcome
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.effects import CompilationFailed, Effect
from compiler_agent.search.env.gcc.compiler import Form
from compiler_agent.search.env.gcc.options import Option
from compiler_agent.search.env.gcc.served import GccBaseline, GccMetric, ServedGcc, Words

NO_CHOICE = -1
"""An option that is left to the level."""


class GccEpisode:
    """A benchmark with options; what they make of it is compiled when they are chosen."""

    def __init__(self, served: ServedGcc, options: Sequence[Option]) -> None:
        """Begins at -O0, without any option.

        Raises:
            EngineError: The benchmark does not compile.
        """
        served.figure(GccMetric.OBJECT_BYTES, GccBaseline.O0)
        self.served = served
        self.options = tuple(options)
        self.choices: tuple[int, ...] = (NO_CHOICE,) * len(self.options)
        """For each option the number of the choice, or `NO_CHOICE`."""

    @property
    def benchmark(self) -> Benchmark:
        """What it began with."""
        return self.served.benchmark

    @property
    def words(self) -> Words:
        """The options on the command line, the level first."""
        return self._words_of(self.choices)

    @property
    def plan_text(self) -> str:
        """The same as text; empty: -O0."""
        return " ".join(self.words)

    def choose(self, choices: Sequence[int]) -> Effect:
        """Sets all options at once.

        Args:
            choices: For each option a number of its choices, or `NO_CHOICE`.

        Raises:
            UsageError: There is no such choice.
            CompilationFailed: GCC crashed, hung or used too much memory.
        """
        asked = tuple(int(choice) for choice in choices)
        if len(asked) != len(self.options) or any(map(_is_strange, self.options, asked)):
            raise UsageError(
                f"not {len(self.options)} choices, one for each option",
                hint=f"{NO_CHOICE} leaves an option to the level; other numbers count its choices",
            )
        before = self.content(Form.OBJECT)
        made = self.served.compiled(self._words_of(asked), Form.OBJECT)
        if made.outcome is Outcome.OK:
            self.choices = asked
            return Effect(Outcome.OK, "", made.content != before)
        if made.outcome is Outcome.REJECTED:
            return Effect(made.outcome, made.message, False)
        raise CompilationFailed(made.outcome, made.message)

    def change(self, option: int, choice: int) -> Effect:
        """Sets one option; errors as for `choose`."""
        return self.choose([*self.choices[:option], choice, *self.choices[option + 1 :]])

    def become(self, words: Sequence[str]) -> Effect:
        """Sets the options of a command line, and only those; errors as for `choose`.

        Raises:
            UsageError: One of them is no choice here: no others are given to GCC.
        """
        known = {word: (n, m) for n, option in enumerate(self.options) for m, word in enumerate(option.choices)}
        choices = [NO_CHOICE] * len(self.options)
        for word in words:
            if word not in known:
                raise UsageError(
                    f"{word} is no choice of this environment's options", hint='options="all" has those left out'
                )
            option, choice = known[word]
            choices[option] = choice
        return self.choose(choices)

    def figure(self, metric: GccMetric) -> int:
        """The state's figure for a metric.

        Raises:
            CompilationFailed: GCC does not make what is counted.
        """
        return self.served.measured(self.words, metric)

    def content(self, form: Form) -> bytes:
        """What GCC makes; errors as for `figure`."""
        return self.served.made(self.words, form).content

    def digest(self, form: Form) -> str:
        """SHA-256 of what GCC makes, in hexadecimal; errors as for `figure`."""
        return hashlib.sha256(self.content(form)).hexdigest()

    def shipped(self) -> bytes:
        """The object that a build makes with these options: compiled anew.

        Raises:
            CompilationFailed: It makes none.
        """
        return self.served.made(self.words, Form.OBJECT, fresh=True).content

    def plain(self) -> bytes:
        """The object at -O0."""
        return self.served.made((), Form.OBJECT).content

    def checkpoint(self) -> Callable[[], None]:
        """What gives the episode its options of now back, after a step that does not count."""
        choices = self.choices

        def undo() -> None:
            self.choices = choices

        return undo

    def fork(self) -> GccEpisode:
        """Another episode that goes on from here by itself."""
        other = GccEpisode.__new__(GccEpisode)
        other.__dict__.update(self.__dict__)
        return other

    def close(self) -> None:
        """There is nothing to end."""

    def _words_of(self, choices: Sequence[int]) -> Words:
        chosen = zip(self.options, choices, strict=True)
        return tuple(option.choices[choice] for option, choice in chosen if choice != NO_CHOICE)


def _is_strange(option: Option, choice: int) -> bool:
    return not NO_CHOICE <= choice < len(option.choices)
