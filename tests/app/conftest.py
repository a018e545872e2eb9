"""What the tests of the commands share."""

from pathlib import Path

import pytest

from .programs import Project, make_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A small project whose directory has a space in its name, with its own cache and temporary directory."""
    return make_project(tmp_path)
