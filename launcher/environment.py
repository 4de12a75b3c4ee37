"""The project's own Python environment, `.venv`: made once, filled from the requirement files, and left alone while
they do not change. A stamp inside it says what is installed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.schemas.errors import UserError

from .console import ProgressLine, say, tail
from .pip_output import PipProgress, explain_failure

# Prints "OLD_ENOUGH TAG": the tag changes when installed packages would no longer fit.
_ASK_PYTHON = (
    "import sys, sysconfig; "
    "print(int(sys.version_info >= (3, 11)), sys.implementation.cache_tag + '-' + sysconfig.get_platform())"
)


class Environment:
    """The folder `.venv` below `root`, wanted with these requirement files (names relative to `root`)."""

    def __init__(self, root: Path, requirements: Sequence[str]) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self._requirements = list(requirements)
        self._stamp = self.folder / "tunewell-installed.json"

    def is_ready(self) -> bool:
        """Whether everything is installed. Starts Python once, without packages: about 20 ms."""
        stamp = self._read_stamp()
        installed = stamp.get("files", {})
        wanted = self._wanted()
        return (
            not stamp.get("installing")
            and all(installed.get(name) == digest for name, digest in wanted.items())
            and self._python_tag() == stamp.get("python")
            and stamp.get("python") is not None
        )

    def prepare(self, log: Path) -> bool:
        """Make and fill the environment where it is not ready; return whether anything was done.

        Everything that `venv` and `pip` say goes to `log`. Raises UserError with the cause where one of them fails.
        """
        if self.is_ready():
            return False
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        if not self._is_usable():
            self._create(log)
        tag = self._python_tag()
        # A start that is killed from here on leaves this mark, and the next one begins with an empty environment.
        self._write_stamp({"python": tag, "installing": True})
        self._install(log)
        self._write_stamp({"python": tag, "files": self._wanted()})
        return True

    def _is_usable(self) -> bool:
        """Whether packages can be installed into what is there, or the environment has to be made anew."""
        stamp, tag = self._read_stamp(), self._python_tag()
        if tag is None or stamp.get("installing"):
            return False
        if stamp:
            return bool(stamp.get("python") == tag)
        return self._run([self.python, "-m", "pip", "--version"]) is not None  # made by someone else

    def _create(self, log: Path) -> None:
        say(f"Making a Python environment in {self.folder}")
        with log.open("ab") as out:
            command = [sys.executable, "-m", "venv", "--clear", str(self.folder)]
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False).returncode
        if status == 0 and self._python_tag() is not None:
            return
        words = tail(log)
        if "ensurepip" in words or "No module named venv" in words:
            raise UserError(
                "The Python environment could not be made.",
                "This Python comes without its `venv` module, as on Debian and Ubuntu.",
                "Install it (sudo apt install python3-venv), then start again.",
            )
        raise UserError(
            "The Python environment could not be made.",
            f"`python -m venv` ended with: {words.splitlines()[-1] if words else f'status {status}'}",
            f"Check that there is room on the disk and that {self.root} can be written to. The whole log: {log}",
        )

    def _install(self, log: Path) -> None:
        command = [self.python, "-m", "pip", "install", "--prefer-binary", "--progress-bar", "off", "--no-input"]
        for name in self._requirements:
            command += ["-r", self.root / name]
        line, progress = ProgressLine(), PipProgress(self._installed_packages)
        with subprocess.Popen(
            [str(word) for word in command],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        ) as pip:
            reader = threading.Thread(target=_follow, args=(pip.stdout, log, progress), daemon=True)
            reader.start()
            try:
                while reader.is_alive():
                    line.show(f"Installing: {progress.text()}")
                    reader.join(0.5)
            except BaseException:
                pip.kill()
                line.clear()
                raise
        if pip.returncode != 0:
            line.clear()
            self._stamp.unlink(missing_ok=True)  # pip undoes a failed installation itself
            raise explain_failure(log.read_text(encoding="utf-8", errors="replace"), log)
        line.end("Everything is installed")

    def _installed_packages(self) -> int:
        packages = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
        return sum(1 for _ in self.folder.glob(f"{packages}/*.dist-info"))

    def _wanted(self) -> dict[str, str]:
        """The digest of each requirement file, comments and blank lines left out."""
        digests = {}
        for name in self._requirements:
            lines = (line.split("#")[0].strip() for line in (self.root / name).read_text("utf-8").splitlines())
            digests[name] = hashlib.sha256("\n".join(line for line in lines if line).encode()).hexdigest()
        return digests

    def _python_tag(self) -> str | None:
        """Which Python the environment has; None where it does not start or is older than 3.11."""
        answer = (self._run([self.python, "-I", "-S", "-c", _ASK_PYTHON]) or "").split()
        return answer[1] if len(answer) == 2 and answer[0] == "1" else None

    @staticmethod
    def _run(command: Sequence[str | Path]) -> str | None:
        """What the command printed, or None where it failed."""
        try:
            done = subprocess.run(
                [str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
            )
        except OSError:
            return None
        return done.stdout if done.returncode == 0 else None

    def _read_stamp(self) -> dict[str, Any]:
        try:
            content = json.loads(self._stamp.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _write_stamp(self, content: dict[str, Any]) -> None:
        temporary = self._stamp.with_suffix(".new")
        temporary.write_text(json.dumps(content), "utf-8")
        temporary.replace(self._stamp)


def _follow(lines: Any, log: Path, progress: PipProgress) -> None:
    """Copy what pip says to the log, line by line, and keep the progress line up to date."""
    with log.open("a", encoding="utf-8") as out:
        for line in lines:
            out.write(line)
            out.flush()
            progress.feed(line)
