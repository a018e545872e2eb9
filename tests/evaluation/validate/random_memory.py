"""Small random functions that work on an array of their own, on a global and on each other's bytes, as IR text."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from .random_functions import LAYOUT

SIZE = 4
HEAD = LAYOUT + f"@g = external global [{SIZE} x i8], align 4\n"
_DECLARED = (
    "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)\n"
    "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)\n"
    "declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)\n"
)


@dataclass(frozen=True)
class Step:
    """One access; places are "own", "two" or "@g", indices constants or "a" or "b"."""

    kind: str
    place: str
    index: str
    value: str
    origin: str = "own"
    from_index: str = "0"
    width: int = 8
    inbounds: bool = True

    def text(self, number: int) -> str:
        lines = [self._address(f"p{number}", self.place, self.index)]
        if self.kind == "store":
            value = f"%w{number}" if self.value.startswith("%") and self.width != 8 else self.value
            if value != self.value:
                lines.append(f"  {value} = zext i8 {self.value} to i{self.width}")
            lines.append(f"  store i{self.width} {value}, ptr %p{number}, align 1")
        elif self.kind == "load":
            lines.append(f"  %l{number} = load i{self.width}, ptr %p{number}, align 1")
            cast = f"  %v{number} = trunc i{self.width} %l{number} to i8"
            lines.append(cast if self.width > 8 else f"  %v{number} = or i8 %l{number}, 0")
        elif self.kind == "memset":
            length = f"i64 {self._wide(self.from_index)}"
            lines.append(f"  call void @llvm.memset.p0.i64(ptr %p{number}, i8 {self.value}, {length}, i1 false)")
        else:
            lines.append(self._address(f"q{number}", self.origin, "1" if self.kind == "memmove" else "0"))
            lines.append(
                f"  call void @llvm.{self.kind}.p0.p0.i64(ptr %p{number}, ptr %q{number}, "
                f"i64 {self._wide(self.from_index)}, i1 false)"
            )
        return "\n".join(lines)

    def _wide(self, index: str) -> str:
        return f"%w{index}" if index in "ab" else index

    def _address(self, name: str, place: str, index: str) -> str:
        base = place if place.startswith("@") else f"%{place}"
        flag = "inbounds " if self.inbounds else ""
        return f"  %{name} = getelementptr {flag}i8, ptr {base}, i64 {self._wide(index)}"


@dataclass(frozen=True)
class MemoryProgram:
    """A sequence of accesses; the value that was loaded last is returned."""

    steps: tuple[Step, ...]

    @property
    def is_closed(self) -> bool:
        """Whether it does not touch the global."""
        return "@g" not in self.text()

    def text(self) -> str:
        last = "7"
        body = []
        for number, step in enumerate(self.steps):
            step = replace(step, value=last if step.value == "last" else step.value)
            body.append(step.text(number))
            if step.kind == "load":
                last = f"%v{number}"
        lines = "\n".join(body)
        return (
            f"define i8 @f(i2 noundef %a, i2 noundef %b) {{\n  %own = alloca [{SIZE} x i8], align 4\n"
            f"  %two = alloca [2 x i8], align 1\n  %wa = zext i2 %a to i64\n  %wb = zext i2 %b to i64\n"
            f"  store i32 50462976, ptr %own, align 4\n{lines}\n  ret i8 {last}\n}}\n"
        )


def module(program: MemoryProgram) -> str:
    """The whole module."""
    text = program.text()
    head = HEAD if "@g" in text else LAYOUT
    return head + _DECLARED + text


class MemoryMaker:
    """Makes programs from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def program(self) -> MemoryProgram:
        places = self.random.choice((["own"], ["own", "two"], ["own", "@g"]))
        return MemoryProgram((*(self.step(places) for _ in range(self.random.randint(2, 5))), self.last(places)))

    def last(self, places: list[str]) -> Step:
        return replace(self.step(places), kind="load")

    def index(self) -> str:
        return self.random.choice(("0", "1", "2", "a", "b"))

    def step(self, places: list[str]) -> Step:
        kind = self.random.choice(("store", "store", "load", "memset", "memcpy", "memmove"))
        return Step(
            kind,
            self.random.choice(places),
            self.index(),
            self.random.choice(("1", "9", "last", "last")),
            self.random.choice(places),
            self.random.choice(("0", "1", "2", "a")),
            self.random.choice((8, 8, 16)),
            self.random.random() < 0.8,
        )

    def mutant(self, program: MemoryProgram) -> MemoryProgram:
        """The program with one access changed, dropped or exchanged with the next."""
        steps = list(program.steps)
        place = self.random.randrange(len(steps))
        how = self.random.random()
        if how < 0.2 and place + 1 < len(steps) - 1:
            steps[place], steps[place + 1] = steps[place + 1], steps[place]
        elif how < 0.35 and place < len(steps) - 1 and steps[place].kind != "load":
            del steps[place]
        else:
            field = self.random.choice(("index", "value", "width", "inbounds", "from_index"))
            old = steps[place]
            new = {
                "index": replace(old, index=self.index()),
                "value": replace(old, value=self.random.choice(("1", "9", "last"))),
                "width": replace(old, width=24 - old.width),
                "inbounds": replace(old, inbounds=not old.inbounds),
                "from_index": replace(old, from_index=self.random.choice(("0", "1", "2", "b"))),
            }[field]
            steps[place] = new
        return MemoryProgram(tuple(steps))
