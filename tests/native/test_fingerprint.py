"""The fingerprint from source: what a build changes without changing code leaves it alone, everything else does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.llvm.library import Library

SOURCES = {
    "loops.c": """
#include <assert.h>
#include <stddef.h>
static const char *where(void) { return __FILE__; }
int pick(int key) {
  switch (key) { case 1: return 7; case 5: return 3; case 9: return where()[0]; default: return 0; }
}
long sum(const int *values, size_t count) {
  assert(values && "values");
  long total = 0;
#pragma clang loop unroll_count(4)
  for (size_t i = 0; i < count; ++i) total += values[i];
#pragma clang loop vectorize(disable)
  while (count--) total ^= values[count];
  return total;
}
""",
    "assembly.c": """
#include <stdatomic.h>
#include <string.h>
__asm__(".globl marker\\nmarker:");
struct record { int tag : 3; double weight; char name[24]; };
static _Atomic int counter;
extern void *(*hook)(const struct record *);
unsigned rotate(unsigned value) { __asm__ volatile("roll $3, %0" : "+r"(value) : : "cc"); return value; }
int bump(struct record *r) {
  struct record copy = *r; copy.tag++; memset(copy.name, 0, sizeof copy.name); *r = copy;
  goto *(r->tag ? &&one : &&two);
one: return atomic_fetch_add(&counter, 1) + (hook ? hook(r) != 0 : 0);
two: return 2;
}
int variable(int n) { volatile int room[n]; for (int i = 0; i < n; i++) room[i] = i; return room[n / 2]; }
""",
    "templates.cpp": """
#include <cassert>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>
template <class T, int N> struct Ring {
  T slots[N]{}; int at = 0;
  void push(T value) { assert(N > 0); slots[at++ % N] = value; }
};
namespace { struct Local { virtual ~Local() = default; virtual int f(int a) { return a + 1; } }; }
struct Derived : Local { std::string text;
  int f(int a) override { if (a < 0) throw std::runtime_error(__FILE__); return a * 2; } };
int use(const std::vector<int> &values) {
  Ring<int, 4> ring; Ring<std::string, 2> names;
  std::map<std::string, int> table;
  auto add = [&](int value) { ring.push(value); names.push(std::to_string(value)); return table[names.slots[0]]++; };
  Derived derived;
  int total = 0;
  for (int value : values) {
    try { total += add(derived.f(value)); } catch (const std::exception &error) { total -= error.what()[0]; }
    catch (...) { throw; }
  }
  static thread_local int calls = 0;
  return total + ++calls;
}
""",
    "inlines.cpp": """
