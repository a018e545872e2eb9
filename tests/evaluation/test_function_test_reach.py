"""What inputs have to be like before they show a mistake: each function here hides one behind something of its own.

Executions are what is limited; the seconds are those of a slow machine.
"""

import subprocess
from pathlib import Path

import pytest

from compiler_agent.evaluation import function_test
from compiler_agent.evaluation.function_test import FunctionOutcome
from compiler_agent.llvm import toolchain

from .test_function_test import by_name, changed, compiled

RIGHT = """
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
struct outer { void *state; unsigned total; };
struct inner { struct outer *owner; int mode; unsigned have; };
struct box { char *text; int size; };
struct request { int size; long code; };
struct reply { int a, b; };
struct partial { int used, unused; };
struct node { int value; struct node *next; };
struct wide { long before; int count; };
struct sealed { unsigned key, seal; };
struct many { int value[80]; };
struct named { const char *name; };
struct attribute { char *name; struct named *owner; int flags; long weight; };
struct scope { struct named **slots; unsigned size; };
struct queue { int left; const int *next; unsigned char mark; };
struct span { const char *begin, *at, *end; };
struct tally { long count; int seen, *last; unsigned char *bytes; };
int notify(int what);
void show(const long *p);
extern const unsigned char kinds[257];
int submit(const struct many *m);
struct block { const unsigned char *bytes; unsigned *pairs; int count; };
int fill(char *to, int n);
int report(const char *how, ...);
int step(unsigned n);
int ask(const struct request *r);
int give(const struct partial *p);
int get(struct reply *r);
long take(void *to, unsigned n);
struct node *find(int key);

/* behind an untyped pointer, a pointer that leads back, and a number of its own */
unsigned reach(struct outer *o) {
  struct inner *s;
  if (!o || !o->state)
    return 1;
  s = o->state;
  if (s->owner != o || s->mode != 16193)
    return 2;
  return s->have * 3 + o->total;
}
/* only a crash shows it */
int first(const int *p) { return p ? *p : -1; }
/* memory is freed once */
void release(struct box *b) { free(b->text); b->text = 0; }
/* and it is freed */
int borrow(int n) { char *p = malloc(64); int r = fill(p, n); free(p); return r; }
/* also where nobody else saw it */
int look_up(int n) {
  int *p = malloc(256);
  for (int i = 0; i < 64; i++)
    p[i] = i * n;
  n = p[n & 63];
  free(p);
  return n;
}
/* without an end */
void steps(unsigned n) { while (n > 1) { step(n); n = n / 2; } }
/* a local variable that another unit reads, and one that it writes */
int ask_for(int n) { struct request r; r.size = n; r.code = 5; return ask(&r); }
int receive(void) { struct reply r; if (get(&r)) return -1; return r.a - r.b; }
/* bytes that are read into a buffer */
unsigned header(void) { unsigned char b[8]; take(b, sizeof b); return b[6] << 8 | b[7]; }
/* a number that is in no other place than the comparison */
int derived(const struct reply *r) { return r->a == ((r->b & 255) + 97) * 91 ? 7 : 0; }
/* as many elements as a vectorized loop needs */
void invert(unsigned char *p, unsigned n) { for (unsigned i = 0; i < n; i++) p[i] = ~p[i]; }
int far(const int *a, int n) { return n > 500 ? a[n - 1] : 0; }
/* more than a few zeros in memory that is only written */
void reset(struct wide *w) { w->count = 0; }
/* what another unit returns */
int value(int k) { struct node *n = find(k); return n && n->next ? n->value - n->next->value : 0; }
/* what only another function of the unit makes */
static unsigned sealing(unsigned key) { return (key ^ key >> 5 ^ 0x5bd1e995u) * 2654435761u; }
struct sealed *seal(unsigned key) {
  struct sealed *s = malloc(sizeof *s);
  s->key = key;
  s->seal = sealing(key);
  return s;
}
unsigned unseal(const struct sealed *s) { return (sealing(s->key) - s->seal) * 2654435761u >> 3 ? 0 : s->key + 5; }
/* arrays as long as a large number says, and a table of all pairs of bytes */
unsigned count_pairs(struct block *b) {
  unsigned most = 0;
  if (b->count < 10000)
    return 0;
  for (int i = 65535; i >= 0; i--)
    b->pairs[i] = 0;
  for (int i = 1; i < b->count; i++) {
    unsigned pair = b->bytes[i - 1] << 8 | b->bytes[i];
    if (++b->pairs[pair] > most)
      most = b->pairs[pair];
  }
  return most;
}
/* memory runs out */
int collect(int n) {
  char *p = malloc(n & 63);
  if (!p)
    return n - 1;
  n = fill(p, n);
  free(p);
  return n + 2;
}
/* a copy between what overlaps, which the C library happens to make well */
void forward(char *p, unsigned n) { if (n > 8) memmove(p, p + 4, n - 4); }
/* what a function that takes any number of arguments is told */
int logged(int n) { return report(n > 3 ? "many" : "few", n); }
/* a table of another unit: nobody knows what is in it */
int kind(unsigned char c) { return kinds[c + 1] & 4 ? 1 : 2; }
/* what a callee may read far behind */
int submit_many(int n) {
  struct many m;
  for (int i = 0; i < 80; i++)
    m.value[i] = i;
  m.value[70] = n;
  return submit(&m);
}
/* elements that are larger than the pointers to them say */
long weigh(const struct scope *s) {
  long sum = 0;
  for (unsigned i = 0; s && s->slots && i < s->size; i++) {
    const struct attribute *a = (const struct attribute *)s->slots[i];
    if (a && a->flags)
      sum += a->weight;
  }
  return sum;
}
/* errno lies beside what the sanitizer keeps for itself */
int parsed(const char *text, long *to) {
  char *end;
  errno = 0;
  *to = strtol(text, &end, 10);
  return errno == 0 && *end == 0;
}
/* what is said when an assertion fails */
int asserted(int n) { assert(n != 3); return n; }

/* numbers, bytes and pointers that another unit changes, though it was not given them */
int left_after(const struct queue *q) { int n = q->left; notify(1); return n - q->left; }
int marked_after(const struct queue *q) { int n = q->mark; notify(2); return n - q->mark; }
int moved_after(const struct queue *q) { const int *n = q->next; notify(3); return n != q->next; }
/* a number, and bytes, that lie within the very structure */
int seen_last(struct tally *t) { t->seen = 1; *t->last = 5; return t->seen; }
long counted(struct tally *t) { t->count = 1; t->bytes[0] = 5; return t->count; }

/* a block of the heap that is written when others have looked at it */
long *shown(void) {
  long *p = calloc(16, 8);
  if (p) {
    show(p);
    p[0] = 3;
    p[1] = 3;
  }
  return p;
}
/* pointers into one array, in order, and one that has something before it */
long rest(const struct span *s) { return s->begin < s->at && s->at < s->end ? s->end - s->at : 0; }
int earlier(const unsigned char *p) { return p[-3] == 119 ? 5 : 0; }

/* Here nothing is wrong, whatever the optimizer leaves in what nobody wrote, or behind the end. */
int half_written(int n) { struct partial p; p.used = n; return give(&p); }
int ends(int (*convert)(char **to, const char *end)) {
  char b[1];
  char *p = b;
  convert(&p, p + 1);
  return p == b ? -1 : 1;
}
void drain(unsigned n) {
  unsigned char b[8], *p = b;
  for (int i = 0; i < 3 && n; i++) {
    int got = take(p, n);
    if (got <= 0)
      return;
    n -= got;
    p += got;
  }
}
int bytes(int n) {
  int s = 0;
  for (int i = 0; i < (n & 3); i++) {
    unsigned char b[1];
    take(b, 1);
    s += b[0];
  }
  return s;
}
int once_more(int n) {
  char *p = malloc(8), *q;
  if (!p)
    return -1;
  p[0] = n;
  n = p[0] + 1;
  free(p);
  q = malloc(8);
  if (!q)
    return -2;
  n += fill(q, n);
  free(q);
  return n;
}
char *partly(int n) { char *p = malloc(32); p[4] = n; return p; }
"""
WRONG = {
    "reach": ("s->have * 3", "(unsigned short)s->have * 3"),
    "first": ("return p ? *p : -1", "return *(volatile const int *)p"),
    "release": ("free(b->text); b->text = 0", "free(b->text); free(b->text); b->text = 0"),
    "borrow": (" free(p); return r;", " return r;"),
    "look_up": ("  free(p);\n  return n;", "  return n;"),
    "derived": ("? 7 : 0", "? 0 : 0"),
    "steps": ("n = n / 2", "n = n / 1"),
    "ask_for": ("r.code = 5", "r.code = 4"),
    "receive": ("r.a - r.b", "r.b - r.a"),
    "header": ("b[6] << 8 | b[7]", "b[7] << 8 | b[6]"),
    "invert": ("i < n; i++", "i < (n > 64 ? n & ~3u : n); i++"),
    "far": ("a[n - 1]", "a[n - 2]"),
    "reset": ("w->count = 0", "*(short *)&w->count = 0"),
    "unseal": ("s->key + 5", "s->key + 6"),
    "count_pairs": ("return most;", "return most + 1;"),
    "collect": ("return n - 1;", "return n + 1;"),
    "forward": ("memmove", "memcpy"),
    "logged": ('"many"', '"more"'),
    "kind": ("& 4 ?", "& 6 ?"),
    "submit_many": ("m.value[70] = n;", "m.value[70] = n + 1;"),
    "weigh": ("sum += a->weight", "sum += (int)a->weight"),
    "parsed": ("*end == 0", "end != text"),
    "asserted": ("assert(n != 3)", "assert(3 != n)"),
    "left_after": ("n - q->left", "0"),
    "marked_after": ("n - q->mark", "0"),
    "moved_after": ("n != q->next", "0"),
    "seen_last": ("return t->seen", "return 1"),
    "counted": ("return t->count", "return 1"),
    "shown": ("p[0] = 3;\n    p[1] = 3;", ";"),
    "rest": ("s->end - s->at :", "s->end - s->begin :"),
    "earlier": ("? 5 :", "? 6 :"),
    "value": ("n->value - n->next->value", "n->value + n->next->value"),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(tmp_path_factory.getbasetemp() / "reach-cache"))


