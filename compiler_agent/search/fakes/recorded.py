"""Whole conversations in a file: recorded while they are held, and replayed later without network or key.

A file is JSON lines: a head, then one line for each call, by conversation and in its order, with what was added to the
request since the last one, the digest of the whole request, and what it gave. A replay that asks anything else than
what was recorded is an error, so what it finds is what was found then; and recording a replay gives the same file.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compiler_agent.base.errors import BudgetSpent, CompilerAgentError, FileError, Interrupted
from compiler_agent.base.files import write_atomically
from compiler_agent.search.chat import Model, ModelFault, Reply, Request
from compiler_agent.search.fakes.scripted import Step, from_json, read_script, to_json

FORMAT = "cc-agent-conversations"
VERSION = 1
_SAME = "replay with the sources, options and version of the recording, or record anew"


class Recording:
    """The file that conversations are written to, whole after each call. Safe to use from several threads."""

    def __init__(self, path: Path, model: str) -> None:
        """Writes the head, so that a file that cannot be written is known at once."""
        self._path = path
        self._head = {"format": FORMAT, "version": VERSION, "model": model}
        self._rows: dict[tuple[str, int], dict[str, Any]] = {}
        self._turn = threading.Lock()
        self._write()

    def model(self, model: Model, conversation: str) -> Model:
        """The model, each of whose calls is written down."""
        return _Recorded(self, model, conversation)

    def add(self, conversation: str, n: int, row: Mapping[str, Any]) -> None:
        """Writes down the n-th call of a conversation."""
        with self._turn:
            self._rows[conversation, n] = {"conversation": conversation, "n": n, **row}
            self._write()

    def note_similar(self, conversation: str, similar: str) -> None:
        """Writes down what was known of similar units, if anything, as the call before the first."""
        if similar:
            self.add(conversation, 0, {"similar": similar})

    def _write(self) -> None:
        rows = [self._head, *(self._rows[place] for place in sorted(self._rows))]
        write_atomically(self._path, "".join(json.dumps(row) + "\n" for row in rows).encode())


class _Recorded:
    def __init__(self, recording: Recording, model: Model, conversation: str) -> None:
        self.name = model.name
        self._recording, self._model, self._conversation = recording, model, conversation
        self._n_calls = self._n_messages = 0

    def reply(self, request: Request, timeout_s: float) -> Reply:
        """The model's reply, written down; a fault, too."""
        try:
            reply = self._model.reply(request, timeout_s)
        except ModelFault as fault:
            self._add(request, to_json(fault))
            raise
        except Interrupted:
            self._add(request, {"interrupted": True})
            raise
        self._add(request, to_json(reply))
        return reply

    def _add(self, request: Request, gave: Mapping[str, Any]) -> None:
        self._n_calls += 1
        row = {"request_sha256": _digest(request, self.name), "added": list(request.messages[self._n_messages :])}
        if self._n_calls == 1:
            row = {"system": request.system, "tools": list(request.tools), **row}
        self._n_messages = len(request.messages)
        self._recording.add(self._conversation, self._n_calls, {**row, **gave})


class Replay:
    """Recorded conversations, to be held again."""

    def __init__(self, path: Path) -> None:
        """Reads the file.

        Raises:
            FileError: It cannot be read, or is no recording of a version that is known here.
        """
        head, *rows = read_script(path) or [{}]
        if head.get("format") != FORMAT or head.get("version") != VERSION:
            raise FileError(f"{path} is not a {FORMAT} of version {VERSION}", hint="record one with --record FILE")
        self._path = path
        try:
            self.name = str(head["model"])
            self._rows = {(row["conversation"], row["n"]): row for row in rows}
        except KeyError as error:
            raise FileError(f"{path} has a line without {error}", hint="record anew with --record FILE") from error

    def model(self, conversation: str) -> Model:
        """The model as it answered in one conversation."""
        return _Replayed(self, conversation)

    def similar(self, conversation: str) -> str:
        """What was known of similar units when a conversation was recorded; empty: nothing."""
        return str(self._rows.get((conversation, 0), {}).get("similar", ""))

    def step(self, conversation: str, n: int, digest: str) -> Step:
        """What the n-th call gave.

        Raises:
            BudgetSpent: The conversation ended before it: what might be spent then was spent.
            Interrupted: It was interrupted then.
            CompilerAgentError: There was no such conversation, or something else was asked then.
        """
        if (conversation, 1) not in self._rows:
            raise CompilerAgentError(f"{self._path} has no conversation about {conversation}", hint=_SAME)
        row = self._rows.get((conversation, n))
        if row is None:
            raise BudgetSpent(f"its conversation ends here in {self._path}")
        if row["request_sha256"] != digest:
            raise CompilerAgentError(
                f"call {n} about {conversation} is not the one that {self._path} has: another request was sent then",
                hint=_SAME,
            )
        if row.get("interrupted"):
            raise Interrupted(f"its conversation was interrupted here in {self._path}")
        return from_json(row)


class _Replayed:
    def __init__(self, replay: Replay, conversation: str) -> None:
        self.name = replay.name
        self._replay, self._conversation = replay, conversation
        self._n_calls = 0

    def reply(self, request: Request, timeout_s: float) -> Reply:
        """What was recorded."""
        self._n_calls += 1
        step = self._replay.step(self._conversation, self._n_calls, _digest(request, self.name))
        if isinstance(step, ModelFault):
            raise step
        return step


def _digest(request: Request, model: str) -> str:
    """Of what was asked; how long the answer might be is left out, it follows from what could be paid then."""
    body = request.body(model)
    del body["max_tokens"]
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
