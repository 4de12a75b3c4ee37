"""A stand-in for an OpenAI-compatible server on loopback: the real client asks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-canary-93b1f0c2d7"
Reply = tuple[int, str] | tuple[int, str, dict[str, str]]


def said(text: str) -> Reply:
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]})


def wins(letter: str) -> Reply:
    return said(json.dumps({"reason": "it is short", "winner": letter}))


class Judge:
    """`answer` gets the two answers in the order they stand; before that, `troubles` are replied once each, in order.
    `asked` are the bodies of all requests, `keys` what they were authorised with."""

    def __init__(self, answer: Callable[[str, str], Reply]) -> None:
        self.answer, self.troubles = answer, list[Reply]()
        self.asked: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def _handler(judge) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                judge.asked.append(body)
                judge.keys.add(self.headers.get("Authorization", ""))
                user = body["messages"][-1]["content"]
                first, second = (user.split(f"<answer_{x}>\n")[1].split(f"\n</answer_{x}>")[0] for x in "AB")
                status, text, *headers = judge.troubles.pop(0) if judge.troubles else judge.answer(first, second)
                self.send_response(status)
                content = text.encode()
                for name, value in {"Content-Length": str(len(content)), **(headers[0] if headers else {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def shorter(first: str, second: str) -> Reply:
    return wins("tie" if len(first) == len(second) else "A" if len(first) < len(second) else "B")


def always_first(first: str, second: str) -> Reply:
    return wins("A")
