"""Find the plug-ins of a folder: one file, one extension, no list to edit.

A plug-in folder (`core/tasks`, `core/metrics`, ...) is a package whose modules each define `PLUGIN`, an object with a
`key`. `discover` imports every sibling once and returns them in a stable order.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType
from typing import Any


@cache
def discover(package_name: str) -> dict[str, Any]:
    """Return `{key: PLUGIN}` for every module of the package that does not start with an underscore.

    Sorted by the plug-in's `order` (default 100), then by key. Raises ValueError where a module defines no `PLUGIN` or
    two modules share a key.
    """
    package: ModuleType = importlib.import_module(package_name)
    found: dict[str, Any] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package_name}.{info.name}")
        plugin = getattr(module, "PLUGIN", None)
        if plugin is None:
            raise ValueError(f"{module.__name__} defines no PLUGIN")
        if plugin.key in found:
            raise ValueError(f"two modules of {package_name} share the key {plugin.key!r}")
        found[plugin.key] = plugin
    return dict(sorted(found.items(), key=lambda item: (getattr(item[1], "order", 100), item[0])))
