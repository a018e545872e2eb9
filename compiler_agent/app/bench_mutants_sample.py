"""Which mutants are made: functions drawn from real libraries, and mistakes spread evenly over kinds and functions."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compiler_agent.app.bench_mutants_build import Compiled, Site


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mutant that may be made."""

    compiled: Compiled
    """The unit and level."""
    site: Site
    """The mistake."""

    @property
    def key(self) -> str:
        """What names it in files: unit, level, kind and site."""
        return f"{self.compiled.name} {self.site.kind} {self.site.number}"


def choose_functions(
    sites: dict[str, tuple[Compiled, list[Site]]], n_functions: int, seed: int, *, fewest_sites: int = 10
) -> list[tuple[str, str]]:
    """Draws functions, the same number from each library where it has them.

    Args:
        sites: By the unit's name without level: any level of it, and its sites.
        n_functions: How many.
        seed: Of the draw.
        fewest_sites: Functions with fewer sites are too small to be interesting.

    Returns:
        Pairs of the unit's name and the function's symbol.
    """
    rng = random.Random(f"functions {seed}")
    of_library: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for unit in sorted(sites):
        compiled, found = sites[unit]
        counts = Counter(site.function for site in found)
        names = sorted(name for name, count in counts.items() if count >= fewest_sites and name != "main")
        of_library[compiled.unit.library] += [(unit, name) for name in names]
    for functions in of_library.values():
        rng.shuffle(functions)
    chosen: list[tuple[str, str]] = []
    while len(chosen) < n_functions and any(of_library.values()):
        for library in sorted(of_library):
            if of_library[library] and len(chosen) < n_functions:
                chosen.append(of_library[library].pop())
    return chosen


def candidates(
    compiled: Sequence[tuple[Compiled, list[Site]]], functions: Sequence[tuple[str, str]], seed: int
) -> Iterator[Candidate]:
    """All mutants of the functions, in an order of which every beginning is spread evenly over kinds and functions."""
    rng = random.Random(f"sites {seed}")
    wanted = set(functions)
    pool: dict[str, dict[str, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for unit, sites in compiled:
        for site in sites:
            if (unit.unit.name, site.function) in wanted:
                pool[site.kind][f"{unit.unit.name} {site.function}"].append(Candidate(unit, site))
    for of_function in pool.values():
        for found in of_function.values():
            rng.shuffle(found)
    drawn: Counter[str] = Counter()
    kinds = sorted(pool)
    while kinds:
        for kind in list(kinds):
            of_function = pool[kind]
            least = min(drawn[name] for name in of_function)
            name = rng.choice(sorted(name for name in of_function if drawn[name] == least))
            drawn[name] += 1
            yield of_function[name].pop()
            if not of_function[name]:
                del of_function[name]
            if not of_function:
                kinds.remove(kind)
