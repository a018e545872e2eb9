"""What our programs say on stderr."""

from __future__ import annotations

import sys
import warnings


def show_warnings_plainly(program: str) -> None:
    """From now on Python's warnings are lines for users, without the file and line that raised them."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print(f"{program}: warning: {message}", file=sys.stderr)

    warnings.showwarning = show