def test_inputs_get_to_the_mistake(tmp_path: Path) -> None:
    (tmp_path / "wrong").mkdir()
    _, candidate = compiled(changed(RIGHT, WRONG.values()), tmp_path / "wrong", "-fno-builtin-free")
    argv, _ = compiled(RIGHT, tmp_path)
    report = function_test.test_functions(
        argv, tmp_path, candidate, functions=list(WRONG), seconds_per_function=300, max_executions=60000
    )
    assert {function.function for function in report.refuted} == set(WRONG)
    counterexample = {name: evidence.counterexample for name, evidence in by_name(report).items()}
    assert "crashes" in counterexample["first"]
    assert "frees memory" in counterexample["release"]
    assert "are allocated at the end" in counterexample["borrow"]
    assert "over and over" in counterexample["steps"]


@pytest.mark.parametrize("level", ["-O3", pytest.param("-Oz", marks=pytest.mark.nightly)])
def test_what_nobody_wrote_is_no_difference(tmp_path: Path, level: str) -> None:
    argv, candidate = compiled(RIGHT, tmp_path, level)
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=300, max_executions=300)
    for function in report.functions:
        assert function.outcome is FunctionOutcome.TESTED, function


ENDLESS = """
struct machine { int mode, state, left, room; };
/* it ends in one state alone, and what never ends is no input */
int drive(struct machine *m) {
  if (m->mode != 40961)
    return 0;
  for (;;)
    if (m->state == 77123 && m->left == 31337)
      return m->room * 5;
}
"""


