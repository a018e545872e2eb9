"""Temporary directories that an interrupt leaves nothing of."""

from __future__ import annotations

import os
import tempfile

from compiler_agent.base.signals import signals_put_off


class ScratchDirectory(tempfile.TemporaryDirectory[str]):
    """As its base, whose directory stays if a signal comes before it is noted, or while it is removed."""

    def __init__(self, prefix: str = "cc-agent-", dir: str | os.PathLike[str] | None = None) -> None:
        with signals_put_off():
            super().__init__(prefix=prefix, dir=None if dir is None else os.fspath(dir), ignore_cleanup_errors=True)

    def cleanup(self) -> None:
        """Removes it; what cannot be removed stays, and is no error."""
        with signals_put_off():
            super().cleanup()
