"""Encoded rows on disk, found again by what they were made from: a second training on the same data tokenizes nothing.

An entry is one Arrow file (written by `datasets`, mapped into memory when it is read) in a folder that is named by the hash
of the examples, the tokenizer, the plan, the head's labels and the versions of what encodes and packs. A folder is whole or
absent; where it cannot be written or read the rows are encoded as if there were no cache. `core/store/token_caches.py` sweeps it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict

from core.atomic import new_folder
from core.schemas.examples import Example

log = logging.getLogger(__name__)
FORMAT = 1  # raise it where the same input gives other rows
FACTS = "facts.json"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")


def key_of(base_folder: str | Path, examples: Iterable[Example], **decides: Any) -> str:
    """The name of an entry: whatever could change a single token is in it. `decides` are values that JSON can hold."""
    digest = hashlib.sha256()
    versions = {name: version(name) for name in ("tokenizers", "transformers", "trl")}
    digest.update(json.dumps([FORMAT, versions, decides], sort_keys=True).encode())
    for name in TOKENIZER_FILES:
        file = Path(base_folder) / name
        digest.update(name.encode() + (file.read_bytes() if file.is_file() else b""))
    for example in examples:
        digest.update(example.model_dump_json().encode() + b"\n")
    return digest.hexdigest()


def kept(
    folder: str | None, key: str, make: Callable[[], tuple[Sequence[Dataset], dict[str, Any]]], *, mapped: bool = True
) -> tuple[Sequence[Dataset], dict[str, Any]]:
    """(datasets, facts) of the entry `key` in `folder`, or what `make` returns, which is then kept. No folder: no cache.

    `mapped` rows stay on disk. Where a library adds columns to them they have to be in memory: it would write beside them.
    """
    if not folder:
        return make()
    entry = Path(folder) / key
    try:
        found = _read(entry, mapped)
    except (OSError, ValueError, KeyError) as error:
        log.warning("the encoded rows in %s cannot be read and are made anew: %s", entry, error)
        found = None
    if found is not None:
        return found
    made, facts = make()
    try:
        with new_folder(entry) as filling:
            DatasetDict({str(i): rows for i, rows in enumerate(made)}).save_to_disk(str(filling))
            (filling / FACTS).write_text(json.dumps(facts), encoding="utf-8")
        return _read(entry, mapped) or (made, facts)
    except OSError as error:  # a full disk must not end a training that has its rows
        log.warning("the encoded rows are not kept: %s", error)
        return made, facts


def _read(entry: Path, mapped: bool) -> tuple[list[Dataset], dict[str, Any]] | None:
    if not (entry / FACTS).is_file():
        return None
    facts = json.loads((entry / FACTS).read_text(encoding="utf-8"))
    found = DatasetDict.load_from_disk(str(entry), keep_in_memory=not mapped)
    os.utime(entry)  # when it was last of use
    return [found[str(i)] for i in range(len(found))], facts
