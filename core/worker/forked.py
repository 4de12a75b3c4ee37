"""The worker's side of the fork server: ask for a process, and learn how it ended."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO

import psutil

from core.store.config import PROJECT_ROOT
from core.store.owners import identity, runs_here

from .fork_server import LARGEST_PACKET

KILLED = -9  # what is said of a process whose status nobody can ask for


class ForkServer:
    """A running `core.worker.fork_server`. Its own output goes where the worker's goes."""

    def __init__(self, variables: Mapping[str, str], module: str = "core.worker.fork_server") -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                cwd=PROJECT_ROOT,
                env=dict(variables),
                pass_fds=(theirs.fileno(),),
            )
        ours.setblocking(False)
        self._channel = ours
        self._asked: list[Forked] = []  # which have no number yet, in the order of the requests
        self._forked: dict[int, Forked] = {}
        self.ready = self.gone = False

    def fork(self, arguments: Sequence[str], output: IO[bytes]) -> Forked:
        """A process for these arguments of `core.worker.child`: at once, or as soon as all is imported. Raises OSError."""
        packet = json.dumps({"arguments": list(arguments)}).encode()
        socket.send_fds(self._channel, [packet], [output.fileno()])
        forked = Forked(self)
        self._asked.append(forked)
        return forked

    def listen(self) -> None:
        """Take in what it has said; never waits."""
        while not self.gone:
            try:
                packet = self._channel.recv(LARGEST_PACKET)
            except BlockingIOError:
                return
            except OSError:  # it was killed with our request unread
                packet = b""
            if not packet:
                self.gone = True
                self._process.wait()
                return
            message = json.loads(packet)
            if "pid" in message:
                forked = self._asked.pop(0)
                forked.began(message["pid"])
                self._forked[message["pid"]] = forked
            elif "ended" in message:
                self._forked.pop(message["ended"]).returncode = message["status"]
            else:
                self.ready = True

    def close(self) -> None:
        """End the server. What it has forked goes on; what it has not forked yet never begins."""
        self.listen()
        self._process.kill()
        self._process.wait()
        self.listen()
        self._channel.close()
        self.gone = True


class Forked:
    """A process that the fork server made. Without a number it has not begun."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self._identity: str | None = None
        self.pid: int | None = None
        self.returncode: int | None = None

    def began(self, pid: int) -> None:
        self.pid = pid
        try:
            self._identity = identity(pid)
        except psutil.NoSuchProcess:
            self._identity = None  # it has ended already; its status comes next

    def poll(self) -> int | None:
        """Its exit status, below 0 for a signal; None while it runs."""
        self._server.listen()
        gone = self._server.gone and self.returncode is None
        if gone and (self._identity is None or not runs_here(self._identity)):
            self.returncode = KILLED
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Raises subprocess.TimeoutExpired."""
        end = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("job", timeout)
            time.sleep(0.02)
        return status

    def terminate(self) -> None:
        if self.poll() is None:
            if self.pid is None:
                self._server.close()
            else:
                psutil.Process(self.pid).terminate()
