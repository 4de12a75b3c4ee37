"""`python3 run.py`: from a fresh folder to an open dashboard, and cleanly back."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from core.schemas.errors import UserError

from . import address, product
from .console import say, show_error
from .environment import Environment
from .lock import InstanceLock

RUN_REQUIREMENTS = ("requirements.txt",)
TEST_REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
MOST_TEST_PROCESSES = 4  # each may start a worker, a dashboard and a browser of its own


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status: 0, 1 after an error that was explained, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a log line may hold what this terminal cannot show
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        if arguments and arguments[0] == "test":
            return run_tests(arguments[1:])
        wanted = parse(arguments)
        host = address.loopback_address(wanted.host)
        return start(host, wanted.port, storage_folder(wanted.storage), wanted.browser)
    except UserError as error:
        show_error(error)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Start Tunewell. The first start installs what it needs into .venv.",
        epilog="`run.py test [pytest options]` runs all tests.",
    )
    parser.add_argument(
        "--host", default=address.DEFAULT_HOST, help="address of this computer to listen on (default %(default)s)"
    )
    parser.add_argument(
        "--port", type=_port, default=address.DEFAULT_PORT, help="if taken, the next free one (default %(default)s)"
    )
    parser.add_argument("--storage", metavar="FOLDER", help="where all data is kept (default: storage/ beside run.py)")
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="do not open a browser")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; choose a number from 1024 to 65535, such as 8501")
    return int(text)


def storage_folder(option: str | None) -> Path:
    """Absolute path of the storage folder: the option, else TUNEWELL_STORAGE, else `storage/`; made where missing."""
    folder = Path(option or os.environ.get("TUNEWELL_STORAGE") or product.ROOT / "storage").expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK) else "It belongs to someone else or is read-only."
    except OSError as error:
        reason = f"The system answered: {error.strerror or error}."
    if reason:
        raise UserError(
            f"Nothing can be stored in {folder}.", reason, "Choose a folder of your own with --storage FOLDER."
        )
    return folder


def start(host: str, port: int, storage: Path, open_browser: bool) -> int:
    """Install, migrate, start both processes and stay until Ctrl-C. A second start on one storage ends at once."""
    with InstanceLock(storage / "tunewell.lock") as lock:
        if not lock.held:
            return _point_to_the_first(lock, open_browser)
        environment = Environment(product.ROOT, RUN_REQUIREMENTS)
        environment.prepare(storage / "logs" / "setup.log")
        variables = product.child_variables(storage)
        free = address.free_port(host, port)
        if free != port:
            say(f"Port {port} is in use by another program; using {free} instead.")
        base_url = address.url(host, free)

        def ready() -> None:
            lock.announce(base_url)
            say(
                f"\nTunewell is ready: {base_url}\n"
                "Ctrl-C stops it; a running training is saved and continues at the next start."
            )
            if open_browser:
                address.show_in_browser(base_url)

        product.serve(
            product.services(environment.python, variables, host, free),
            base_url,
            ready,
            prepare=partial(product.migrate, environment.python, variables),
        )
        return 0


def run_tests(pytest_arguments: Sequence[str]) -> int:
    """Install what the tests need and run pytest with the given arguments; return its exit status.

    A few files run at the same time, each in one process from its first test to its last; `-n 0` runs one after the other.
    """
    environment = Environment(product.ROOT, TEST_REQUIREMENTS)
    environment.prepare(storage_folder(None) / "logs" / "setup.log")
    at_once = min(MOST_TEST_PROCESSES, os.cpu_count() or 1)
    side_by_side = ["-n", str(at_once), "--dist", "loadfile", "--no-loadscope-reorder"] if at_once > 1 else []
    one_thread_each = {"OMP_NUM_THREADS": "1", "TUNEWELL_THREADS": "1"} if at_once > 1 else {}
    return subprocess.call(
        [str(environment.python), "-m", "pytest", *side_by_side, *pytest_arguments],
        cwd=product.ROOT,
        env={**os.environ, **one_thread_each},
    )


def _point_to_the_first(lock: InstanceLock, open_browser: bool) -> int:
    pid, base_url = lock.holder()
    if base_url is None:
        say(f"Tunewell is just starting or stopping on this storage (process {pid}). Try again in a minute.")
        return 0
    say(f"Tunewell is running on this storage already: {base_url} (process {pid})")
    if open_browser:
        address.show_in_browser(base_url)
    return 0
