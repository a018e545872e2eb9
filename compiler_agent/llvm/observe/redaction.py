"""The one place through which every name and string of the unit goes before it is shown.

Nothing that is shown can hold a control character. Where redaction is wanted, symbols, values, types and files get
aliases, string constants are blanked, and `original` maps what an answer names back. What LLVM itself names (intrinsics
and functions of the C library) keeps its name: its meaning is no secret, and a planner needs it.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_IR_TOKEN = re.compile(
    rf"""(?P<string>\bc{_QUOTED}|\basm\s+(?:\w+\s+)*{_QUOTED},\s*{_QUOTED})
    |(?P<sigil>[@%$])(?P<name>{_QUOTED}|[-\w.$]+)
    |^(?P<label>{_QUOTED}|[-\w.$]+):
    |(?P<quoted>{_QUOTED})""",
    re.VERBOSE | re.MULTILINE,
)
_PLACE = re.compile(r"[^\s:]+:(\d+):\d+")
_WORD = re.compile(rf"{_QUOTED}|(?<!\w)(?:[^\W\d]|\.)[\w.$]*")
_NO_SYMBOL = re.compile(r"[A-Za-z]\w*|__\w+|[vzp]\d+\.\d*[bhsdq]|\.?L(?:BB|CPI|JTI)\d+_\d+")
"""Words of an operand that LLVM chose: registers, relocations, its run-time library, labels of blocks and tables."""
_PLAIN_VALUE = re.compile(r"\d+|(?:i|arg|bb|indvars\.iv[\w.]*|exitcond[\w.]*)\d*")


class Redaction:
    """Aliases for the names of one unit; without `enabled` each name is its own alias."""

    def __init__(self, enabled: bool = False, symbols: Iterable[str] = (), keep: Collection[str] = ()) -> None:
        """Gives the unit's symbols their aliases.

        Args:
            enabled: Whether names are replaced at all.
            symbols: All functions and globals of the unit.
            keep: Symbols that keep their names.
        """
        self.enabled = enabled
        self._keep = frozenset(keep)
        self._aliases: dict[tuple[str, str], str] = {}
        self._originals: dict[str, str] = {}
        self._counts: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        symbols = tuple(symbols)
        self._taken = frozenset(symbols)
        for symbol in symbols:
            self.name(symbol)

    def name(self, symbol: str) -> str:
        """What a function or global is shown as."""
        if not self.enabled or symbol in self._keep or symbol.startswith("llvm."):
            return printable(symbol)
        return self._alias("sym", symbol)

    def names(self, symbols: Iterable[str]) -> list[str]:
        """`name` of each."""
        return [self.name(symbol) for symbol in symbols]

    def original(self, alias: str) -> str:
        """The symbol that an alias stands for; what is no alias is its own."""
        return self._originals.get(alias, alias)

    def file(self, path: str) -> str:
        """What a source file is shown as."""
        return self._alias("file", path) if self.enabled and path else printable(path)

    def ir(self, text: str) -> str:
        """A piece of textual IR with its names replaced and its strings blanked."""
        text = "\n".join(printable(line) for line in text.split("\n"))
        return _IR_TOKEN.sub(self._ir_token, text) if self.enabled else text

    def assembly(self, instruction: str) -> str:
        """One machine instruction; only its operands can name a symbol."""
        instruction = printable(instruction.replace("\t", " "))
        if not self.enabled:
            return instruction
        mnemonic, space, operands = instruction.partition(" ")
        return mnemonic + space + _WORD.sub(self._operand_word, operands)

    def prose(self, text: str) -> str:
        """What LLVM says, on one line; it can name places and symbols in the middle of a sentence."""
        text = " ".join(printable(text.replace("\n", " ")).split(" "))
        if not self.enabled:
            return text
        text = _PLACE.sub(r"line \1", text)
        return _WORD.sub(lambda word: self._aliases.get(("sym", word[0]), word[0]), text)

    def value(self, text: str) -> str:
        """A value that a remark names: nothing says what kind it is."""
        if not self.enabled:
            return printable(text)
        if re.fullmatch(r"[-+]?[\d.]+(?:e[-+]?\d+)?%?", text):
            return text
        return self._aliases.get(("sym", text), "<redacted>")

    def _operand_word(self, word: re.Match[str]) -> str:
        name = word[0].strip('"').removeprefix(".L")  # private globals
        if ("sym", name) in self._aliases:
            return self._aliases["sym", name]
        # What passes add (`.Lswitch.table.f`, `f.cold.1`) is named after symbols of the unit.
        return word[0] if name in self._keep or _NO_SYMBOL.fullmatch(word[0]) else self._alias("local", name)

    def _ir_token(self, token: re.Match[str]) -> str:
        if token["string"]:
            return 'c"<redacted>"' if token["string"].startswith("c") else 'asm "<redacted>"'
        if token["quoted"]:
            return '"<redacted>"'
        name = str(token["name"] or token["label"]).strip('"')
        if token["sigil"] == "@":
            return "@" + self.name(name)
        if token["sigil"] == "$":
            return "$" + self.name(name)
        alias = name if _PLAIN_VALUE.fullmatch(name) else self._alias("v", name)
        return f"%{alias}" if token["sigil"] else f"{alias}:"

    def _alias(self, kind: str, original: str) -> str:
        if (kind, original) not in self._aliases:
            numbered = (f"{kind}{number}" for number in self._counts[kind])
            alias = next(alias for alias in numbered if alias not in self._taken)
            self._aliases[kind, original] = alias
            self._originals[alias] = original
        return self._aliases[kind, original]


def printable(text: str) -> str:
    """One line of text in which nothing can move a cursor or begin a line of its own."""
    return _CONTROL.sub(lambda character: f"\\x{ord(character[0]):02x}", text)
