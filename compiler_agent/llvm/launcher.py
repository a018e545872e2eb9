"""What the launcher, which owns the table of clang's options, understands of a command (see docs/decisions/0002)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from compiler_agent.base.config import native_file
from compiler_agent.base.process import check


def described(arguments: Sequence[str], cwd: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """What the launcher understands of a compiler command, as it prints it; nothing is run."""
    done = check([native_file("bin/cc-agent"), "--cc-agent-describe", *arguments], cwd=cwd, timeout_s=60)
    row: dict[str, Any] = json.loads(done.stdout.decode(errors="surrogateescape"))
    return row
