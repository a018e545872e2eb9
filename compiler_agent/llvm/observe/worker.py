"""The process in which LLVM looks at a module, so that a pass that crashes, hangs or eats memory ends nothing else.

python -m compiler_agent.llvm.observe.worker summary BITCODE
python -m compiler_agent.llvm.observe.worker effects BITCODE PLAN
python -m compiler_agent.llvm.observe.worker code BITCODE PLAN

The answer is the library's JSON on standard output; that to `code` has the bytes of each function as well.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from compiler_agent.base.errors import CompilerAgentError, EngineError, PlanError
from compiler_agent.base.process import run
from compiler_agent.llvm.library import Library

TIMEOUT_S = 120.0
MEMORY_BYTES = 4 << 30


def ask(what: str, bitcode: Path, *arguments: str) -> str:
    """Asks a process of its own; arguments as above.

    Raises:
        PlanError: LLVM does not accept the plan.
        EngineError: LLVM crashed, or was not done within its time and memory.
    """
    command = [sys.executable, "-m", "compiler_agent.llvm.observe.worker", what, str(bitcode), *arguments]
    done = run(command, timeout_s=TIMEOUT_S, memory_bytes=MEMORY_BYTES)
    if done.status == 0:
        return done.stdout.decode()
    words = done.stderr.decode("utf-8", "replace").strip()[-1000:]
    if done.timed_out:
        raise EngineError(f"LLVM was not done with the module's {what} after {TIMEOUT_S:g} s")
    if done.status == PlanError.exit_code:
        raise PlanError(words)
    raise EngineError(f"LLVM could not give the module's {what}: {words or f'status {done.status}'}")


def main(what: str, bitcode: str, plan: str = "") -> None:
    """Answers on standard output."""
    with Library().parse(Path(bitcode).read_bytes(), "module") as module:
        if what == "summary":
            answer = module.summary()
        else:
            answer = module.run_counting(plan)
            if what == "code":
                answer = json.dumps({**json.loads(answer), "bytes": dict(module.emit(plan).functions)})
    sys.stdout.write(answer)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except CompilerAgentError as error:
        print(error.message, file=sys.stderr)
        sys.exit(error.exit_code)
