"""bench mutants and bench false-alarms: with a small unit of their own, and testers whose answers are known."""

import contextlib
import dataclasses
import json
import signal
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from compiler_agent.app import bench_false_alarms, bench_mutants, bench_mutants_report
from compiler_agent.app.bench_mutants import Bench, Limits, Settings
from compiler_agent.app.bench_mutants_build import Compiled, Site, compile_unit, emit, list_sites, make_mutant
from compiler_agent.app.bench_mutants_exhaustive import Exhaustive
from compiler_agent.app.bench_mutants_judge import Answer, Proof, Reply, Truth
from compiler_agent.app.bench_mutants_oracles import Optimizer, Validator, without_noalias
from compiler_agent.app.bench_mutants_sample import candidates, choose_functions
from compiler_agent.base.errors import CompilerAgentError, FileError, ToolchainError, UsageError
from compiler_agent.base.journal import Journal, in_parallel
from compiler_agent.evaluation.libraries import Library, Part, TranslationUnit

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

    def prepare(self, argv: Sequence[str], cwd: Path) -> Sequence[str]:
        return ("quarter", "mix", "main")

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


class Says:
    """A prover that says the same of all mutants of some functions, and nothing of the others."""

    limited = True

    def __init__(self, truth: Truth = Truth.UNDECIDED, functions: Sequence[str] = (), name: str = "validator") -> None:
        self.truth = truth
        self.functions = functions
        self.name = name
        self.asked: list[str] = []

    def prove(self, compiled: Compiled, site: Site, mutant: Path, seconds: float) -> Proof:
        assert mutant.read_bytes()[:2] == b"BC"
        self.asked.append(site.function)
        return Proof(self.truth if site.function in self.functions else Truth.UNDECIDED, "so it is")


def bench_in(directory: Path, settings: Settings, tester: ByObject, *provers: Says, jobs: int = 1) -> Bench:
    return Bench(settings, Limits(), directory / "bench", tester, provers, jobs)


def rows_of(bench: Bench) -> list[dict[str, Any]]:
    return bench_mutants_report.render(bench.mutants, bench.tests, bench.settings.n_mutants, Console(quiet=True))


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


def test_mutants_are_made_tested_and_confirmed(settings: Settings, tmp_path: Path) -> None:
    tester = ByObject(deaf_to=["fill"])
    bench = bench_in(tmp_path, settings, tester, Says(), jobs=2)
    bench.run()
    rows = rows_of(bench)
    assert len(rows) == 5
    assert len({row["digest"] for row in rows}) == 5
    for row in rows:
        assert row["fate"] == ("wrong" if row["function"] == "fill" else "caught")  # the long run gets to it
        assert row["reached"] == (False if row["function"] == "fill" else None)  # and so does the trap's
    n_fill = sum(row["function"] == "fill" for row in rows)
    assert n_fill
    whole = bench_mutants_report.tally(rows)
    assert (whole.total, whole.caught, whole.wrong, whole.undecided) == (5, 5 - n_fill, n_fill, 0)
    assert whole.rate == whole.lower_bound == whole.rate_where_tested == (5 - n_fill) / 5
    assert whole.unreached == n_fill
    assert len(bench_mutants_report.mutants(bench.mutants, bench.tests, 3)) == 3
    figures = bench_mutants_report.summary(rows)
    assert figures["library"]["small"] == figures["part"]["training"] == figures["all"]
    assert figures["all"]["caught"] == 5 - n_fill

    again = ByObject()
    bench_in(tmp_path, settings, again, Says()).run()
    assert again.asked == []


