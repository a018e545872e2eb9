"""Which machine times were taken on, and what else went on there."""

from __future__ import annotations

import contextlib
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)
_STEAL = 7
"""Place of stolen time in the first line of /proc/stat, after its name: proc(5)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What times depend on. Times of different machines are never put together."""

    cpu: str
    """The processor's model."""
    n_cores: int
    """Processors that Linux sees."""
    kernel: str
    """As in 6.18.44."""
    governor: str
    """How its clock rate is chosen; "unknown": it does not say, as in most virtual machines."""
    hypervisor: str
    """The vendor whose virtual machine it is, as far as it shows; "none"; or "unknown"."""

    def __str__(self) -> str:
        """As one line."""
        return f"{self.cpu}, {self.n_cores} cores, Linux {self.kernel}, governor {self.governor}, VM {self.hypervisor}"


def this_machine(root: Path = Path("/")) -> Machine:
    """The machine that this runs on.

    Args:
        root: Where `proc` and `sys` are.
    """
    processors = _read(root / "proc/cpuinfo")
    model = _MODEL.search(processors)
    vendor = _read(root / "sys/class/dmi/id/sys_vendor") or "unknown"
    return Machine(
        cpu=model[1] if model else platform.machine(),
        n_cores=os.cpu_count() or 1,
        kernel=platform.release(),
        governor=_read(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "unknown",
        hypervisor=vendor if re.search(r"\bhypervisor\b", processors) else "none",
    )


@dataclass(frozen=True, slots=True)
class Load:
    """What the whole machine has done so far."""

    stolen_ticks: int
    """Time that the hypervisor gave to others."""
    total_ticks: int
    """Time of all processors, idle or not."""
    average: float
    """Processes that wanted to run, over the last minute."""

    def stolen_since(self, before: Load) -> float:
        """The share of time that was stolen since."""
        return (self.stolen_ticks - before.stolen_ticks) / max(1, self.total_ticks - before.total_ticks)


def load_now(root: Path = Path("/")) -> Load:
    """What /proc says now; zeros where it says nothing.

    Args:
        root: Where `proc` is.
    """
    ticks = [int(word) for word in _read(root / "proc/stat").split("\n")[0].split()[1:9]] or [0] * 8
    average = float((_read(root / "proc/loadavg") or "0").split()[0])
    return Load(ticks[_STEAL], sum(ticks), average)


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace").strip()
    return ""
