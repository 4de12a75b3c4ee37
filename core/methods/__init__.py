"""Fine-tuning methods: which weights learn. One file each. See `core/discovery.py`."""

from importlib.util import find_spec

from core.discovery import discover
from core.schemas.errors import UserError
from core.schemas.methods import Method


def registry() -> dict[str, Method]:
    """Every plug-in of this folder by its key."""
    return discover(__name__)


def get(key: str) -> Method:
    """Raises UserError for a method that does not exist."""
    found = registry().get(key)
    if found is None:
        known = ", ".join(registry())
        raise UserError("This method does not exist.", f"There is none called {key!r}.", f"Choose one of: {known}.")
    return found


def unavailable(method: Method, device: str) -> str:
    """Why the method cannot run on a device ("cpu", "cuda", "mps"), as a sentence; empty where it can."""
    if method.needs_gpu and device != "cuda":
        return f"{method.title} needs an NVIDIA graphics card."
    if method.needs_module and find_spec(method.needs_module) is None:
        return f"{method.title} needs the package {method.needs_module}, which is not installed."
    return ""
