"""The dashboard's process: `python -m core.ui.serve run app.py [options of streamlit run]`.

Everything that a screen imports is loaded before the server answers, so that the first visitor need not wait for it; the
port is open from the first moment on, so that whoever comes earlier is answered as soon as there is an answer. What a
library loads only when it is first used comes after, while nobody waits.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import pkgutil
import socket
import sys
import threading
import time
import traceback
from collections.abc import Sequence

import core
import core.ui

NOT_OURS = ("training", "worker", "cli")  # layers that a screen may not import
# What is imported only where it is used, by us or by a library: (module, attribute that makes a library do it).
LATE = (
    ("plotly.graph_objects", "Figure"),
    ("plotly.io", "to_json"),
    ("plotly.tools", "mpl_to_plotly"),
    ("pyarrow.dataset", "Dataset"),
    ("streamlit.material_icon_names", ""),
    ("scipy.optimize", ""),
    ("scipy.sparse", ""),
    ("scipy.stats", "rankdata"),
    ("sklearn.feature_extraction.text", ""),
    ("sklearn.linear_model", ""),
    ("sklearn.model_selection", ""),
    ("transformers", "PreTrainedTokenizerFast"),
    ("transformers.utils.chat_template_utils", "render_jinja_template"),
)
SCRIPT_THREAD = "ScriptRunner."  # how Streamlit names the threads in which it draws a screen
QUIET_SECONDS = 0.2
FIRST_SCREEN_SECONDS = 10.0


def warm() -> None:
    """Import what the screens and their services import.

    What cannot be imported is passed over: the screen that needs it will say so, and the others work.
    """
    import streamlit.components.v2.manifest_scanner
    import streamlit.web.server.starlette  # noqa: F401

    for module in pkgutil.iter_modules(core.ui.__path__, f"{core.ui.__name__}."):
        if module.name != f"{core.ui.__name__}.serve":
            _load(module.name)
    for name in ("core.services.status", "core.store.migrate"):  # app.py's own
        _load(name)
    _load("core.tasks", "registry")


def warm_late() -> None:
    """Import the rest: what a library loads when it is first used, and all plug-ins. Steps aside while a screen is drawn."""
    _when_a_screen_was_opened()
    time.sleep(5 * QUIET_SECONDS)  # the browser loads more for its first screen than for any later one
    for name, attribute in LATE:
        _when_nobody_waits()
        _load(name, attribute)
    for module in pkgutil.iter_modules(core.__path__):
        if module.ispkg and module.name not in NOT_OURS:
            _when_nobody_waits()
            _load(f"core.{module.name}", "registry")
    _load("core.data.fixes", "registry")


def _load(name: str, attribute: str = "") -> None:
    try:
        module = importlib.import_module(name)
        found = getattr(module, attribute, None) if attribute else None
        if attribute == "registry" and callable(found):
            found()
    except Exception:
        traceback.print_exc()


def _when_a_screen_was_opened() -> None:
    """Return once a browser is there, which has the processor until then; or after ten seconds without one."""
    from streamlit import runtime

    end = time.monotonic() + FIRST_SCREEN_SECONDS
    connected = runtime.RuntimeState.ONE_OR_MORE_SESSIONS_CONNECTED
    while time.monotonic() < end and not (runtime.exists() and runtime.get_instance().state is connected):
        time.sleep(0.05)


def _when_nobody_waits() -> None:
    """Return once no screen was being drawn for a moment."""
    quiet_since = time.monotonic()
    while (now := time.monotonic()) - quiet_since < QUIET_SECONDS:
        if any(thread.name.startswith(SCRIPT_THREAD) for thread in threading.enumerate()):
            quiet_since = now
        time.sleep(0.05)


def listen(arguments: Sequence[str]) -> socket.socket | None:
    """A socket that listens where `streamlit run` is told to. None where it may not: Streamlit then says why.

    Whoever connects before the server runs waits for its answer. Else a browser whose dashboard is started again finds the
    port closed, asks again after longer and longer waits (up to 4 s), and shows the old state for as long.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--server.address", dest="host", default="127.0.0.1")
    parser.add_argument("--server.port", dest="port", type=int, default=8501)
    wanted, _ = parser.parse_known_args(arguments)
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    try:
        found = socket.create_server((wanted.host, wanted.port), family=family, backlog=2048)
    except OSError:
        return None
    found.setblocking(False)
    return found


def main() -> None:
    listening = listen(sys.argv)
    # What is loaded now stays for good. Looking through it for garbage takes a fifth of the time of loading it, and Streamlit
    # collects all garbage after every run of a script: without that an answer to a press comes a tenth of a second sooner.
    gc.disable()
    warm()
    gc.freeze()
    gc.enable()
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli
    from streamlit.web.server.starlette import starlette_server

    if listening is not None:
        starlette_server._bind_socket = lambda address, port, backlog: listening
    # Else the very first visit takes `pages/` for the whole app, and an address such as /evaluation is "not found" in a
    # dialog over the right screen: what a person sees who starts Tunewell again with a tab still open.
    PagesManager.uses_pages_directory = False
    threading.Thread(target=warm_late, name="warm", daemon=True).start()
    sys.exit(cli.main(prog_name="streamlit"))


if __name__ == "__main__":
    main()
