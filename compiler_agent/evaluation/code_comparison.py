"""Which functions of a unit are the same code in two compilations of it, with everything of the unit that they use.

Both are compared as the assembly that clang prints, where every reference has its name: in an object, calls within the
unit are resolved already. Labels, constants, jump tables and local functions may be numbered otherwise, so they are
compared by what they hold; what other units can see, and what can be written to, by name as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

# A line that is one from its first character on: nothing that is indented.
_LABEL = re.compile(r'("[^"]+"|[^\s:#"]+):$')
_SET = re.compile(r'\s*(?:\.set\s+("[^"]+"|[^\s,]+)\s*,|("[^"]+"|[\w.$]+)\s*=)\s*(.+)$')
# A register, a quoted name, or a word that may be a symbol.
_TOKEN = re.compile(r'%[A-Za-z]\w*|"(?:[^"\\]|\\.)*"|[A-Za-z_.$][\w.$]*')
_TEXTS = (".ascii", ".asciz", ".string")
_LINKAGES = (".globl", ".weak", ".hidden", ".protected", ".internal", ".local", ".symver")
_SECTIONS = (".text", ".data", ".bss", ".section", ".pushsection", ".popsection", ".previous")
# What says nothing about what a program does, or is part of what it stands next to.
_SILENT = (
    *(".file", ".loc", ".ident", ".addrsig", ".addrsig_sym", ".size", ".cfi_endproc", ".cfi_startproc"),
    *(".cfi_sections", ".intel_syntax", ".att_syntax", ".build_version", ".subsections_via_symbols", "#"),
)
_ONE_ITEM_SECTIONS = (".gcc_except_table",)


@dataclass(slots=True)
class Item:
    """One function or one piece of data: all from its label to its end."""

    name: str
    """Its label."""
    is_function: bool
    """Whether it is code."""
    section: str = ""
    """Of data: the section's flags, and its name where that has a meaning."""
    lines: list[str] = field(default_factory=list)
    """Its text; labels within stand on lines of their own."""
    linkage: tuple[str, ...] = ()
    """What was said about its symbol: ".globl", ".weak", ".hidden", …"""

    @property
    def is_visible(self) -> bool:
        """Whether other units can see it."""
        return ".globl" in self.linkage or ".weak" in self.linkage

    @property
    def is_writable(self) -> bool:
        """Whether it is data that a program may change: then it is not only what it holds that tells it from others."""
        if self.is_function:
            return False
        flags = self.section.partition('"')[2].partition('"')[0]
        return "w" in flags or self.section.startswith((".data", ".bss", ".comm"))


_Reference = tuple[str, int]
"""An item's name, and which of the labels in it: 0 is its own."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """The items of one compilation."""

    items: Mapping[str, Item]
    """By name."""
    labels: Mapping[str, _Reference]
    """Where each label is."""

    def shape(self, item: Item) -> tuple[list[str], list[_Reference]]:
        """An item's text with holes where symbols of the unit are named, and what belongs into the holes."""
        shapes, references = [], []
        for line in item.lines:
            if label := _LABEL.fullmatch(line):
                reference = self.labels[label[1]]
                shapes.append(f"label {reference[1]}:")
                continue
            words, end = [], 0
            is_text = line.strip().startswith(_TEXTS)
            for token in () if is_text else _TOKEN.finditer(line):
                if (reference := self.labels.get(token[0], ("", 0)))[0]:
                    own = reference[0] == item.name
                    words += [line[end : token.start()], f"<own {reference[1]}>" if own else f"<{reference[1]}>"]
                    end = token.end()
                    references += [] if own else [reference]
            shapes.append("".join([*words, line[end:]]))
        return shapes, references

    def loops(self, name: str) -> bool:
        """Whether a function jumps back, as far as its text shows."""
        item, passed = self.items[name], 0
        for line in item.lines:
            if label := _LABEL.fullmatch(line):
                passed = self.labels[label[1]][1]
            elif any(
                where[0] == name and 0 < where[1] <= passed
                for where in map(self.labels.get, _TOKEN.findall(line))
                if where is not None
            ):
                return True
        return False

    def n_lines(self, name: str) -> int:
        """Lines of a function: instructions, labels and directives."""
        return len(self.items[name].lines)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between a candidate and clang's own code."""

    unchanged: tuple[str, ...]
    """Externally visible functions that are the same code, and so is all of the unit that they use."""
    changed: tuple[str, ...]
    """The other externally visible functions."""
    hidden: tuple[str, ...]
    """Local functions that differ and whose address is in data: nothing within the unit need call them."""
    data: tuple[str, ...]
    """Visible data, and what has no name (".init_array"), that does not hold the same from the beginning."""

    @property
    def differing(self) -> tuple[str, ...]:
        """The functions of which something must be shown: those that changed, and the hidden ones."""
        return (*self.changed, *self.hidden)


