"""A stand-in for the served models on loopback, for what the real server does only in bad moments."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "key-of-the-job"


def event(**fields: Any) -> str:
    return f"data: {json.dumps(fields)}\n\n"


def delta(text: str, ended: str | None = None, **more: Any) -> str:
    return event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": ended}], **more)


DONE = "data: [DONE]\n\n"


class StandIn:
    """`script` gives what is sent, piece by piece, for a request's path and body. `asked` are the requests so far; `left` is
    set once a client went away in the middle. `status` other than 200 is sent with `refusal` instead."""

    def __init__(self, script: Callable[[str, dict[str, Any]], Iterator[str]]) -> None:
        self.script, self.status, self.refusal = script, 200, ""
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.left = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def _handler(here) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                here.asked.append((self.path, body))
                wrong = self.headers.get("Authorization") != f"Bearer {KEY}"
                self.send_response(401 if wrong else here.status)
                self.end_headers()
                if wrong or here.status != 200:
                    self.wfile.write(here.refusal.encode())
                    return
                try:
                    for piece in here.script(self.path, body):
                        self.wfile.write(piece.encode())
                        self.wfile.flush()
                except OSError:
                    here.left.set()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
