"""Alive2's `alive-tv`, where it is on the PATH: one function at a time, within time and memory.

Its exit status says little (it is 0 for an incorrect transformation, too), so its summary is what is read, and a
summary that does not add up to one function is no answer. Of loops it looks at the first rounds only, and does not say
so: where there are any, that the transformation "seems to be correct" is not taken for a proof.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

from compiler_agent.base.config import search_path
from compiler_agent.base.process import Completed, run
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.validate.flow import flow_of
from compiler_agent.evaluation.validate.ir import read_module
from compiler_agent.evaluation.validate.verdict import FunctionVerdict, Outcome
from compiler_agent.llvm.library import Library

_SUMMARY = re.compile(
    r"^Summary:\s*$\s+(\d+) correct transformations\s+(\d+) incorrect transformations\s+"
    r"(\d+) failed-to-prove transformations\s+(\d+) Alive2 errors\s*$",
    re.MULTILINE,
)
_ERROR = re.compile(r"^ERROR: (.*)$", re.MULTILINE)
_EXAMPLE = re.compile(r"^Example:\n(.*?)^\s*$", re.MULTILINE | re.DOTALL)
_INPUT = re.compile(r"^(.+?) = (.+)$", re.MULTILINE)
_GRACE_S = 5.0
MEMORY_BYTES = 4 << 30
"""Address space of alive-tv."""


def find(program: str = "alive-tv") -> Path | None:
    """Where it is; None if it is not on the PATH."""
    found = shutil.which(program, path=search_path())
    return Path(found) if found else None


def validate_with_alive(
    program: Path,
    before: bytes,
    after: bytes,
    function: str,
    *,
    seconds: float = 10.0,
    memory_bytes: int = MEMORY_BYTES,
    library: Library | None = None,
) -> FunctionVerdict:
    """Asks alive-tv about one function.

    Args:
        program: The alive-tv to run.
        before: The module as it was: bitcode.
        after: The module after optimization: bitcode.
        function: Its name in both.
        seconds: Time limit, on the clock.
        memory_bytes: Limit of the address space.
        library: The loaded native component.

    Raises:
        EngineError: A module cannot be read.
        ToolError: It could not be started.
    """
    started = time.monotonic()
    native = library or Library()
    loops = any(_has_loops(native, content, function) for content in (before, after))
    with ScratchDirectory(prefix="cc-agent-alive-") as directory:
        paths = [Path(directory) / name for name in ("before.bc", "after.bc")]
        for path, content in zip(paths, (before, after), strict=True):
            path.write_bytes(content)
        done = run(
            [program, f"--func={function}", f"--smt-to={int(seconds * 1000)}", *paths],
            cwd=directory,
            timeout_s=seconds + _GRACE_S,
            memory_bytes=memory_bytes,
        )
    outcome, reason, example = read_output(done)
    if outcome is Outcome.PROVED and loops:
        outcome, reason = Outcome.NOT_ESTABLISHED, "alive-tv found no difference in the first rounds of the loops"
    return FunctionVerdict(
        function, outcome, reason, "alive2", counterexample=example, time_s=time.monotonic() - started
    )


def read_output(done: Completed) -> tuple[Outcome, str, tuple[tuple[str, str], ...]]:
    """The outcome, the reason and the counterexample that a run of alive-tv shows."""
    text = (done.stdout + b"\n" + done.stderr).decode("utf-8", "replace")
    if done.timed_out:
        return Outcome.NOT_ESTABLISHED, "alive-tv did not end in time", ()
    if done.output_truncated:
        return Outcome.NOT_ESTABLISHED, "alive-tv wrote more than is read", ()
    summaries = _SUMMARY.findall(text)
    if len(summaries) != 1:
        return Outcome.NOT_ESTABLISHED, f"alive-tv ended with status {done.status} and no summary{_first(text)}", ()
    correct, incorrect, failed, errors = (int(count) for count in summaries[0])
    if correct + incorrect + failed + errors != 1:
        return Outcome.NOT_ESTABLISHED, f"alive-tv speaks of {correct + incorrect + failed + errors} functions", ()
    if done.status < 0:
        return Outcome.NOT_ESTABLISHED, f"alive-tv was ended by signal {-done.status}", ()
    if correct:
        return Outcome.PROVED, "alive-tv: the transformation seems to be correct", ()
    if incorrect:
        example = _EXAMPLE.search(text + "\n")
        inputs = tuple(_INPUT.findall(example[1])) if example else ()
        return Outcome.REFUTED, f"alive-tv{_first(text)}", inputs
    return Outcome.NOT_ESTABLISHED, f"alive-tv {'failed to prove it' if failed else 'had an error'}{_first(text)}", ()


def _has_loops(native: Library, content: bytes, function: str) -> bool:
    with native.parse(content, "module") as module:
        found = read_module(module.json()).functions.get(function)
    return found is None or not found.defined or bool(flow_of(found).heads)


def _first(text: str) -> str:
    found = _ERROR.search(text)
    return f": {found[1].strip()}" if found else ""
