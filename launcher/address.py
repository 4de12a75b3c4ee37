"""Where the dashboard listens: only on this computer, on the first free port; whether it answers; opening it."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import sys
import urllib.error
import urllib.request
import webbrowser

from core.schemas.errors import UserError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8501
PORTS_TRIED = 100

_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
# A proxy of the environment must not stand between the launcher and its own dashboard.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def loopback_address(host: str) -> str:
    """Return the address to bind: `host` itself, or 127.0.0.1 for `localhost`.

    Raises UserError for anything but 127.0.0.0/8, ::1 and localhost, because there is no login yet.
    """
    name = host.strip().removeprefix("[").removesuffix("]")
    if name.lower() == "localhost":
        return DEFAULT_HOST
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if address is not None and any(address in network for network in _LOOPBACK):
        return str(address)
    raise UserError(
        f"Tunewell was not started on the address {host!r}.",
        "Tunewell has no login yet, so everyone who reaches that address could read the data and start trainings.",
        "Leave out --host, or use 127.0.0.1, ::1 or localhost. From another computer, use an SSH tunnel: "
        f"ssh -L {DEFAULT_PORT}:127.0.0.1:{DEFAULT_PORT} THIS-COMPUTER",
    )


def free_port(host: str, wanted: int) -> int:
    """Return `wanted`, or the next port that nothing listens on.

    Raises UserError where the port may not be used, or none of the next 100 is free.
    """
    last = min(wanted + PORTS_TRIED, 65536)
    for port in range(wanted, last):
        try:
            if _can_bind(host, port):
                return port
        except PermissionError:
            raise UserError(
                f"The port {port} may not be used.",
                "This computer reserves it for the system (ports below 1024 usually are).",
                "Choose a higher one with --port, such as 8501.",
            ) from None
        except OSError as error:
            raise UserError(
                f"Tunewell cannot listen on {host}.",
                f"The system answered: {error.strerror or error}.",
                "Leave out --host to use 127.0.0.1.",
            ) from None
    raise UserError(
        "No port is free.",
        f"Every port from {wanted} to {last - 1} is in use.",
        "Choose another range with --port, such as --port 9000.",
    )


def url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def answers(base_url: str, timeout: float = 2.0) -> bool:
    """Whether the dashboard at this address says that it is healthy."""
    try:
        with _direct.open(f"{base_url}/_stcore/health", timeout=timeout) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def show_in_browser(base_url: str) -> None:
    """Open the default browser, unless this is a Linux session without a screen (there it would be a text browser)."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    with contextlib.suppress(webbrowser.Error):  # the address stands in the terminal as well
        webbrowser.open(base_url)


def _can_bind(host: str, port: int) -> bool:
    """False where the port is taken. Raises OSError for any other reason."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if sys.platform == "win32":  # there, another program's port could be shared without this
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # a port that was closed a moment ago counts as free, as it does for the dashboard
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE or getattr(error, "winerror", None) == 10013:
                return False
            raise
    return True
