"""A stand-in for the Hugging Face hub on loopback: the real client searches it and downloads from it."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

COMMIT = "c0ffee" + "0" * 34
TOKEN = "hf_canary_token"


class Hub:
    """The few routes of the hub that a download uses. `gated` wants a token; `seen` are the tokens it was given.

    `kind` is "models" (toy/model) or "datasets" (toy/data); `asked` are the paths that were requested. `listed` are the models
    that a search goes through, as the real API answers them; `page` of them come at once, the others by a Link header.
    """

    def __init__(
        self,
        files: dict[str, bytes],
        gated: bool = False,
        kind: str = "models",
        listed: list[dict[str, Any]] | None = None,
        page: int = 2,
    ) -> None:
        self.files, self.gated, self.listed, self.page = files, gated, listed, page
        self.name = "toy/model" if kind == "models" else "toy/data"
        self.api = f"/api/{kind}/{self.name}"
        self.resolve = f"/{self.name}/resolve" if kind == "models" else f"/datasets/{self.name}/resolve"
        self.asked: list[str] = []
        self.seen: set[str] = set()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def search(self, path: str) -> tuple[bytes, str]:
        """The answer of `/api/models?...` and its Link header: filtered, sorted, a page at a time."""
        asked = parse_qs(urlsplit(path).query)
        words, wanted = asked.get("search", [""])[0].lower(), set(asked.get("filter", []))
        kind, sort = asked.get("pipeline_tag", [""])[0], asked.get("sort", ["downloads"])[0]
        bounds = dict(part.split(":") for part in asked.get("num_parameters", [""])[0].split(",") if part)
        found = []
        for model in self.listed or []:
            size = model.get("safetensors", {}).get("total")
            # As the hub does: a model whose size it does not know stays in the list.
            fits = size is None or int(bounds.get("min", 0)) <= size <= int(bounds.get("max", size))
            named = words in model["id"].lower() and (not kind or model.get("pipeline_tag") == kind)
            if named and fits and wanted <= set(model["tags"]):
                found.append(model)
        found.sort(key=lambda model: model.get(sort, ""), reverse=True)
        begin = int(asked.get("cursor", ["0"])[0])
        following = {**asked, "cursor": [str(begin + self.page)]}
        link = f'<{self.url}/api/models?{urlencode(following, doseq=True)}>; rel="next"'
        shown = ["id", *asked.get("expand", found[0].keys() if found else [])]
        page = [{k: v for k, v in m.items() if k in shown} for m in found[begin : begin + self.page]]
        return json.dumps(page).encode(), link if begin + self.page < len(found) else ""

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
                if self.path.split("?")[0] == "/api/models" and hub.listed is not None:
                    body, link = hub.search(self.path)
                    return self.answer(body, Content_Type="application/json", **({"Link": link} if link else {}))
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
