"""bench mutants and bench false-alarms: with a small unit of their own, and testers whose answers are known."""

import json
import signal
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from compiler_agent.app import bench_false_alarms, bench_mutants, bench_mutants_report
from compiler_agent.app.bench_journal import Journal, in_parallel
from compiler_agent.app.bench_mutants import Bench, Settings
from compiler_agent.app.bench_mutants_build import Compiled, compile_unit, emit, list_sites, make_mutant
from compiler_agent.app.bench_mutants_exhaustive import Exhaustive
from compiler_agent.app.bench_mutants_judge import Answer, Proof, Reply, Truth
from compiler_agent.app.bench_mutants_oracles import InTurn, Validator
from compiler_agent.app.bench_mutants_sample import candidates, choose_functions
from compiler_agent.app.libraries import Part, TranslationUnit
from compiler_agent.base.errors import CompilerAgentError, FileError, UsageError

SOURCE = """
static int inner(int a) { return a / 4; }
int quarter(short a) { return inner(a); }
unsigned char mix(unsigned char a, unsigned char b) { return (a & 15) | (b << 4); }
int sum(const int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }
void fill(char *p, int n, char value) { for (int i = 0; i < n; i++) p[i] = value; }
int pick(int a, int b, int c) { if (a < b) return c - a; if (b == 7) return a - b; return a * 3; }
"""


@pytest.fixture
def unit(tmp_path: Path) -> TranslationUnit:
    (tmp_path / "small.c").write_text(SOURCE)
    return TranslationUnit("small", Part.TRAINING, "c", "small.c", tmp_path, ("-DUNUSED=1", "small.c"))


@pytest.fixture
def compiled(unit: TranslationUnit, tmp_path: Path) -> Compiled:
    return compile_unit(unit, "-O2", tmp_path / "modules")


class ByObject:
    """Answers by what the object is, as a tester would; notes what it was asked."""

    def __init__(self, *, deaf_to: Sequence[str] = (), broken_for: Sequence[str] = ()) -> None:
        self.asked: list[tuple[str, float]] = []
        self.deaf_to = deaf_to
        self.broken_for = broken_for
        self.lock = threading.Lock()

    def test(
        self, argv: Sequence[str], cwd: Path, candidate: Path, functions: Sequence[str], *, seconds: float, seed: int
    ) -> dict[str, Reply]:
        assert candidate.read_bytes()[:4] == b"\x7fELF"
        answers = {}
        for function in functions or ("quarter", "mix"):
            with self.lock:
                self.asked.append((function, seconds))
            if function in self.broken_for:
                raise CompilerAgentError("the tester broke")
            answer = Answer.PASSED if function in self.deaf_to and seconds < 100 else Answer.ALARM
            answers[function] = Reply(answer, "so it is", 0.1, 0.5, 7)
        return answers


class NoProof:
    def prove(self, compiled: Compiled, function: str, mutant: Path) -> Proof:
        assert mutant.read_bytes()[:2] == b"BC"
        return Proof(Truth.UNDECIDED, "not tried")


