"""A provider for the pictures: it answers the questions of the demo's shop, the small model with one sentence."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gateway.commands import demo_words as words

GAPS = {"order": "DE-481516", "name": "Anna Lindqvist", "product": "trail lamp", "city": "Hamburg", "day": "Thursday"}
SAID = {asked.format_map(GAPS): said.format_map(GAPS) for asked, said in words.SUPPORT_PAIRS}
QUESTIONS = tuple(SAID)[:4]
SMALL = "mini"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = SAID.get(asked["messages"][-1]["content"], "I am sorry, I do not know that.")
        if SMALL in asked["model"]:
            said = said.split(". ")[:2][-1].rstrip(".") + "."
        tokens = sum(len(each["content"]) for each in asked["messages"]) // 4, len(said) // 4
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
        head = {"id": "chatcmpl-shot", "created": int(time.time()), "model": asked["model"]}
        self.send_response(200)
        if not asked.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
            body = json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        time.sleep(0.15)
        for start in range(0, len(said), 24):
            self._event({**head, "choices": [{"index": 0, "delta": {"content": said[start : start + 24]}}]})
            time.sleep(0.03)
        self._event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self._event({**head, "choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, chunk: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps({**chunk, "object": "chat.completion.chunk"}).encode() + b"\n\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Not on the terminal."""


@contextmanager
def serving() -> Iterator[str]:
    """Its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
