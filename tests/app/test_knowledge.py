"""What one tune learns, the next one on a similar unit begins with, and the lock says so."""

import json
from pathlib import Path

from compiler_agent.base.store import Store
from compiler_agent.llvm.toolchain import discover

from .programs import WEIGH_C, Project


def test_a_tune_begins_with_what_worked_on_a_similar_unit(project: Project) -> None:
    done = project.agent("tune", "--budget", "15", "weigh.c")
    assert done.returncode == 0, done.stderr
    ((learned, entry),) = project.plans().items()
    assert "neighbours" not in entry["evidence"]
    (project.directory / "similar.c").write_text(WEIGH_C.replace("j < 4", "j < 5"))
    cache = Path(project.environment["CC_AGENT_CACHE"])
    locks = []
    for name in ("first", "second"):
        done = project.agent("tune", "--strategy", "neighbours", "--budget", "4", "--lock", name, "similar.c")
        assert done.returncode == 0, done.stderr
        locks.append((project.directory / name).read_bytes())
    assert locks[0] == locks[1], "it never begins with its own plans"
    ((key, similar),) = json.loads(locks[0])["plans"].items()
    assert similar["evidence"]["neighbours"] == [learned]
    assert similar["evidence"]["strategy"] == "neighbours"
    with Store.open(cache) as store:
        tried = [row.plan for row in store.all_for(key, discover().digest)]
    assert entry["plan"] in tried
