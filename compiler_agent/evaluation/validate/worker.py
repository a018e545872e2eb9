"""The process in which functions are checked: it may be killed at any time.

`python -m compiler_agent.evaluation.validate.worker SOURCE.json TARGET.json OPTIONS`: one function's name per line on
stdin, one verdict as a line of JSON on stdout.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import threading
from pathlib import Path

_STACK_BYTES = 512 << 20
_DEEPEST = 200_000


def main() -> None:
    """Answers until stdin ends."""
    source_path, target_path, options_text = sys.argv[1:4]
    from compiler_agent.evaluation.validate.check import check_function
    from compiler_agent.evaluation.validate.ir import read_module
    from compiler_agent.evaluation.validate.verdict import FunctionVerdict, Outcome

    options = json.loads(options_text)
    source, target = (read_module(Path(path).read_text()) for path in (source_path, target_path))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name = json.loads(line)
        try:
            verdict = check_function(source, target, name, **options)
        except Exception as error:  # a fault of ours says nothing of the function
            reason = f"the checker failed: {type(error).__name__}: {error}"
            verdict = FunctionVerdict(name, Outcome.NOT_ESTABLISHED, reason, "z3")
        data = dataclasses.asdict(verdict)
        data["outcome"] = verdict.outcome.value
        print(json.dumps(data), flush=True)


if __name__ == "__main__":
    # z3 walks terms recursively, and so do we: long functions make deep terms.
    sys.setrecursionlimit(_DEEPEST)
    threading.stack_size(_STACK_BYTES)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
