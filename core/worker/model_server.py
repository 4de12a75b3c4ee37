"""A server on loopback for a project's models: an ASGI application behind a key, run by uvicorn in a thread of its own."""

from __future__ import annotations

import socket
import threading

import uvicorn

from core.schemas.errors import UserError

from .gate import Answers, App, Gate

HOST = "127.0.0.1"  # nobody else's machine reaches it
STOP_SECONDS = 5


class ModelServer:
    """Serves until `stop`. Raises UserError where the port is taken. Nothing of what is asked is written to a log."""

    def __init__(self, app: App, answers: Answers, key: str, port: int = 0) -> None:
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            Gate(app, key, answers),
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="model server", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._socket.close()


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen(128)
    except OSError as error:
        made.close()
        raise UserError(
            f"The port {port} cannot be used.",
            f"Another program uses it, or the system keeps it for itself ({error.strerror or error}).",
            "Choose another port, or none: then a free one is found.",
        ) from error
    return made
