"""`compiler-agent verify`: what it finds of each plan, and what it takes out of a lock."""

import dataclasses
import json

from compiler_agent.base import lock as locks
from compiler_agent.base.lock import Lock

from .programs import Project


def test_wrong_plans_are_found_and_taken_out_on_request_and_no_others(project: Project) -> None:
    assert project.agent("tune", "--budget", "8", "weigh.c", "main.c").returncode == 0
    assert project.agent("verify", project.lock).returncode == 0
    entries = Lock.load(project.lock).plans
    (good,) = [key for key, entry in entries.items() if entry.source == "main.c"]
    (bad,) = [key for key, entry in entries.items() if entry.source == "weigh.c"]
    unknown = "f" * 32 + "-O2s0"  # nobody here knows how it is compiled: that says nothing against its plan
    wrong = {
        bad: dataclasses.replace(entries[bad], plan="-passes=cc-agent-test-crash"),
        unknown: dataclasses.replace(entries[bad], source="elsewhere.c"),
    }
    locks.update(project.lock, wrong, replace=True)
    before = project.lock.read_bytes()

    done = project.agent("verify", "--json", project.lock)
    assert done.returncode == 1
    verdicts = {row["key"]: (row["verdict"], row["was_judged"]) for row in json.loads(done.stdout)}
    assert verdicts == {
        good: ("established", True),
        bad: ("rejected", True),
        unknown: ("not-established", False),
    }
    assert project.lock.read_bytes() == before

    done = project.agent("verify", "--remove", project.lock)
    assert done.returncode == 1
    assert "1 of 3 plans were taken out of" in done.stderr
    assert set(project.plans()) == {good, unknown}