def compare(ours: Assembly, theirs: Assembly) -> Comparison:
    """Compares two compilations of a unit: clang's own code, and the code under test."""
    visible = _visible(ours, True) | _visible(theirs, True)
    data = _visible(ours, False) | _visible(theirs, False)
    pointed = sorted(_pointed_to(theirs) - visible)
    pairs = _Pairs(ours, theirs)
    pairs.add([(name, name) for name in [*visible, *data, *pointed]])
    differing, by_content = pairs.differing()
    functions = [name for name in [*theirs.items, *ours.items] if name in visible]
    functions = list(dict.fromkeys(functions))
    # A weak function that nobody needs any more may go.
    functions = [name for name in functions if name in theirs.items or ".weak" not in ours.items[name].linkage]
    gone = {name for name in data if name not in theirs.items and ".weak" in ours.items[name].linkage}
    return Comparison(
        unchanged=tuple(name for name in functions if (name, name) not in differing),
        changed=tuple(name for name in functions if (name, name) in differing),
        hidden=tuple(name for name in pointed if (name, name) in differing),
        data=tuple(sorted(name for name in data - gone if (name, name) in by_content)),
    )


def parse(text: str) -> Assembly:
    """Splits assembly, as clang prints it with -fno-verbose-asm, into functions and data."""
    return _Parser().parse(text)


def _visible(assembly: Assembly, functions: bool) -> set[str]:
    return {
        item.name
        for item in assembly.items.values()
        if item.is_function is functions and (item.is_visible or item.name.startswith("section "))
    }


def _pointed_to(assembly: Assembly) -> set[str]:
    """Functions whose own address is in data."""
    found = set()
    for item in assembly.items.values():
        if not item.is_function:
            found |= {name for name, label in assembly.shape(item)[1] if label == 0}
    return {name for name in found if assembly.items[name].is_function}


