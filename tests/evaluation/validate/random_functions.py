"""Small random functions as IR text, and small changes of them that are mostly wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

BINARY = ["add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr", "and", "or", "xor"]
FLAGS = {
    **dict.fromkeys(("add", "sub", "mul", "shl"), ("nuw", "nsw")),
    **dict.fromkeys(("udiv", "sdiv", "lshr", "ashr"), ("exact",)),
    "or": ("disjoint",),
    "zext": ("nneg",),
    "trunc": ("nuw", "nsw"),
    "icmp": ("samesign",),
}
PREDICATES = ["eq", "ne", "ugt", "uge", "ult", "ule", "sgt", "sge", "slt", "sle"]
TWO = ["umax", "umin", "smax", "smin", "uadd.sat", "usub.sat", "sadd.sat", "ssub.sat"]
LAYOUT = 'target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"\n'


@dataclass(frozen=True)
class Line:
    """One instruction; operands are names or constants."""

    name: str
    op: str
    width: int
    operands: tuple[str, ...]
    flags: tuple[str, ...] = ()
    extra: str = ""
    from_width: int = 0

    def text(self) -> str:
        flags = "".join(f" {flag}" for flag in self.flags)
        type_, x = f"i{self.width}", self.operands
        if self.op == "icmp":
            return f"  %{self.name} = icmp{flags} {self.extra} i{self.from_width} {x[0]}, {x[1]}"
        if self.op in ("zext", "sext", "trunc"):
            return f"  %{self.name} = {self.op}{flags} i{self.from_width} {x[0]} to {type_}"
        if self.op == "select":
            return f"  %{self.name} = select i1 {x[0]}, {type_} {x[1]}, {type_} {x[2]}"
        if self.op == "freeze":
            return f"  %{self.name} = freeze {type_} {x[0]}"
        if self.op == "call":
            arguments = ", ".join(f"{type_} {operand}" for operand in x)
            if self.extra in ("abs", "ctlz", "cttz"):
                arguments += f", i1 {self.flags[0]}"
            return f"  %{self.name} = call {type_} @llvm.{self.extra}.{type_}({arguments})"
        return f"  %{self.name} = {self.op}{flags} {type_} {x[0]}, {x[1]}"


@dataclass(frozen=True)
class Program:
    """Straight lines, and possibly a branch over some of them or a loop around them."""

    width: int
    noundef: bool
    lines: tuple[Line, ...]
    shape: str = "straight"
    split: int = 0
    other: tuple[Line, ...] = ()
    condition: str = "true"
    results: tuple[str, str] = ("0", "0")
    bound: str = "3"

    def text(self, name: str) -> str:
        type_ = f"i{self.width}"
        claim = " noundef" if self.noundef else ""
        head = f"define {type_} @{name}({type_}{claim} %a, {type_}{claim} %b) {{\n"
        first = "\n".join(line.text() for line in self.lines[: self.split])
        rest = "\n".join(line.text() for line in self.lines[self.split :])
        if self.shape == "straight":
            return f"{head}{first}\n{rest}\n  ret {type_} {self.results[0]}\n}}\n"
        if self.shape == "branch":
            other = "\n".join(line.text() for line in self.other)
            return (
                f"{head}entry:\n{first}\n  br i1 {self.condition}, label %yes, label %no\nyes:\n{rest}\n"
                f"  br label %end\nno:\n{other}\n  br label %end\nend:\n"
                f"  %r = phi {type_} [ {self.results[0]}, %yes ], [ {self.results[1]}, %no ]\n  ret {type_} %r\n}}\n"
            )
        return (
            f"{head}entry:\n  br label %loop\nloop:\n  %i = phi {type_} [ 0, %entry ], [ %next, %more ]\n"
            f"  %s = phi {type_} [ %a, %entry ], [ {self.results[0]}, %more ]\n"
            f"  %go = icmp {self.condition} {type_} %i, {self.bound}\n  br i1 %go, label %more, label %end\nmore:\n"
            f"{first}\n{rest}\n  %next = add {type_} %i, 1\n  br label %loop\nend:\n  ret {type_} %s\n}}\n"
        )


class Maker:
    """Makes programs from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0

    def program(self, shape: str | None = None) -> Program:
        width = self.random.choice((3, 4))
        shape = shape or self.random.choice(("straight", "straight", "branch", "loop"))
        pool = {width: ["%a", "%b"], 1: []}
        if shape == "loop":
            pool[width] += ["%i", "%s"]
        lines = self.lines(pool, width, self.random.randint(2, 5))
        split = self.random.randint(0, len(lines)) if shape == "branch" else 0
        other: list[Line] = []
        condition = self.random.choice(("ne", "ult", "slt", "ugt"))
        results = (self.random.choice(pool[width][-2:]), "0")
        if shape == "branch":
            before = {width: ["%a", "%b"], 1: [], **self._named(lines[:split], width)}
            test = self.compare(before, width)
            other = self.lines({key: list(value) for key, value in before.items()}, width, self.random.randint(0, 2))
            lines, split = [*lines[:split], test, *lines[split:]], split + 1
            condition = f"%{test.name}"
            last = [f"%{line.name}" for line in other if line.width == width] or before[width]
            inner = [f"%{line.name}" for line in lines if line.width == width] or ["%a"]
            results = (inner[-1], last[-1])
        bound = self.random.choice(("%b", "3", "5"))
        noundef = self.random.random() < 0.5
        return Program(width, noundef, tuple(lines), shape, split, tuple(other), condition, results, bound)

    def _named(self, lines: list[Line], width: int) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {width: ["%a", "%b"], 1: []}
        for line in lines:
            found.setdefault(line.width, []).append(f"%{line.name}")
        return found

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def lines(self, pool: dict[int, list[str]], width: int, count: int) -> list[Line]:
        made = []
        while len(made) < count:
            line = self.line(pool, width)
            pool.setdefault(line.width, []).append(f"%{line.name}")
            made.append(line)
        return made

    def operand(self, pool: dict[int, list[str]], width: int) -> str:
        if pool.get(width) and self.random.random() < 0.75:
            return self.random.choice(pool[width][-4:])
        if self.random.random() < 0.04:
            return self.random.choice(("undef", "poison"))
        if width == 1:
            return self.random.choice(("true", "false"))
        return str(self.random.randrange(1 << width))

    def compare(self, pool: dict[int, list[str]], width: int) -> Line:
        flags = ("samesign",) if self.random.random() < 0.1 else ()
        two = (self.operand(pool, width), self.operand(pool, width))
        return Line(self.name(), "icmp", 1, two, flags, self.random.choice(PREDICATES), width)

    def line(self, pool: dict[int, list[str]], width: int) -> Line:
        kind = self.random.random()
        one = self.operand(pool, width)
        if kind < 0.5:
            op = self.random.choice(BINARY)
            flags = tuple(flag for flag in FLAGS.get(op, ()) if self.random.random() < 0.25)
            return Line(self.name(), op, width, (one, self.operand(pool, width)), flags)
        if kind < 0.62:
            return self.compare(pool, width)
        if kind < 0.74 and pool.get(1):
            condition = self.random.choice(pool[1])
            return Line(self.name(), "select", width, (condition, one, self.operand(pool, width)))
        if kind < 0.82:
            return Line(self.name(), "freeze", width, (one,))
        if kind < 0.9:
            return Line(self.name(), "call", width, (one, self.operand(pool, width)), (), self.random.choice(TWO))
        if kind < 0.95:
            which = self.random.choice(("abs", "ctlz", "cttz", "ctpop", "bitreverse", "fshl", "fshr"))
            if which in ("abs", "ctlz", "cttz"):
                return Line(self.name(), "call", width, (one,), (self.random.choice(("true", "false")),), which)
            three = tuple(self.operand(pool, width) for _ in range(3)) if which.startswith("f") else (one,)
            return Line(self.name(), "call", width, three, (), which)
        if pool.get(1) and self.random.random() < 0.5:
            op = self.random.choice(("zext", "sext"))
            return Line(self.name(), op, width, (self.random.choice(pool[1]),), (), "", 1)
        return Line(self.name(), "trunc", 1, (one,), (), "", width)

    def mutant(self, program: Program) -> Program:
        """The program with one thing changed."""
        if program.shape == "loop" and self.random.random() < 0.2:
            return replace(program, bound=self.random.choice(("2", "4", "%b", "%a")))
        if program.shape == "branch" and program.other and self.random.random() < 0.3:
            return replace(program, other=self._change(program.other, program.width))
        if self.random.random() < 0.1:
            return replace(program, results=(self.random.choice(("%a", "%b", "1")), program.results[1]))
        return replace(program, lines=self._change(program.lines, program.width))

    def _change(self, lines: tuple[Line, ...], width: int) -> tuple[Line, ...]:
        place = self.random.randrange(len(lines))
        line = lines[place]
        how = self.random.random()
        if how < 0.3 and len(line.operands) >= 2 and line.op != "select":
            line = replace(line, operands=tuple(reversed(line.operands)))
        elif how < 0.5 and line.op in FLAGS:
            flags = tuple(flag for flag in FLAGS[line.op] if self.random.random() < 0.5)
            line = replace(line, flags=flags)
        elif how < 0.7 and line.op in BINARY:
            line = replace(line, op=self.random.choice(BINARY), flags=())
        elif how < 0.7 and line.op == "icmp":
            line = replace(line, extra=self.random.choice(PREDICATES))
        elif how < 0.8 and line.op == "freeze":
            line = replace(line, op="or", operands=(line.operands[0], "0"))
        else:
            index = self.random.randrange(len(line.operands))
            have = line.from_width or width
            if line.op == "select" and index == 0:
                have = 1
            changed = self.random.choice(("true", "false")) if have == 1 else str(self.random.randrange(1 << have))
            operands = list(line.operands)
            operands[index] = changed
            line = replace(line, operands=tuple(operands))
        return (*lines[:place], line, *lines[place + 1 :])
