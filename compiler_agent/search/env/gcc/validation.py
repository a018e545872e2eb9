"""Whether a state with GCC is right: it can be had again, and its program does what it does at -O0.

Functions are not tested one by one: that needs LLVM's IR of the unit and is about LLVM's passes.
"""

from __future__ import annotations

from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.search.env.effects import CompilationFailed
from compiler_agent.search.env.gcc.compiler import Form
from compiler_agent.search.env.gcc.episode import GccEpisode
from compiler_agent.search.env.linking import linked_program
from compiler_agent.search.env.validation import Validation, Validity, of_program


def validate(episode: GccEpisode) -> Validation:
    """Validates the state of an episode, which stays as it is."""
    try:
        content = episode.shipped()
        if content != episode.content(Form.OBJECT):
            return Validation(Validity.WRONG, "compiled again with the same options, it is another object")
        if content == episode.plain():
            return Validation(Validity.OKAY, "it is the object of -O0")
        with linked_program(episode) as program:
            if program is None:
                return Validation(Validity.NOT_ESTABLISHED, f"{episode.benchmark.uri} has no program that could be run")
            return of_program(program.test(content))
    except CompilationFailed as error:
        return Validation(Validity.WRONG, f"it cannot be had again: {error.outcome}: {error.reason}")
    except CompilerAgentError as error:
        return Validation(Validity.NOT_ESTABLISHED, error.message)