class _Pairs:
    """Pairs of items that must be the same so that others are."""

    def __init__(self, ours: Assembly, theirs: Assembly) -> None:
        self._ours = ours
        self._theirs = theirs
        # None: they differ themselves.
        self._needs: dict[tuple[str, str], list[tuple[str, str]] | None] = {}

    def add(self, roots: Iterable[tuple[str, str]]) -> None:
        waiting = list(roots)
        while waiting:
            pair = waiting.pop()
            if pair not in self._needs:
                needs = self._needs[pair] = self._compare(*pair)
                waiting += needs or []

    def differing(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """Pairs that differ, themselves or in what they use; and those that do by what data hold."""
        return self._spread(lambda pair: True), self._spread(lambda pair: not self._is_function(pair))

    def _is_function(self, pair: tuple[str, str]) -> bool:
        item = self._theirs.items.get(pair[1]) or self._ours.items.get(pair[0])
        return item is not None and item.is_function

    def _spread(self, counts: Callable[[tuple[str, str]], bool]) -> set[tuple[str, str]]:
        users: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for pair, needs in self._needs.items():
            for need in needs or []:
                users.setdefault(need, []).append(pair)
        waiting = [pair for pair, needs in self._needs.items() if needs is None and counts(pair)]
        found = set(waiting)
        while waiting:
            for user in users.get(waiting.pop(), []):
                if user not in found and counts(user):
                    found.add(user)
                    waiting.append(user)
        return found

    def _compare(self, ours: str, theirs: str) -> list[tuple[str, str]] | None:
        one, two = self._ours.items.get(ours), self._theirs.items.get(theirs)
        if one is None or two is None or one.is_function is not two.is_function:
            return None
        if (one.is_visible or two.is_visible or one.is_writable or two.is_writable) and ours != theirs:
            return None
        if one.section != two.section or one.linkage != two.linkage:
            return None
        (lines, used), (others, used_there) = self._ours.shape(one), self._theirs.shape(two)
        if lines != others or [label for _, label in used] != [label for _, label in used_there]:
            return None
        return [(a, b) for (a, _), (b, _) in zip(used, used_there, strict=True)]


class _Parser:
    """One reading of an assembly file."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._labels: dict[str, _Reference] = {}
        self._linkage: dict[str, list[str]] = {}
        self._functions: set[str] = set()
        self._section = ".text"
        self._item: Item | None = None
        self._pending: list[str] = []

    def parse(self, text: str) -> Assembly:
        for line in text.splitlines():
            if line.strip():
                self._read(line.rstrip())
        for item in self._items.values():
            item.linkage = tuple(sorted(self._linkage.get(item.name, ())))
        return Assembly(self._items, self._labels)

    def _read(self, line: str) -> None:
        word, _, rest = line.strip().partition("\t") if "\t" in line.strip() else line.strip().partition(" ")
        within = self._item is not None and self._item.is_function
        if label := _LABEL.fullmatch(line):
            self._label(label[1], line)
        elif word == ".size" and within and self._item is not None and rest.split(",")[0].strip() == self._item.name:
            self._item = None
        elif word == ".type":
            name, _, kind = rest.partition(",")
            if kind.strip() in ("@function", "%function", "@gnu_indirect_function"):
                self._functions.add(name.strip())
        elif word in _LINKAGES and "," not in rest:
            self._linkage.setdefault(rest.strip(), []).append(word)
        elif within and self._item is not None:
            if not word.startswith((".loc", ".file")):
                self._item.lines.append(line)
        elif word in _SECTIONS:
            self._item, self._pending = None, []
            self._section = _section(word, rest)
        elif word in (".comm", ".lcomm"):
            name = rest.split(",")[0].strip()
            self._begin(Item(name, False, ".comm", [line.replace(name, "", 1)]))
            if ".local" not in self._linkage.get(name, ()):
                self._linkage.setdefault(name, []).append(".globl")
            self._item = None
        elif assignment := _SET.fullmatch(line):
            name = assignment[1] or assignment[2]
            self._begin(Item(name, name in self._functions, "", [f"\t= {assignment[3]}"]))
            self._item = None
        elif word in (".p2align", ".balign"):
            self._pending.append(line)
        elif not word.startswith(_SILENT):
            if self._item is None:  # what a section holds that has no name, as .init_array
                name = f"section {self._section}"
                self._item = self._items.get(name)
                if self._item is None:
                    self._begin(Item(name, False, self._section))
            assert self._item is not None
            self._item.lines.append(line)

    def _label(self, name: str, line: str) -> None:
        item = self._item
        is_function = name in self._functions
        inner = item is not None and (item.is_function or item.section.startswith(_ONE_ITEM_SECTIONS))
        if item is not None and inner and not is_function:
            n_labels = sum(_LABEL.fullmatch(one) is not None for one in item.lines)
            self._labels[name] = (item.name, n_labels + 1)
            item.lines.append(line)
            return
        # How code is aligned means nothing; data may be read by instructions that need it aligned.
        self._begin(Item(name, is_function, *(("", []) if is_function else (self._section, [*self._pending]))))
        self._pending = []

    def _begin(self, item: Item) -> None:
        self._items[item.name] = item
        self._labels[item.name] = (item.name, 0)
        self._item = item


def _section(word: str, rest: str) -> str:
    """What is compared of a section: its flags; its name only where the name makes things happen."""
    if word != ".section":
        return word
    name, _, flags = rest.partition(",")
    kept = (*_ONE_ITEM_SECTIONS, ".init_array", ".fini_array", ".ctors", ".dtors", ".preinit_array")
    ours = next((known for known in kept if name.startswith(known)), "")
    # Where code and data are grouped by name, the name of the group is of no meaning here.
    return f"{ours} {','.join(flags.split(',')[:3])}".strip()