def test_the_state_in_which_a_loop_ends_is_found(tmp_path: Path) -> None:
    """What does not end is learned from. Now and then it is not found with one seed."""
    (tmp_path / "wrong").mkdir()
    _, candidate = compiled(ENDLESS.replace("* 5", "* 6"), tmp_path / "wrong")
    argv, _ = compiled(ENDLESS, tmp_path)
    assert any(
        function_test.test_functions(
            argv, tmp_path, candidate, seconds_per_function=300, max_executions=20000, seed=seed
        ).refuted
        for seed in range(4)
    )


INLINED = """
static int grade(int n) { return n == 271828 ? 1 : n == 314159 ? 2 : n == 161803 ? 3 : 0; }
int graded(int n) { return grade(n); }
"""


def test_edges_of_local_functions_count(tmp_path: Path) -> None:
    argv, candidate = compiled(INLINED, tmp_path)
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=300, max_executions=1)
    assert by_name(report)["graded"].edges > 3


VIRTUAL = """
struct V { virtual bool ask() const { return true; } };
V made;
int use(const V *v) { return v->ask() ? 5 : 7; }
"""
CONSTRUCTED = """
int three = 3;
struct Counter {
  int n = 0;
  Counter() { while (n < three) n++; }
} counter;
int use(int a) { return a == 7 ? counter.n : 0; }
"""
BESIDE = """
struct Flags { unsigned char kind; bool owned : 1; Flags(int k) : kind(k), owned(k > 3) {} };
__attribute__((noinline)) static void leave(volatile int *p) { for (int i = 0; i < 16; i++) p[i] = -1; }
void use(Flags *f, int k) { { volatile int used[16]; leave(used); } Flags made(k); *f = made; }
"""
BETWEEN = BESIDE.replace("unsigned char kind; bool owned : 1;", "unsigned char kind : 2, : 3, owned : 3;")


@pytest.mark.parametrize(
    "source",
    [VIRTUAL, CONSTRUCTED, BESIDE, BETWEEN],
    ids=["bool-of-a-virtual-function", "constructor-before-main", "bits-beside-a-field", "bits-between-fields"],
)
def test_a_function_in_cxx_is_tested(tmp_path: Path, source: str) -> None:
    (tmp_path / "unit.cpp").write_text(source)
    argv = [str(toolchain.discover().clangxx), "-Oz", "-c", "-o", "-", "unit.cpp"]
    candidate = subprocess.run(argv, cwd=tmp_path, capture_output=True, check=True).stdout
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=300, max_executions=2000)
    (function,) = [one for one in report.functions if "use" in one.function]
    assert function.outcome is FunctionOutcome.TESTED, function
    assert function.edges_covered == function.edges