#include "inlines.h"
static int seen;
struct Guard { ~Guard() noexcept(false) { if (seen++ > 3) throw seen; } };
double area(const Shape *shape) { Guard guard; return shape ? shape->area() : checked(seen); }
""",
}
HEADER = """
#include <cassert>
struct Shape { virtual double area() const = 0; virtual ~Shape() {} };
inline double checked(int value) { assert(value != 3); double r = 1;
for (int i = 0; i < value; ++i) r *= 1.5; return r; }
"""
LEVELS = ["-O2", "-Oz"]

Compile = Callable[..., bytes]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "inlines.h").write_text(HEADER)
    return tmp_path


@pytest.fixture
def fingerprint(library: Library, to_bitcode: Compile) -> Callable[..., str]:
    def compute(source: Path | str, *flags: str, cwd: Path | None = None) -> str:
        with library.parse(to_bitcode(source, *flags, cwd=cwd), str(source)) as module:
            return module.fingerprint()

    return compute


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", SOURCES)
def test_debug_information_is_left_out(fingerprint: Callable[..., str], tree: Path, name: str, level: str) -> None:
    plain = fingerprint(tree / name, level)
    assert len(plain) == 32
    assert fingerprint(tree / name, level) == plain
    for flags in (["-g"], ["-g1"], ["-g3", "-gdwarf-4"], ["-gsplit-dwarf", "-gz"], ["-g", "-fno-standalone-debug"]):
        assert fingerprint(tree / name, level, *flags) == plain, flags


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", SOURCES)
def test_paths_are_left_out(fingerprint: Callable[..., str], tree: Path, name: str, level: str) -> None:
    elsewhere = tree / "some other place" / "deeper"
    elsewhere.mkdir(parents=True)
    (elsewhere / name).write_text(SOURCES[name])
    (elsewhere / "inlines.h").write_text(HEADER)
    absolute = fingerprint(tree / name, level)
    assert fingerprint(name, level, cwd=tree) == absolute
    assert fingerprint(f"./{name}", level, cwd=tree) == absolute
    assert fingerprint(f"../../{name}", level, cwd=elsewhere) == absolute
    assert fingerprint(elsewhere / name, level) == absolute
    assert fingerprint(elsewhere / name, level, "-g") == absolute


@pytest.mark.parametrize("name", SOURCES)
def test_the_name_of_the_source_is_left_out(fingerprint: Callable[..., str], tree: Path, name: str) -> None:
    renamed = tree / f"quite_another{Path(name).suffix}"
    renamed.write_text(SOURCES[name])
    assert fingerprint(renamed, "-Oz") == fingerprint(tree / name, "-Oz")


@pytest.mark.parametrize("name", SOURCES)
def test_names_of_values_and_the_compiler_are_left_out(fingerprint: Callable[..., str], tree: Path, name: str) -> None:
    plain = fingerprint(tree / name, "-Oz")
    assert fingerprint(tree / name, "-Oz", "-fno-discard-value-names") == plain
    assert fingerprint(tree / name, "-Oz", "-Qn") == plain
    assert fingerprint(tree / name, "-Oz", "-grecord-command-line", "-g") == plain


@pytest.mark.parametrize(
    "flag",
    ["-O1", "-O2", "-fPIC", "-fno-pic", "-march=haswell", "-fno-plt", "-fno-strict-aliasing", "-DNDEBUG",
     "-fstack-protector-all", "-fno-omit-frame-pointer", "-fno-builtin", "-ffast-math", "-ftrapv", "-fwrapv",
     "-fvisibility=hidden", "-target=aarch64-linux-gnu"],
)  # fmt: skip
def test_flags_that_change_code_count(fingerprint: Callable[..., str], tree: Path, flag: str) -> None:
    source = tree / "flags.c"
    source.write_text(
        "#ifdef NDEBUG\n#define CHECK(x)\n#else\n#define CHECK(x) if (!(x)) __builtin_trap()\n#endif\n"
        "extern int shared; int g(int); double h(double);\n"
        "int f(int a, short *p, int *q) { char room[16]; CHECK(a); *p = 1; *q = 2;\n"
        "  for (int i = 0; i < a; i++) room[i] = (char)g(i);\n"
        "  return a + 1 + shared + room[3] + (int)(h(a) * 2.0 + *p); }\n"
    )
    flags = [f"-{flag[1:]}"] if not flag.startswith("-target=") else ["-target", flag.partition("=")[2]]
    assert fingerprint(source, "-Oz", *flags) != fingerprint(source, "-Oz")


@pytest.mark.parametrize(
    ("old", "new"),
    [("return 7", "return 8"), ("case 5", "case 6"), ("unroll_count(4)", "unroll_count(8)"), ("+= values", "-= values"),
     ("vectorize(disable)", "vectorize(enable)"), ("size_t i = 0", "size_t i = 1"), ("long sum", "long sun"),
     ("const int *values, size_t count", "const short *values, size_t count"), ('&& "values"', '&& "value"'),
     ("where()[0]", "where()[1]"), ("static const char *where", "const char *where")],
)  # fmt: skip
def test_edits_of_the_source_count(fingerprint: Callable[..., str], tree: Path, old: str, new: str) -> None:
    plain = fingerprint(tree / "loops.c", "-Oz")
    text = SOURCES["loops.c"]
    assert old in text
    (tree / "loops.c").write_text(text.replace(old, new))
    assert fingerprint(tree / "loops.c", "-Oz") != plain
