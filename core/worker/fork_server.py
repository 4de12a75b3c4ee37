"""A process that has imported the training libraries and forks the processes of jobs: `python -m core.worker.fork_server FD`.

FD is a socket of packets. A request is a JSON object with the `arguments` of `core.worker.child` and carries the file
that the job's output goes to; the answers are `{"ready": true}` once all is imported, `{"pid": number}` to each request
in turn, and `{"ended": number, "status": number}` when such a process is gone (as in `subprocess`, below 0 for a signal).
It ends when the other side of the socket is closed. Only imports happen here: a fork copies no thread and no card.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

LARGEST_PACKET = 65_536  # bytes
HANDLERS = "core.worker.handlers"
TRAINING = ("core.training.train", "core.training.predict")  # they bring torch, transformers, trl and peft


def import_all() -> None:
    """Import what jobs need, by name, so that the worker itself stays free of torch."""
    handlers = importlib.import_module(HANDLERS)
    for module in pkgutil.iter_modules(handlers.__path__, f"{HANDLERS}."):
        importlib.import_module(module.name)
    for name in ("core.worker.child", *TRAINING):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the collector of a child would touch, and so copy, each page


def serve(channel: socket.socket) -> None:
    """Answer until the other side is closed."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    say(channel, {"ready": True})
    with selectors.DefaultSelector() as waiting:
        waiting.register(channel, selectors.EVENT_READ)
        waiting.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not channel:
                    os.read(woken, LARGEST_PACKET)
                    tell_of_the_ended(channel)
                    continue
                packet, files, _, _ = socket.recv_fds(channel, LARGEST_PACKET, 1)
                if not packet:
                    return
                pid = os.fork()
                if pid == 0:
                    for descriptor in (channel.detach(), woken, wake):
                        os.close(descriptor)
                    become_job(json.loads(packet)["arguments"], files[0])
                os.close(files[0])
                say(channel, {"pid": pid})


def say(channel: socket.socket, message: dict[str, int]) -> None:
    with suppress(BrokenPipeError):  # nobody listens any more: the next read says so
        channel.send(json.dumps(message).encode())


def tell_of_the_ended(channel: socket.socket) -> None:
    with suppress(ChildProcessError):  # no child is left
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            say(channel, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def become_job(arguments: list[str], output: int) -> NoReturn:
    """Be what `python -m core.worker.child ARGUMENTS` is: a group of its own, no input, output to the file."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        with suppress(OSError):
            Path("/proc/self/comm").write_text("tunewell-job")
        from core.worker import child

        sys.argv = ["core.worker.child", *arguments]
        child.main()
    except BaseException:  # nothing of this process may go back into the loop of the server
        traceback.print_exc()
    finally:
        os._exit(1)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker closes the socket
    warnings.filterwarnings(
        "ignore", message=".*use of fork.*", category=DeprecationWarning
    )  # threads of pyarrow, which knows forks
    channel = socket.socket(fileno=int(sys.argv[1]))
    import_all()
    serve(channel)


if __name__ == "__main__":
    main()
