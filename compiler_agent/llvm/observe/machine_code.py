"""The loops of compiled code, read from the assembly that clang prints.

LLVM's own comments say which block heads which loop, and clang's `.loc` comments from which source line an instruction
comes, through whatever was inlined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_COMMENT = r"(?:#|//|@|;)"
_FUNCTION = re.compile(r"\s*\.type\s+(\"[^\"]+\"|[^\s,]+),\s*[@%]function")
_LABEL = re.compile(rf"(\"[^\"]+\"|[\w.$]+):\s*(?:{_COMMENT}(.*))?$")
_BLOCK = re.compile(rf"\s*{_COMMENT} %bb\.\d+:\s*(?:{_COMMENT}(.*))?")
_HEADER = re.compile(r"=>\s*This (Inner )?Loop Header: Depth=(\d+)")
_MEMBER = re.compile(r"in Loop: Header=BB(\d+_\d+) Depth=(\d+)")
_LOCATION = re.compile(rf"\s*\.loc\s+\d+\s+(\d+).*?(?:{_COMMENT}\s*(.*))?$")
_PLACE = re.compile(r"[^\s@\[\]]+:(\d+):\d+")
_BEGIN = re.compile(r"(\S+) -- Begin function")
_INSTRUCTION = re.compile(r"\t[a-zA-Z]")
_TRAILING_COMMENT = re.compile(rf"\s+{_COMMENT}+ .*$")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One machine instruction."""

    text: str
    """Without comments."""
    line: int
    """In the source, where it stands in the function itself and not in what was inlined into it; 0: unknown."""
    inner_line: int
    """The same, in what was inlined; equal to `line` where nothing was."""


@dataclass(slots=True)
class Block:
    """One basic block."""

    label: str
    """Its label; empty where nothing jumps to it."""
    header: str = ""
    """Number of the block that heads the innermost loop around it; empty: it is in no loop."""
    depth: int = 0
    """Of that loop."""
    innermost: bool = False
    """Whether that loop holds no other; known at its header only."""
    instructions: list[Instruction] = field(default_factory=list)
    """In order."""


@dataclass(frozen=True, slots=True)
class MachineLoop:
    """An innermost loop of the machine code."""

    depth: int
    """1 for an outermost loop."""
    n_blocks: int
    """Basic blocks."""
    instructions: tuple[Instruction, ...]
    """Of all blocks, in the order of the code: a straight line even where there are branches."""
    header: str
    """Number of the block that heads it, as in "0_4": its label is ".LBB0_4"."""

    @property
    def lines(self) -> tuple[int, ...]:
        """The source lines of its instructions, without those that have none."""
        return tuple(one.line for one in self.instructions if one.line)

    @property
    def inner_lines(self) -> tuple[int, ...]:
        """The same for the lines in what was inlined."""
        return tuple(one.inner_line for one in self.instructions if one.inner_line)


def comment_sign(assembly: str) -> str:
    """What begins a comment in this assembly: that depends on the target."""
    found = _BEGIN.search(assembly)
    return found[1] if found else "#"


def read_functions(assembly: str) -> dict[str, list[Block]]:
    """The blocks of each function, by symbol."""
    functions: dict[str, list[Block]] = {}
    names: set[str] = set()
    blocks: list[Block] | None = None
    line = inner_line = 0
    for text in assembly.splitlines():
        if match := _FUNCTION.match(text):
            names.add(match[1])
        elif match := _LABEL.match(text):
            if match[1] in names:
                blocks = functions.setdefault(match[1].strip('"'), [])
                blocks.append(Block(""))
            elif blocks is not None and match[1].startswith((".LBB", "LBB")):
                blocks.append(_placed(Block(match[1]), match[2] or ""))
            elif match[1].startswith((".Lfunc_end", "Lfunc_end")):
                blocks = None
        elif blocks is None:
            continue
        elif match := _BLOCK.match(text):
            blocks.append(_placed(Block(""), match[1] or ""))
        elif match := _LOCATION.match(text):
            places = _PLACE.findall(match[2] or "")
            line, inner_line = int(places[-1] if places else match[1]), int(match[1])
        elif _INSTRUCTION.match(text):
            blocks[-1].instructions.append(Instruction(_TRAILING_COMMENT.sub("", text.strip()), line, inner_line))
        elif not blocks[-1].instructions:  # a comment on a line of its own goes on with what the label's began
            _placed(blocks[-1], text)
    return functions


def innermost_loops(blocks: Iterable[Block]) -> Iterator[MachineLoop]:
    """The innermost loops of a function, in the order of the code."""
    by_header: dict[str, list[Block]] = {}
    for block in blocks:
        if block.header:
            by_header.setdefault(block.header, []).append(block)
    for header, members in by_header.items():
        if any(block.innermost for block in members):
            instructions = tuple(one for block in members for one in block.instructions)
            yield MachineLoop(members[0].depth, len(members), instructions, header)


def _placed(block: Block, comment: str) -> Block:
    """Notes what a comment says of the loops around a block."""
    if match := _HEADER.search(comment):
        block.header, block.depth = block.label.rpartition("LBB")[2], int(match[2])
        block.innermost = match[1] is not None
    elif match := _MEMBER.search(comment):
        block.header, block.depth = match[1], int(match[2])
    return block
