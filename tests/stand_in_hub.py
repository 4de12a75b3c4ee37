"""A stand-in for the Hugging Face hub on loopback: the real client downloads from it."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

COMMIT = "c0ffee" + "0" * 34
TOKEN = "hf_canary_token"


class Hub:
    """The few routes of the hub that a download uses. `gated` wants a token; `seen` are the tokens it was given.

    `kind` is "models" (toy/model) or "datasets" (toy/data); `asked` are the paths that were requested.
    """

    def __init__(self, files: dict[str, bytes], gated: bool = False, kind: str = "models") -> None:
        self.files, self.gated = files, gated
        self.name = "toy/model" if kind == "models" else "toy/data"
        self.api = f"/api/{kind}/{self.name}"
        self.resolve = f"/{self.name}/resolve" if kind == "models" else f"/datasets/{self.name}/resolve"
        self.asked: list[str] = []
        self.seen: set[str] = set()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def _handler(hub) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def do_GET(self) -> None:
                given = self.headers.get("Authorization", "")
                hub.seen.add(given)
                hub.asked.append(self.path)
                if not self.path.startswith((hub.api, hub.resolve)):
                    return self.answer(b"{}", 404, X_Error_Code="RepoNotFound")
                if hub.gated and TOKEN not in given:
                    return self.answer(b"{}", 403, X_Error_Code="GatedRepo")
                if "/tree/" in self.path:
                    tree = [{"type": "file", "path": n, "size": len(d), "oid": "0"} for n, d in hub.files.items()]
                    return self.answer(json.dumps(tree).encode(), Content_Type="application/json")
                if self.path.startswith("/api/"):
                    siblings = [{"rfilename": name, "size": len(data)} for name, data in hub.files.items()]
                    info = {"id": hub.name, "modelId": hub.name, "sha": COMMIT, "siblings": siblings}
                    return self.answer(json.dumps(info).encode(), Content_Type="application/json")
                data = hub.files.get(unquote(self.path.removeprefix(hub.resolve).split("/", 2)[2].split("?")[0]))
                if data is None:
                    return self.answer(b"", 404, X_Error_Code="EntryNotFound")
                return self.answer(data, ETag=f'"{hashlib.sha256(data).hexdigest()}"', X_Repo_Commit=COMMIT)

            do_HEAD = do_GET

            def log_message(self, *_: Any) -> None: ...

        return Handler
