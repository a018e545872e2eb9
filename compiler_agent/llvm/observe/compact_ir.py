"""IR as short as it can be read: without metadata and attribute groups, each block with its loop and lines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler_agent.llvm.observe.facts import Function, SimplifiedIR
from compiler_agent.llvm.observe.redaction import Redaction

_METADATA = re.compile(r",? ![\w.]+ !\d+")
_NOISE = re.compile(
    r" (?:noundef|dso_local|local_unnamed_addr|unnamed_addr|range\([^()]*\))(?= |,|\))|, align \d+(?=$|,)| #\d+(?= |$)"
)
_DROPPED = re.compile(r"\s*(?:(?:tail )?call void @llvm\.(?:lifetime|experimental\.noalias|dbg)\.|#dbg_)")
_NOTE = re.compile(r"; lines (\d+)-(\d+) loop (-?\d+)$")
_INLINED = re.compile(r"(?:(?<=%)|^)(_Z\w+\.exit[\w.]*)(?=[,:\s\]])", re.MULTILINE)
_INSTRUCTION = re.compile(r"  [^ \]]")  # deeper are the ways of a switch and of an invoke
_END = "}"
_LABEL = re.compile(r'("(?:[^"\\]|\\.)*"|[-\w.$]+):')


@dataclass(frozen=True, slots=True)
class Block:
    """One basic block, ready to be shown."""

    lines: tuple[str, ...]
    """Label and instructions."""
    loop: int | None
    """Position of the innermost loop around it."""
    depth: int
    """Of that loop; 0: none."""
    n_instructions: int
    """How many it holds."""
    first_line: int
    """First source line; 0: unknown."""
    last_line: int
    """Last one."""


@dataclass(frozen=True, slots=True)
class CompactFunction:
    """One function, ready to be shown."""

    head: str
    """The line with `define`."""
    blocks: tuple[Block, ...]
    """In order."""

    def text(self, room: int | None = None) -> str:
        """The function, or what fits of it.

        Args:
            room: Characters that it may take; None: any. Where it does not fit, the blocks of the deepest loops are
                shown, and what is left out is said in its place.

        Returns:
            The text; empty if there is not room for one block.
        """
        kept = self._kept(room)
        if not kept:
            return ""
        rows = [self.head]
        skipped: list[Block] = []
        for index, block in enumerate(self.blocks):
            if index in kept:
                rows += [*_gap(skipped), *block.lines]
                skipped = []
            else:
                skipped.append(block)
        return "\n".join([*rows, *_gap(skipped), "}"])

    def _kept(self, room: int | None) -> set[int]:
        everything = set(range(len(self.blocks)))
        sizes = [sum(len(line) + 1 for line in block.lines) for block in self.blocks]
        around = len(self.head) + len("\n}\n")
        if room is None or sum(sizes) + around <= room:
            return everything
        room -= around + _GAP_CHARACTERS
        kept = set()
        for index in sorted(everything, key=lambda index: (-self.blocks[index].depth, index)):
            room -= sizes[index] + _GAP_CHARACTERS
            if room < 0:
                break  # what comes after matters less: better the whole of the hot part than pieces of all
            kept.add(index)
        return kept


_GAP_CHARACTERS = 80


def compact(function: Function, simplified: SimplifiedIR, redaction: Redaction) -> CompactFunction:
    """Makes a function's IR short; what it says of control and data flow stays."""
    depths = {loop.position: loop.depth for loop in function.loops}
    head = ""
    blocks: list[Block] = []
    rows: list[str] = []
    n_instructions = 0
    note: tuple[int, int, int] = (0, 0, -1)
    for line in [*_shortened(simplified.text).splitlines(), _END]:
        if line.startswith("define "):
            head = redaction.ir(_without_noise(line))
        elif (match := _LABEL.match(line)) or line == _END:
            if rows:
                blocks.append(_block(rows, n_instructions, note, depths))
            rows, n_instructions, note = [redaction.ir(match[0])] if match else [], 0, (0, 0, -1)
        elif match := _NOTE.match(line):
            note = (int(match[1]), int(match[2]), int(match[3]))
        elif rows and line.startswith(" ") and not _DROPPED.match(line):
            rows.append(" " + redaction.ir(_without_noise(line.strip())))
            n_instructions += _INSTRUCTION.match(line) is not None
    return CompactFunction(head, tuple(blocks))


def _shortened(text: str) -> str:
    """IR in which blocks of inlined functions are not named after their mangled names."""
    names: dict[str, str] = {}

    def short(match: re.Match[str]) -> str:
        return names.setdefault(match[1], f"inlined{len(names) + 1}")

    return _INLINED.sub(short, text)


def _block(rows: Sequence[str], n_instructions: int, note: tuple[int, int, int], depths: Mapping[int, int]) -> Block:
    first, last, loop = note
    words = [f"loop {loop}"] if loop >= 0 else []
    if first:
        words.append(f"line {first}" if first == last else f"lines {first}-{last}")
    label = f"{rows[0]}  ; {', '.join(words)}" if words else rows[0]
    return Block((label, *rows[1:]), loop if loop >= 0 else None, depths.get(loop, 0), n_instructions, first, last)


def _without_noise(line: str) -> str:
    return _NOISE.sub("", _METADATA.sub("", line)).rstrip()


def _gap(blocks: Sequence[Block]) -> list[str]:
    if not blocks:
        return []
    lines = [line for block in blocks for line in (block.first_line, block.last_line) if line]
    where = f", lines {min(lines)}-{max(lines)}" if lines else ""
    n_instructions = sum(block.n_instructions for block in blocks)
    return [f" ; NOT SHOWN: {len(blocks)} blocks, {n_instructions} instructions{where}"]
