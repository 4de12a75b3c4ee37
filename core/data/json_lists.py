"""Find the lists of records inside a JSON document, and walk to one of them by its path.

A path is the names on the way joined by dots (`data.paragraphs.qas`); where a list is met on the way, every item of it is
entered. A record that is reached so also gets the plain values of the records above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from core.schemas.imports import JsonList

DEEPEST = 6
ITEMS_LOOKED_AT = 100
MOST_LISTS = 50
KEYS_SHOWN = 8


def lists_of(document: Any) -> tuple[JsonList, ...]:
    """Every list of records (or of texts) in the document, those with most rows first; conversations are no such list."""
    paths: dict[tuple[str, ...], Any] = {}
    _find(document, (), paths)
    found = []
    for path, first in list(paths.items())[:MOST_LISTS]:
        rows = sum(1 for _ in records_at(document, path))
        keys = tuple(map(str, first))[:KEYS_SHOWN] if isinstance(first, dict) else ()
        found.append(JsonList(path=".".join(path), rows=rows, keys=keys))
    return tuple(sorted(found, key=lambda item: -item.rows))


def records_at(document: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """The items of the list at this path; nothing where there is none."""
    yield from _walk(document, path, {})


def split_path(document: Any, path: str) -> tuple[str, ...]:
    """The names of a dotted path. Names may hold dots themselves, so the lists that there are decide."""
    paths: dict[tuple[str, ...], Any] = {}
    _find(document, (), paths)
    return next((names for names in paths if ".".join(names) == path), tuple(path.split(".")))


def is_conversation(items: Iterable[Any]) -> bool:
    """Turns as OpenAI or ShareGPT write them."""
    return all(
        isinstance(item, dict) and (set(item) >= {"role", "content"} or set(item) >= {"from", "value"})
        for item in items
    )


def _walk(value: Any, path: tuple[str, ...], above: dict[str, Any]) -> Iterator[Any]:
    if isinstance(value, list) and path:
        for item in value:
            yield from _walk(item, path, above)
    elif isinstance(value, list):
        for item in value:
            yield {**above, **item} if isinstance(item, dict) else {**above, "text": item} if above else item
    elif isinstance(value, dict) and path and path[0] in value:
        plain = {key: item for key, item in value.items() if not isinstance(item, (dict, list))}
        yield from _walk(value[path[0]], path[1:], {**above, **plain})


def _find(value: Any, path: tuple[str, ...], found: dict[tuple[str, ...], Any]) -> None:
    if len(path) > DEEPEST or len(found) >= MOST_LISTS:
        return
    if isinstance(value, list):
        items = value[:ITEMS_LOOKED_AT]
        records = items and all(isinstance(item, dict) for item in items)
        texts = items and all(isinstance(item, str) for item in items)
        if path and (records or texts) and path not in found and not is_conversation(items):
            found[path] = items[0]
        for item in items if records and not is_conversation(items) else []:
            _find(item, path, found)
    elif isinstance(value, dict):
        for key, item in list(value.items())[:ITEMS_LOOKED_AT]:
            if isinstance(item, (dict, list)):
                _find(item, (*path, key), found)
