"""What the documents say of files and variables is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_VARIABLE = re.compile(r"\bCC_AGENT_[A-Z_]+\b")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in _LINK.findall(document.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_readme_names_the_variables_that_the_launcher_helps_with() -> None:
    rows = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `CC_")]
    documented = {_VARIABLE.findall(row)[0] for row in rows}
    text = (ROOT / "passes/launcher/help.cpp").read_text(encoding="utf-8")
    helped = set(_VARIABLE.findall(text[text.index("Environment:") : text.index("Our own options")]))
    assert documented == helped


def test_architecture_names_the_folders_that_there_are() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    layout = text[text.index("## The folders") : text.index("## Layers")]
    for parent in ("compiler_agent", "passes"):
        for folder in sorted((ROOT / parent).iterdir()):
            if folder.is_dir() and any(folder.glob("*.*")) and not folder.name.startswith("__"):
                assert f"{folder.name}/" in layout, f"{parent}/{folder.name} is not in the layout"


@pytest.mark.parametrize("script", sorted(ROOT.glob("docs/generate_*.py")), ids=lambda path: path.stem)
def test_generated_pages_are_up_to_date(script: Path) -> None:
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
