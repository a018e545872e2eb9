"""What the launcher starts on a miss in mode tune: searches one translation unit within CC_AGENT_BUDGET.

Exit status: 0 the lock has a new plan (compile again), 1 nothing better was found, 2 usage, 3 could not run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.messages import show_warnings_plainly
from compiler_agent.app.outcomes import gives_nothing
from compiler_agent.app.records import parse_record
from compiler_agent.app.tune import keep
from compiler_agent.app.unit import TuneOptions, tune_unit
from compiler_agent.app.verification import Demands
from compiler_agent.base.config import Settings, user_cache_directory
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.lock import check_writable
from compiler_agent.base.store import Store
from compiler_agent.llvm.toolchain import discover


def main(arguments: Sequence[str] | None = None) -> int:
    """Tunes the unit of one record into one lock."""
    parser = argparse.ArgumentParser(prog="compiler_agent.app.cc", description=__doc__)
    parser.add_argument("--lock", type=Path, required=True)
    parser.add_argument("--objective", choices=["size"], required=True)
    parser.add_argument("--record-json", required=True)
    given = parser.parse_args(arguments)
    show_warnings_plainly("cc-agent")
    try:
        return _tune(given.lock, given.record_json)
    except CompilerAgentError as error:
        print(f"cc-agent: {error}", file=sys.stderr)
        return 3


def _tune(lock: Path, text: str) -> int:
    settings = Settings.from_environment()
    record = parse_record(text)
    demands = Demands(settings.trust, settings.test_seconds, test_coverage=settings.test_coverage)
    options = TuneOptions(settings.budget, demands=demands)
    check_writable(lock)  # a plan that could not be kept is not searched for
    toolchain = discover()
    with Store.open(user_cache_directory()) as store:
        # A unit that was searched this far before and has no entry in the lock has nothing better to give.
        if record.key and settings.budget.n_evaluations is not None:
            known = store.all_for(record.key, toolchain.digest)
            if len(known) >= settings.budget.n_evaluations and all(gives_nothing(row, demands) for row in known):
                return 1
        result = tune_unit(record, toolchain, options, store)
    for refused in result.refused:
        print(f"cc-agent: {record.source}: not kept ({refused.verdict}): {refused.reason}", file=sys.stderr)
    if result.best is None:
        return 1
    keep([result], lock, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
