"""pip's output in plain words: what it is doing now, and why it failed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from core.schemas.errors import UserError

_DOWNLOAD = re.compile(r"\s*Downloading (?P<file>\S+) \((?P<size>[^)]+)\)")
_AT_HAND = re.compile(r"\s*(?:Using cached|Processing) (?P<file>\S+)")
_COLLECT = re.compile(r"\s*(?:Collecting|Requirement already satisfied:) (?P<name>[A-Za-z0-9_.-]+)")
_BUILD = re.compile(r"\s*Building wheel for (?P<name>\S+)")
_INSTALL = re.compile(r"Installing collected packages: (?P<names>.+)")


class PipProgress:
    """Fed with pip's lines; `text()` is what a person wants to know at this moment.

    `count_installed` returns how many packages the environment has: pip says nothing while it unpacks them.
    """

    def __init__(self, count_installed: Callable[[], int]) -> None:
        self._count = count_installed
        self._text = "asking the package index"
        self._retrying = False
        self._total = 0
        self._before = 0

    def feed(self, line: str) -> None:
        self._retrying = line.startswith("WARNING: Retrying")
        if match := _INSTALL.match(line):
            self._total, self._before = len(match["names"].split(",")), self._count()
        elif match := _DOWNLOAD.match(line):
            self._text = f"downloading {_package(match['file'])}, {match['size']}"
        elif match := _AT_HAND.match(line):
            self._text = f"{_package(match['file'])} is on this computer already"
        elif match := _COLLECT.match(line):
            self._text = f"looking for {match['name']}"
        elif match := _BUILD.match(line):
            self._text = f"building {match['name']}"

    def text(self) -> str:
        if self._retrying:
            return "the package index does not answer, trying again"
        if self._total:
            done = min(max(self._count() - self._before, 0), self._total)
            return f"unpacking, {done} of {self._total} packages"
        return self._text


def explain_failure(output: str, log: Path) -> UserError:
    """Why `pip install` failed and what to do, from the whole of its output (kept in `log`)."""
    for pattern, cause, fix in _CAUSES:
        if match := re.search(pattern, output):
            found = {name: value or "" for name, value in match.groupdict().items()}
            return _failure(cause.format(**found), fix.format(**found), output, log)
    return _failure("pip ended with an error of its own.", "Read its last lines below.", output, log)


def _failure(cause: str, fix: str, output: str, log: Path) -> UserError:
    last = "\n".join(f"    {line}" for line in output.rstrip().splitlines()[-8:])
    return UserError(
        "The packages could not be installed.", cause, f"{fix}\n  The whole log: {log}. Its last lines:\n{last}"
    )


def _package(file: str) -> str:
    """`torch 2.13.0` from the name or address of a wheel or source archive."""
    name = file.rsplit("/", 1)[-1].removesuffix(".metadata")
    parts = re.sub(r"\.(whl|tar\.gz|zip)$", "", name).split("-")
    return " ".join(parts[:2]).replace("_", "-")


_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_OTHER_PYTHON = "such as 3.12: delete the folder .venv, then start with it."
# What pip writes, why, what to do. The most telling first: without a network, pip also has "no matching distribution".
_CAUSES = (
    (
        r"(?i)no space left on device|not enough space on the disk|Errno 28",
        "The disk is full.",
        "Free about 10 GB, then start again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|SSLError",
        "The connection to the package index could not be verified, as behind some company networks.",
        "Ask for your network's certificate file and set PIP_CERT to its path, then start again.",
    ),
    (
        r"Temporary failure in name resolution|getaddrinfo failed|nodename nor servname|NameResolutionError|"
        r"NewConnectionError|Failed to establish a new connection|ConnectTimeoutError|ProxyError|"
        r"Network is unreachable|ReadTimeoutError|Connection (?:refused|reset)",
        "There is no network, or the package index cannot be reached.",
        "Connect to the internet (behind a proxy, set HTTPS_PROXY), then start again; what was downloaded is kept. "
        "After this first time Tunewell needs no network.",
    ),
    (
        r"No matching distribution found for (?P<name>[^\s;(]+)",
        f"The package index offers no {{name}} for this system with Python {_PYTHON}.",
        "Check the connection and start again. If it stays so: on 64-bit Linux or Windows, or a Mac with an Apple "
        f"chip, use another Python, {_OTHER_PYTHON}",
    ),
    (
        r"Failed building wheel for|Microsoft Visual C\+\+ .* is required|error: command '.*(?:gcc|cc|clang)'",
        f"A package has no ready-made build for Python {_PYTHON} and could not be built here.",
        f"Use a Python for which builds exist, {_OTHER_PYTHON}",
    ),
    (
        r"(?i)permission denied|access is denied",
        "A file could not be written.",
        "Close other programs that use the project folder, check that it is yours, then start again.",
    ),
)
