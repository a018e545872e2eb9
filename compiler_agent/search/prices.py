"""What a call of a language model costs, from the table in `prices.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.errors import FileError
from compiler_agent.base.files import file_error
from compiler_agent.search.chat import Usage

_DATE = re.compile(r"-\d{8}$")
_PER = 1e6


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    """Read, and in no cache."""
    output: float
    """Written."""
    cache_write: float
    """Read and put into the cache."""
    cache_read: float
    """Read from the cache."""
    up_to_prompt_tokens: float = float("inf")
    """The longest prompt that this price is for."""

    def cost_usd(self, usage: Usage) -> float:
        """What so many tokens cost."""
        return (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_write_tokens * self.cache_write
            + usage.cache_read_tokens * self.cache_read
        ) / _PER


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of one model, for prompts of different lengths, the shortest first."""

    rows: tuple[Price, ...]
    """At least one; the last is for prompts of any length."""

    def cost_usd(self, usage: Usage) -> float:
        """What a call cost."""
        return next(row for row in self.rows if usage.prompt_tokens <= row.up_to_prompt_tokens).cost_usd(usage)


def default_path() -> Path:
    """The table of this package."""
    return Path(__file__).with_name("prices.toml")


def prices_of(model: str, path: Path | None = None) -> Prices | None:
    """The prices of a model; a date at the end of its name does not matter. None where the table has no line for it.

    Raises:
        FileError: The table cannot be read.
    """
    path = path or default_path()
    try:
        rows = tomllib.loads(path.read_text())["model"]
        found = [
            Price(**{field: float(row[field]) for field in row if field != "name"})
            for row in rows
            if row["name"] in (model, _DATE.sub("", model))
        ]
    except OSError as error:
        raise file_error("read", path, error) from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path} is no price table: {error!r}", hint="write it as search/prices.toml is") from error
    if not found:
        return None
    found.sort(key=lambda price: price.up_to_prompt_tokens)
    if found[-1].up_to_prompt_tokens != float("inf"):
        raise FileError(f"{path}: {model} has no price for long prompts", hint="add one without up_to_prompt_tokens")
    return Prices(tuple(found))