def test_without_the_mutator_nothing_is_begun(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC_AGENT_NATIVE", str(tmp_path / "empty"))
    with pytest.raises(ToolchainError, match="cc-agent-mutate is not built"):
        bench_in(tmp_path / "state", settings, ByObject()).run()


def test_phases_can_be_had_one_by_one(settings: Settings, tmp_path: Path) -> None:
    prover, tester = Says(Truth.EQUIVALENT, ["fill"]), ByObject(deaf_to=["sum", "pick", "mix", "quarter"])
    bench = bench_in(tmp_path, settings, tester, prover)
    bench.run(("make",))
    assert (prover.asked, tester.asked) == ([], [])
    bench.run(("judge",))
    assert len(prover.asked) == 5
    assert tester.asked == []
    bench.run(("test",))
    assert tester.asked
    assert "fill" not in [function for function, _ in tester.asked]
    whole = bench_mutants_report.tally(rows_of(bench))
    assert whole.equivalent["validator"] == prover.asked.count("fill")
    assert whole.undecided == whole.tested == 5 - whole.equivalent["validator"]
    assert (whole.rate, whole.lower_bound) == (None, 0.0)
    bench.run(("judge",))  # they had as much time already
    assert len(prover.asked) == 5
    bench.limits = Limits(judge_seconds=50)
    bench.run(("judge",))
    assert len(prover.asked) == 5 + whole.undecided


def test_what_the_tester_cannot_do_is_not_caught(settings: Settings, tmp_path: Path) -> None:
    bench = bench_in(tmp_path, settings, ByObject(broken_for=["sum", "fill"]), Says())
    bench.run()
    whole = bench_mutants_report.tally(rows_of(bench))
    assert whole.refused
    assert whole.refused + whole.caught == whole.total
    assert whole.rate == whole.lower_bound == whole.caught / whole.total
    assert whole.rate_where_tested == 1.0


def test_what_the_ledger_would_not_count_is_refused(settings: Settings, tmp_path: Path) -> None:
    class Hasty(ByObject):
        def test(self, *where: Any, **how: Any) -> dict[str, Reply]:
            found = super().test(*where, **how)
            return {name: dataclasses.replace(reply, coverage=0.49) for name, reply in found.items()}

    bench = bench_in(tmp_path, settings, Hasty(deaf_to=["fill"]), Says())
    bench.run(("make", "judge", "test"))
    rows = rows_of(bench)
    assert {row["fate"] for row in rows} == {"refused", "caught"}, "an alarm counts whatever was reached"
    assert {row["how"] for row in rows if row["fate"] == "refused"} == {"tested with 49% of its edges"}
    whole = bench_mutants_report.tally(rows)
    assert whole.kept_out == 1.0 > whole.lower_bound


def test_contradictions_are_shouted(settings: Settings, tmp_path: Path) -> None:
    bench = bench_in(tmp_path, settings, ByObject(), Says())
    bench.run()
    first, second = [row["key"] for row in rows_of(bench)][:2]
    bench.mutants.note("judged", f"{first} optimizer", mutant=first, prover="optimizer", truth="equivalent", how="a")
    bench.mutants.note("judged", f"{second} optimizer", mutant=second, prover="optimizer", truth="equivalent", how="a")
    bench.mutants.note("judged", f"{second} validator", mutant=second, prover="validator", truth="wrong", how="b")
    misses = "\n".join(bench_mutants_report.misses(rows_of(bench)))
    assert f"{first}: an alarm, and equivalent by optimizer" in misses
    assert f"{second}: CONTRADICTION: a; b" in misses


def test_an_interrupt_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    class Interrupting(ByObject):
        def test(self, *arguments: object, **options: object) -> dict[str, Reply]:
            if len(self.asked) == 3:
                signal.raise_signal(signal.SIGINT)
            return super().test(*arguments, **options)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        bench_in(tmp_path, settings, Interrupting(), Says()).run()
    n_before = len(list(bench_in(tmp_path, settings, ByObject(), Says()).tests.rows("tested")))
    assert n_before >= 3
    second = ByObject()
    bench = bench_in(tmp_path, settings, second, Says())
    bench.run()
    assert len(second.asked) == 5 - n_before
    assert len(list(bench.tests.rows("tested"))) == 5


def test_own_tests_that_could_not_be_run_are_run_later(settings: Settings, tmp_path: Path) -> None:
    class Programs:
        is_broken = True

        def test(self, compiled: Compiled, mutant: Path) -> Reply:
            if self.is_broken:
                raise CompilerAgentError("no room on the device")
            return Reply(Answer.ALARM, "its own tests fail", 1.0, -1.0, 1)

    bench = bench_in(tmp_path, settings, ByObject(deaf_to=["fill"]), Says())
    bench.programs = programs = Programs()  # type: ignore[assignment]
    bench.run(("test", "programs"))
    assert bench_mutants_report.tally(rows_of(bench)).own_tests == 0
    programs.is_broken = False
    bench.run(("programs",))
    whole = bench_mutants_report.tally(rows_of(bench))
    assert (whole.own_tests, whole.caught) == (whole.wrong, 5 - whole.wrong)
    assert whole.wrong > 0


def test_a_refutation_on_ir_alone_counts_against_the_tester(settings: Settings, tmp_path: Path) -> None:
    functions = ["fill", "sum", "pick", "mix", "quarter"]
    bench = bench_in(tmp_path, settings, ByObject(deaf_to=functions), Says(Truth.WRONG, functions))
    bench.run(("judge", "test"))
    assert {row["fate"] for row in rows_of(bench)} == {"wrong"}


def test_all_inputs(compiled: Compiled, tmp_path: Path) -> None:
    def truth(function: str, kind: str) -> Truth:
        site = next(site for site in list_sites(compiled) if (site.function, site.kind) == (function, kind))
        make_mutant(compiled, site, tmp_path / "mutant.bc")
        return Exhaustive().prove(compiled, site, tmp_path / "mutant.bc", 0).truth

    assert truth("quarter", "division-as-shift") is Truth.UNDECIDED  # -1 / 4 differs
    assert truth("mix", "mask-bit-lost") is Truth.UNDECIDED
    assert truth("sum", "loop-bound-more") is Truth.UNDECIDED  # it reads memory
    site = next(site for site in list_sites(compiled) if site.function == "quarter")
    same = Exhaustive().prove(compiled, site, compiled.bitcode, 0)
    assert same == Proof(Truth.EQUIVALENT, "the same result for all 65536 inputs")


def test_the_validator_decides(compiled: Compiled, tmp_path: Path) -> None:
    def proof(function: str, kind: str) -> Proof:
        site = next(site for site in list_sites(compiled) if (site.function, site.kind) == (function, kind))
        make_mutant(compiled, site, tmp_path / "mutant.bc")
        return Validator().prove(compiled, site, tmp_path / "mutant.bc", 20)

    wrong = proof("pick", "compare-strictness")
    assert wrong.truth is Truth.WRONG
    assert "argument 0 = " in wrong.reason
    site = next(site for site in list_sites(compiled) if site.function == "pick")
    assert Validator().prove(compiled, site, compiled.bitcode, 20).truth is Truth.EQUIVALENT


def test_noalias_is_taken_away_where_the_object_does_not_need_it(tmp_path: Path) -> None:
    (tmp_path / "two.c").write_text("int f(int *restrict p, const int *restrict q) { *p = *q & 15; return *q + 2; }")
    unit = TranslationUnit("small", Part.TRAINING, "c", "two.c", tmp_path, ("two.c",))
    compiled = compile_unit(unit, "-O2", tmp_path / "modules")
    wrong, truths = ("mask-dropped", "store-dropped", "constant-off-by-one"), {}
    for site in list_sites(compiled):
        make_mutant(compiled, site, tmp_path / "mutant.bc")
        texts = without_noalias(compiled, "f", tmp_path / "mutant.bc")
        assert texts is not None
        assert " noalias " not in "".join(line for text in texts for line in text.splitlines() if "define" in line)
        if site.kind in wrong:
            truths[site.kind] = Validator().prove(compiled, site, tmp_path / "mutant.bc", 20).truth
    # They are wrong, but the counterexample may have pointers that alias.
    assert truths == dict.fromkeys(wrong, Truth.UNDECIDED)
    assert Validator().prove(compiled, site, compiled.bitcode, 20).truth is Truth.EQUIVALENT


def test_the_optimizer_decides(tmp_path: Path) -> None:
    (tmp_path / "loop.c").write_text("int g(int n, const int *p) { int s = 0; while (n--) s += p[n & 7]; return s; }")
    unit = TranslationUnit("small", Part.TRAINING, "c", "loop.c", tmp_path, ("loop.c",))
    compiled = compile_unit(unit, "-Os", tmp_path / "modules")

    def truths(kind: str) -> set[Truth]:
        return {
            Optimizer().prove(compiled, site, compiled.bitcode, 0).truth
            for site in list_sites(compiled)
            if site.kind == kind
        }

    assert truths("sext-for-zext") == {Truth.EQUIVALENT}  # n & 7 has no sign
    assert truths("mask-bit-lost") == {Truth.UNDECIDED}


def test_false_alarms_are_counted(
    unit: TranslationUnit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_false_alarms, "configured_units", lambda names, directory: [unit])
    settings = bench_false_alarms.Settings(libraries=("small",), levels=("-O1", "-Oz"), n_functions=4)
    tester = ByObject(deaf_to=["mix"])
    journal = bench_false_alarms.journal_of(settings, tmp_path / "bench")
    bench_false_alarms.run(settings, tmp_path / "bench", journal, tester, 1)
    assert bench_false_alarms.render(journal, Console(width=120)) == 2  # quarter, at both levels
    text = capsys.readouterr().out
    assert "FALSE ALARM: small/small.c -O1 quarter" in text
    assert "2 alarms on 4 functions that were tested, each at each level counted once; 2 distinct ones" in text
    assert "main" not in [function for function, _ in tester.asked]
    assert len(bench_false_alarms.misses(journal)) == 2
    again = ByObject()
    journal = bench_false_alarms.journal_of(settings, tmp_path / "bench")
    bench_false_alarms.run(settings, tmp_path / "bench", journal, again, 1)
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


def test_a_library_that_an_interrupt_left_half_made_is_made_again_and_each_version_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def configured(library: Library, place: Path, compiler: object) -> None:
        place.mkdir(parents=True)
        made.append(place.name)
        if len(made) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(bench_mutants.library_build, "configured_units", configured)
    monkeypatch.setattr(bench_mutants.libraries, "translation_units", lambda library, place: [])
    for version in ("1.2.13", "1.2.13", "1.2.13", "1.2.14"):
        monkeypatch.setattr(bench_mutants, "fetch", lambda library, version=version: tmp_path / f"zlib-{version}")
        with contextlib.suppress(KeyboardInterrupt):
            bench_mutants.configured_units(["zlib"], tmp_path / "sources")
    assert made == ["zlib-1.2.13", "zlib-1.2.13", "zlib-1.2.14"]
