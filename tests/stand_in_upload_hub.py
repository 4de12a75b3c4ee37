"""A stand-in for the part of the Hugging Face hub that takes uploads, on loopback: the real client pushes to it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

TOKEN = "hf_canary_of_the_upload_0123456789"
READ_ONLY = "hf_canary_that_may_only_read_0123"
LARGEST_REGULAR = 1_000  # bytes from which a file goes another way than with the commit


@dataclass
class Repo:
    """What the hub keeps: `files` as they stand now, one list of changed paths a commit."""

    private: bool
    files: dict[str, bytes] = field(default_factory=lambda: {".gitattributes": b""})
    commits: list[list[str]] = field(default_factory=list)

    @property
    def sha(self) -> str:
        return hashlib.sha1(repr(self.commits).encode()).hexdigest()


class UploadHub:
    """`me` and the organisation `team` may be written to, `others` not. `blobs` are large files by SHA-256, `puts` those that
    were sent. A request whose path ends with `hold` waits until `released` is set; `arrived` says that one does."""

    def __init__(self, hold: str = "") -> None:
        self.repos: dict[str, Repo] = {}
        self.blobs: dict[str, bytes] = {}
        self.puts: list[str] = []
        self.validated = 0
        self.hold, self.arrived, self.released = hold, threading.Event(), threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, Any, str]:
        """Status, JSON and the error code of one request."""
        if path == "/api/validate-yaml":
            return self.validate(json.loads(body))
        if path.startswith("/lfs/"):
            return self.keep(path.removeprefix("/lfs/"), body)
        if token not in (TOKEN, READ_ONLY):
            return 401, {"error": "Invalid credentials in Authorization header"}, ""
        if path == "/api/whoami-v2":
            role = "write" if token == TOKEN else "read"
            return (
                200,
                {"name": "me", "type": "user", "orgs": [{"name": "team"}], "auth": {"accessToken": {"role": role}}},
                "",
            )
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        name = "/".join(path.removeprefix("/api/models").lstrip("/").split("/")[:2]).removesuffix(".git")
        repo = self.repos.get(name)
        if repo is None:
            return 404, {"error": "Repository not found"}, "RepoNotFound"
        if path.endswith("/objects/batch"):
            return 200, self.batch(json.loads(body)), ""
        if "/preupload/" in path:
            return 200, self.preupload(repo, json.loads(body)), ""
        if "/commit/" in path:
            lines = [json.loads(each) for each in body.splitlines()]
            if lines[0]["value"].get("parentCommit", repo.sha) != repo.sha:
                return 412, {"error": "A commit has happened since. Please refresh and try again."}, ""
            return 200, self.commit(repo, name, lines), ""
        if "/tree/" in path:
            return 200, [self.entry(each, data) for each, data in repo.files.items()], ""
        siblings = [{"rfilename": each} for each in repo.files]
        return 200, {"id": name, "modelId": name, "sha": repo.sha, "private": repo.private, "siblings": siblings}, ""

    def validate(self, given: dict[str, Any]) -> tuple[int, Any, str]:
        """What the hub asks of a model card's metadata, as far as its own documentation says it."""
        self.validated += 1
        found = yaml.safe_load(given["content"].split("---\n")[1])
        errors = []
        if not isinstance(found.get("license", ""), str):
            errors.append("license must be a name")
        if found.get("license") == "other" and not (found.get("license_name") and found.get("license_link")):
            errors.append("license other needs license_name and license_link")
        for key in ("tags", "language", "datasets", "metrics"):
            if not all(isinstance(each, str) for each in found.get(key, [])) or not isinstance(
                found.get(key, []), list
            ):
                errors.append(f"{key} must be a list of names")
        for model in found.get("model-index", []):
            for result in model["results"]:
                if not (
                    model["name"] and result["task"]["type"] and result["dataset"]["name"] and result["dataset"]["type"]
                ):
                    errors.append("model-index lacks a name or a type")
                if not all(m["type"] and isinstance(m["value"], int | float) for m in result["metrics"]):
                    errors.append("model-index has a metric without type or value")
        return (400 if errors else 200), {"errors": [{"message": e} for e in errors], "warnings": []}, ""

    def create(self, given: dict[str, Any]) -> tuple[int, Any, str]:
        owner = given.get("organization") or "me"
        if owner not in ("me", "team"):
            return 403, {"error": "You don't have the rights to create a model under this namespace"}, ""
        name = f"{owner}/{given['name']}"
        if name in self.repos:
            return 409, {"error": "You already created this model repo", "url": f"{self.url}/{name}"}, ""
        self.repos[name] = Repo(private=given.get("visibility") == "private" or bool(given.get("private")))
        return 200, {"url": f"{self.url}/{name}"}, ""

    def preupload(self, repo: Repo, given: dict[str, Any]) -> dict[str, Any]:
        files = []
        for file in given["files"]:
            mode = "lfs" if file["size"] > LARGEST_REGULAR else "regular"
            known = repo.files.get(file["path"])
            oid = None if known is None else self.entry(file["path"], known)
            files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False})
            if oid is not None:
                files[-1]["oid"] = oid["lfs"]["oid"] if "lfs" in oid else oid["oid"]
        return {"files": files}

    def entry(self, path: str, data: bytes) -> dict[str, Any]:
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        found: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": blob}
        if len(data) > LARGEST_REGULAR:
            found["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return found

    def batch(self, given: dict[str, Any]) -> dict[str, Any]:
        objects = []
        for each in given["objects"]:
            new = each["oid"] not in self.blobs
            action = {"actions": {"upload": {"href": f"{self.url}/lfs/{each['oid']}"}}} if new else {}
            objects.append({"oid": each["oid"], "size": each["size"], **action})
        return {"transfer": "basic", "objects": objects}

    def keep(self, oid: str, body: bytes) -> tuple[int, Any, str]:
        if hashlib.sha256(body).hexdigest() != oid:
            return 400, {"error": "wrong content"}, ""
        self.puts.append(oid)
        self.blobs[oid] = body
        return 200, {}, ""

    def commit(self, repo: Repo, name: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
        changed = []
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repo.files[value["path"]] = self.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del repo.files[value["path"]]
            else:
                continue
            changed.append(value["path"])
        repo.commits.append(changed)
        return {"commitUrl": f"{self.url}/{name}/commit/{repo.sha}", "commitOid": repo.sha}

    def _handler(hub) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def read(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                return b"".join(parts)

            def do(self) -> None:
                body, path = self.read(), unquote(urlsplit(self.path).path)
                if hub.hold and hub.hold in path and not hub.released.is_set():
                    hub.arrived.set()
                    hub.released.wait(120)
                    return  # whoever asked is gone
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                status, found, code = hub.answer(self.command, path, token, body)
                data = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                if code:
                    self.send_header("X-Error-Code", code)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_HEAD = do

            def log_message(self, *_: Any) -> None: ...

        return Handler