@pytest.fixture
def settings(unit: TranslationUnit, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(bench_mutants, "configured_units", lambda names, directory: [unit])
    return Settings(libraries=("small",), levels=("-O2",), n_functions=4, n_mutants=5)


def test_the_optimized_bitcode_gives_clangs_object(compiled: Compiled, unit: TranslationUnit, tmp_path: Path) -> None:
    assert emit(compiled, compiled.bitcode)  # compile_unit has compared it
    sites = list_sites(compiled)
    assert {site.function for site in sites} == {"quarter", "mix", "sum", "fill", "pick"}
    assert {site.line for site in sites if site.function == "mix"} == {4}
    assert compile_unit(unit, "-O2", tmp_path / "modules") == compiled
    assert list_sites(compiled) == sites


def test_the_sample_is_even_and_repeats(compiled: Compiled) -> None:
    sites = list_sites(compiled)
    functions = choose_functions({"small/small.c": (compiled, sites)}, 4, seed=3, fewest_sites=2)
    assert len(functions) == 4
    order = list(candidates([(compiled, sites)], functions, seed=3))
    assert order == list(candidates([(compiled, sites)], functions, seed=3))
    assert order != list(candidates([(compiled, sites)], functions, seed=4))
    assert len(order) == sum(("small/small.c", site.function) in functions for site in sites)
    kinds = {candidate.site.kind for candidate in order}
    assert {candidate.site.kind for candidate in order[: len(kinds)]} == kinds
    drawn = Counter(candidate.site.function for candidate in order[: len(kinds)])
    assert len(drawn) == 4


def test_mutants_are_made_tested_and_judged(settings: Settings, tmp_path: Path) -> None:
    tester = ByObject(deaf_to=["fill"])
    bench = Bench(settings, tmp_path / "bench", tester, NoProof(), 2)
    bench.run()
    rows = bench_mutants_report.mutants(bench.journal)
    assert len(rows) == 5
    assert len({row["digest"] for row in rows}) == 5
    for row in rows:
        assert row["answer"] == ("passed" if row["function"] == "fill" else "alarm")
        if row["function"] == "fill":  # the long run gets to it, and so does the trap's
            assert (row["truth"], row["reached"]) == ("wrong", False)
    n_fill = sum(row["function"] == "fill" for row in rows)
    assert n_fill
    whole = bench_mutants_report.render(bench.journal, Console(quiet=True))
    assert (whole.total, whole.caught, whole.wrong, whole.undecided) == (5, 5 - n_fill, n_fill, 0)
    assert whole.rate == whole.lower_bound == (5 - n_fill) / 5
    assert whole.lower_bound_reached == 1.0

    again = ByObject()
    Bench(settings, tmp_path / "bench", again, NoProof(), 1).run()
    assert again.asked == []


def test_what_the_tester_cannot_do_is_not_caught(settings: Settings, tmp_path: Path) -> None:
    bench = Bench(settings, tmp_path / "bench", ByObject(broken_for=["sum", "fill"]), NoProof(), 1)
    bench.run()
    whole = bench_mutants_report.render(bench.journal, Console(quiet=True))
    assert whole.refused
    assert whole.refused + whole.caught == whole.total
    assert whole.strictest == whole.caught / whole.total


def test_an_interrupt_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    class Interrupting(ByObject):
        def test(self, *arguments: object, **options: object) -> dict[str, Reply]:
            if len(self.asked) == 3:
                signal.raise_signal(signal.SIGINT)
            return super().test(*arguments, **options)  # type: ignore[arg-type]

    first = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        Bench(settings, tmp_path / "bench", first, NoProof(), 1).run()
    n_before = len(list(Journal(tmp_path / "bench" / "journal.jsonl", _kept(settings)).rows("tested")))
    assert n_before >= 3
    second = ByObject()
    bench = Bench(settings, tmp_path / "bench", second, NoProof(), 1)
    bench.run()
    assert len(second.asked) == 5 - n_before
    assert len(list(bench.journal.rows("tested"))) == 5


def _kept(settings: Settings) -> dict[str, object]:
    names = ("libraries", "levels", "n_functions", "seconds", "seed")
    return {name: getattr(settings, name) for name in names}


def test_a_refutation_on_ir_alone_counts_against_the_tester(settings: Settings, tmp_path: Path) -> None:
    class Refuted:
        def prove(self, compiled: Compiled, function: str, mutant: Path) -> Proof:
            return Proof(Truth.WRONG, "x = 1")

    class Deaf(ByObject):
        def test(self, *arguments: object, **options: object) -> dict[str, Reply]:
            options["seconds"] = 1.0
            return super().test(*arguments, **options)  # type: ignore[arg-type]

    bench = Bench(settings, tmp_path / "bench", Deaf(deaf_to=["fill", "sum", "pick", "mix", "quarter"]), Refuted(), 1)
    bench.run()
    judged = [row for _, row in bench.journal.rows("judged")]
    assert {row["truth"] for row in judged} == {"wrong"}
    assert all("not confirmed by a run" in row["how"] for row in judged)


def test_all_inputs(compiled: Compiled, tmp_path: Path) -> None:
    def truth(function: str, kind: str) -> Truth:
        site = next(site for site in list_sites(compiled) if (site.function, site.kind) == (function, kind))
        make_mutant(compiled, site, tmp_path / "mutant.bc")
        return Exhaustive().prove(compiled, function, tmp_path / "mutant.bc").truth

    assert truth("quarter", "division-as-shift") is Truth.UNDECIDED  # -1 / 4 differs
    assert truth("mix", "mask-bit-lost") is Truth.UNDECIDED
    assert truth("sum", "loop-bound-more") is Truth.UNDECIDED  # it reads memory
    same = Exhaustive().prove(compiled, "quarter", compiled.bitcode)
    assert same == Proof(Truth.EQUIVALENT, "the same result for all 65536 inputs")


def test_the_validator_decides(compiled: Compiled, tmp_path: Path) -> None:
    def proof(function: str, kind: str) -> Proof:
        site = next(site for site in list_sites(compiled) if (site.function, site.kind) == (function, kind))
        make_mutant(compiled, site, tmp_path / "mutant.bc")
        return InTurn([Exhaustive(), Validator()]).prove(compiled, function, tmp_path / "mutant.bc")

    wrong = proof("pick", "compare-strictness")
    assert wrong.truth is Truth.WRONG
    assert "argument 0 = " in wrong.reason
    assert Validator().prove(compiled, "pick", compiled.bitcode).truth is Truth.EQUIVALENT


def test_false_alarms_are_counted(
    unit: TranslationUnit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_false_alarms, "configured_units", lambda names, directory: [unit])
    settings = bench_false_alarms.Settings(libraries=("small",), levels=("-O1", "-Oz"), n_functions=4)
    tester = ByObject(deaf_to=["mix"])
    journal = bench_false_alarms.run(settings, tmp_path / "bench", tester, 1)
    assert bench_false_alarms.render(journal, Console(width=120)) == 2  # quarter, at both levels
    assert "FALSE ALARM: small/small.c -O1 quarter" in capsys.readouterr().out
    again = ByObject()
    bench_false_alarms.run(settings, tmp_path / "bench", again, 1)
    assert again.asked == []


def test_a_journal_belongs_to_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    journal = Journal(path, {"seed": 1})
    journal.note("made", "a", fate="kept")
    journal.note("made", "a", fate="identical")
    with path.open("a") as file:
        file.write('{"event": "made", "key": "cut o')
    again = Journal(path, {"seed": 1})
    assert [row["fate"] for _, row in again.rows("made")] == ["identical"]
    again.note("made", "b", fate="kept")
    assert len(list(Journal(path, {"seed": 1}).rows("made"))) == 2
    with pytest.raises(UsageError, match="other settings"):
        Journal(path, {"seed": 2})
    path.write_text(json.dumps({"format": "another"}) + "\n{}\n")
    with pytest.raises(FileError, match="no journal"):
        Journal(path, {"seed": 1})


def test_parallel_work_comes_in_order_and_is_not_begun_too_early() -> None:
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        return number * number

    found = []
    for number, future in in_parallel(iter(range(100)), work, 3):
        found.append((number, future.result()))
        assert len(begun) <= len(found) + 6
        if number == 9:
            break
    assert found == [(number, number * number) for number in range(10)]
    assert len(begun) < 20
