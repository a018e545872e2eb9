"""What the tests of the commands share."""

from pathlib import Path

import pytest

from .programs import Project, make_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A small project whose directory has a space in its name, with its own cache and temporary directory."""
    return make_project(tmp_path)


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A benchmark of the environment: one C source of two small functions."""
    (tmp_path / "unit.c").write_text(
        "static int weigh(const int *p, int n) { int t = 0; for (int i = 0; i < n; i++) t += 3 * p[i]; return t; }"
        "\nint compare(const int *a, int n) { return weigh(a, n) - weigh(a, n / 2); }\n"
    )
    return f"file://{tmp_path}/unit.c"
