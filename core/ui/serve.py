"""The dashboard's process: `python -m core.ui.serve run app.py [options of streamlit run]`.

Everything that a screen imports is loaded before the server answers, so that the first visitor need not wait for it.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import sys
import traceback

import core
import core.services
import core.ui

NOT_OURS = ("training", "worker", "cli")  # layers that a screen may not import
# What libraries import only when it is first used: (module, attribute that makes them do it).
LATE = (
    ("transformers", "PreTrainedTokenizerFast"),
    ("transformers.utils.chat_template_utils", "render_jinja_template"),
    ("plotly.graph_objects", "Figure"),
    ("plotly.io", "to_json"),
    ("plotly.tools", "mpl_to_plotly"),
    ("plotly.graph_objects", "Bar"),
    ("pyarrow.dataset", "Dataset"),
    ("core.data.fixes", "registry"),
    ("core.store.migrate", ""),
    ("alembic.command", "upgrade"),
    ("streamlit.components.v2.manifest_scanner", ""),
    ("streamlit.material_icon_names", ""),
)


def warm() -> None:
    """Import what the screens and their services use, and find the plug-ins.

    What cannot be imported is passed over: the screen that needs it will say so, and the others work.
    """
    for package in (core.services, core.ui):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if module.name != f"{core.ui.__name__}.serve":
                _load(module.name)
    for module in pkgutil.iter_modules(core.__path__):
        if module.ispkg and module.name not in NOT_OURS:
            _load(f"core.{module.name}", "registry")
    for name, attribute in LATE:
        _load(name, attribute)


def _load(name: str, attribute: str = "") -> None:
    try:
        module = importlib.import_module(name)
        found = getattr(module, attribute, None) if attribute else None
        if attribute == "registry" and callable(found):
            found()
    except Exception:
        traceback.print_exc()


def main() -> None:
    warm()
    # Streamlit collects all garbage after every run of a script. What was loaded until now stays for good: without looking
    # through it each time, an answer to a press comes a tenth of a second sooner.
    gc.collect()
    gc.freeze()
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli

    # Else the very first visit takes `pages/` for the whole app, and an address such as /evaluation is "not found" in a
    # dialog over the right screen: what a person sees who starts Tunewell again with a tab still open.
    PagesManager.uses_pages_directory = False
    sys.exit(cli.main(prog_name="streamlit"))


if __name__ == "__main__":
    main()
