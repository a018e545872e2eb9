"""What every command costs before it does anything: what takes long to import is imported where it is used."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("anthropic", "gymnasium", "matplotlib", "networkx", "numpy", "scipy", "z3")
ASK_ALL = f"""
import sys
import click
from compiler_agent.app.cli import cli

def ask(command, words):
    try:
        command.main([*words, "--help"], prog_name="compiler-agent", standalone_mode=False)
    except click.exceptions.Exit:
        pass
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    assert not loaded, f"{{words}} loads {{loaded}}"
    return 1

def count(group, words=()):
    n = ask(cli, words)
    for name, command in group.commands.items():
        n += count(command, (*words, name)) if isinstance(command, click.Group) else ask(cli, (*words, name))
    return n

print("asked", count(cli))
"""


def test_no_help_loads_what_takes_long_to_import() -> None:
    done = subprocess.run([sys.executable, "-c", ASK_ALL], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.rpartition("asked ")[2]) > 20
    assert "--objective" in done.stdout
