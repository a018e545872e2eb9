"""A server on loopback that speaks the Messages API over real HTTP, and fails on demand.

    python -m compiler_agent.search.fakes.server --script FILE [--port N]

It plays a script (see `scripted`), one step for each request, and prints the address to put into ANTHROPIC_BASE_URL.
Besides replies and faults a step can be {"broken": HOW}: `drop` (the stream ends in the middle), `close` (no answer at
all), `stall` (it begins and then says nothing), `error` (the stream turns into an error), `garbage` (events that are
not JSON), `html` (a page of a proxy).
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from compiler_agent.search.chat import Fault
from compiler_agent.search.fakes.scripted import Step, read_script, to_json

_STATUS = {
    Fault.RATE_LIMIT: (429, "rate_limit_error"),
    Fault.OVERLOADED: (529, "overloaded_error"),
    Fault.SERVER_ERROR: (500, "api_error"),
    Fault.REJECTED: (400, "invalid_request_error"),
}
_STALL_S = 60.0


class FakeServer:
    """Plays a script over HTTP. Use as a context manager."""

    def __init__(self, steps: Iterable[Step | Mapping[str, Any]], *, port: int = 0) -> None:
        """Begins to listen; requests beyond the last step are answered with status 500."""
        self.requests: list[dict[str, Any]] = []
        """The bodies that were sent."""
        self.headers: list[dict[str, str]] = []
        """Their headers; names in lower case."""
        self._steps = iter(step if isinstance(step, Mapping) else to_json(step) for step in steps)
        self._turn = threading.Lock()
        self.released = threading.Event()
        """Set when stalled answers should end."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """What ANTHROPIC_BASE_URL has to be."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def next_step(self, body: dict[str, Any], headers: dict[str, str]) -> Mapping[str, Any]:
        """What a request is answered with."""
        with self._turn:
            self.requests.append(body)
            self.headers.append(headers)
            return next(self._steps, {"fault": {"kind": "server-error", "detail": "the script has no more steps"}})

    def wait(self) -> None:
        """Serves until it is interrupted."""
        self._thread.join()


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length))
            if not self.path.startswith("/v1/messages"):
                self._answer(404, {"type": "error", "error": {"type": "not_found_error", "message": self.path}})
                return
            step = server.next_step(body, {name.lower(): value for name, value in self.headers.items()})
            if "fault" in step:
                self._fail(step["fault"])
            elif step.get("broken") == "close":
                self.close_connection = True
            elif step.get("broken") == "html":
                self._send(200, b"<html>the proxy is being repaired</html>", "text/html")
            else:
                self._stream(step, str(body.get("model", "")))

        def _fail(self, fault: Mapping[str, Any]) -> None:
            status, kind = _STATUS[Fault(fault["kind"])]
            wait = fault.get("retry_after_s")
            error = {"type": "error", "error": {"type": kind, "message": fault.get("detail", "")}}
            self._answer(status, error, {} if wait is None else {"retry-after": str(wait)})

        def _answer(self, status: int, content: object, headers: Mapping[str, str] | None = None) -> None:
            self._send(status, json.dumps(content).encode(), "application/json", headers)

        def _send(self, status: int, data: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"content-type": kind, "content-length": str(len(data)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, step: Mapping[str, Any], model: str) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            broken = step.get("broken")
            reply = step.get("reply") or {"content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn"}
            for n, event in enumerate(_events(reply, model)):
                if n == 1 and broken == "error":
                    event = {"type": "error", "error": {"type": "overloaded_error", "message": "too much to do"}}
                data = "{not json" if broken == "garbage" and n else json.dumps(event)
                self.wfile.write(f"event: {event['type']}\ndata: {data}\n\n".encode())
                self.wfile.flush()
                if n == 1 and broken == "stall":
                    server.released.wait(_STALL_S)
                if n == 1 and broken in ("drop", "stall", "error"):
                    return

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing: what is tested is what the client says."""

    return Handler


def _events(reply: Mapping[str, Any], model: str) -> Iterator[dict[str, Any]]:
    """A reply as the events of a stream, tool inputs in pieces as the real server sends them."""
    usage = reply.get("usage", {})
    counted = {
        "input_tokens": usage.get("input_tokens", 0),
        "cache_creation_input_tokens": usage.get("cache_write_tokens", 0),
        "cache_read_input_tokens": usage.get("cache_read_tokens", 0),
        "output_tokens": 1,
    }
    head = {"id": "msg_fake", "type": "message", "role": "assistant", "model": model, "content": []}
    yield {"type": "message_start", "message": {**head, "stop_reason": None, "stop_sequence": None, "usage": counted}}
    for index, block in enumerate(reply["content"]):
        whole, pieces = _pieces(block)
        yield {"type": "content_block_start", "index": index, "content_block": whole}
        for piece in pieces:
            yield {"type": "content_block_delta", "index": index, "delta": piece}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": reply["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage.get("output_tokens", 1)}}
    yield {"type": "message_stop"}


def _pieces(block: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if block["type"] == "tool_use":
        text = json.dumps(block["input"])
        halves = (text[: len(text) // 2], text[len(text) // 2 :])
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": half} for half in halves]
    if block["type"] == "text":
        return {**block, "text": ""}, [{"type": "text_delta", "text": block["text"]}]
    return dict(block), []


def main() -> None:
    """Serves a script until it is interrupted."""
    parser = argparse.ArgumentParser(prog="compiler_agent.search.fakes.server", description=__doc__)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    with FakeServer(read_script(given.script), port=given.port) as server:
        print(server.url, flush=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
