"""Rows are tokenized once: a second training on the same data reads them from disk, and ends as if it had tokenized."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny

from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.training import TrainingSpec
from core.store import token_caches
from core.training.train import Rows, encode

pytestmark = pytest.mark.usefixtures("one_thread")
KINDS = ("chat, full, packed", "chat, LoRA", "classifier, full")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many examples were tokenized, call by call."""
    calls: list[int] = []
    whole = Codec.encode_all

    def encode_all(self: Codec, examples: Any) -> Any:
        found = list(examples)
        calls.append(len(found))
        return whole(self, found)

    monkeypatch.setattr(Codec, "encode_all", encode_all)
    return calls


def rows_of(spec: TrainingSpec) -> Rows:
    return encode(Codec.from_folder(spec.base_folder, spec.family, spec.plan), spec)


def content(rows: Rows) -> Any:
    parts = (rows.train.rows, rows.validation.rows, rows.sample)
    return [part.to_list() for part in parts], rows.train.dropped, rows.train.tokens, rows.validation.tokens


def spec_of(kind: str, tmp_path: Path, base: Path, **recipe: Any) -> TrainingSpec:
    spec = tiny.spec_of(kind, tmp_path / "run", base, **recipe)
    return spec.model_copy(update={"token_cache": str(tmp_path / "tokens")})


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_training_tokenizes_nothing_and_gets_the_same_rows(
    kind: str, small_model: Path, tmp_path: Path, counted: list[int]
) -> None:
    spec = spec_of(kind, tmp_path, small_model)
    plain = content(rows_of(spec.model_copy(update={"token_cache": None})))
    assert content(rows_of(spec)) == plain
    counted.clear()
    again = rows_of(spec_of(kind, tmp_path, small_model, learning_rate=1e-5, epochs=9))
    assert counted == [] and content(again) == plain
    assert again.train.rows.cache_files, "the rows are in memory and not mapped from the disk"


def test_pairs_of_answers_are_kept_too_and_read_into_memory(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.preference_spec("pairs, full", tmp_path / "run", small_model)
    spec = spec.model_copy(update={"token_cache": str(tmp_path / "tokens")})
    first, again = rows_of(spec), rows_of(spec)
    assert content(first) == content(again)
    assert not again.train.rows.cache_files


@pytest.mark.parametrize("change", ["text", "label", "plan", "tokenizer"])
def test_whatever_changes_a_token_makes_the_rows_anew(
    change: str, small_model: Path, tmp_path: Path, counted: list[int]
) -> None:
    spec = spec_of("classifier, full", tmp_path, small_model)
    rows_of(spec)
    counted.clear()
    if change == "text":
        spec = spec.model_copy(update={"train": (*spec.train[1:], spec.train[0].model_copy(update={"text": "x"}))})
    elif change == "label":
        spec = spec.model_copy(update={"labels": spec.labels[::-1]})
    elif change == "plan":
        spec = spec.model_copy(update={"plan": spec.plan.model_copy(update={"max_length": 12})})
    else:
        (tmp_path / "base").mkdir()
        for file in small_model.iterdir():
            (tmp_path / "base" / file.name).write_bytes(file.read_bytes() + b" " * (file.name == "tokenizer.json"))
        spec = spec.model_copy(update={"base_folder": str(tmp_path / "base")})
    found = content(rows_of(spec))
    assert len(counted) == 2
    assert found == content(rows_of(spec.model_copy(update={"token_cache": None})))


def test_a_damaged_entry_is_made_anew(small_model: Path, tmp_path: Path) -> None:
    spec = spec_of("chat, LoRA", tmp_path, small_model)
    plain = content(rows_of(spec))
    (entry,) = (tmp_path / "tokens").iterdir()
    for file in entry.rglob("*.arrow"):
        file.unlink()
    assert content(rows_of(spec)) == plain
    assert content(rows_of(spec)) == plain and list(entry.rglob("*.arrow"))


def test_where_nothing_can_be_kept_the_training_has_its_rows_all_the_same(
    small_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "tokens").write_text("a file where the folder should be")
    spec = spec_of("chat, LoRA", tmp_path, small_model)
    assert len(rows_of(spec).train.rows) == 60
    assert "not kept" in caplog.text


def test_rows_with_nothing_to_learn_are_refused_every_time(small_model: Path, tmp_path: Path) -> None:
    spec = spec_of("classifier, full", tmp_path, small_model)
    blank = spec.model_copy(update={"train": tuple(e.model_copy(update={"text": " "}) for e in spec.train)})
    for _ in range(2):
        with pytest.raises(UserError, match="nothing to learn"):
            rows_of(blank)


def test_entries_that_nobody_used_go_and_those_that_are_needed_stay(
    storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for name, days, size in (("old", 20, 1), ("large", 3, 600), ("used", 2, 600), ("just now", 0, 600)):
        entry = token_caches.of_project("p") / name
        entry.mkdir()
        (entry / "data.arrow").write_bytes(b"." * size)
        os.utime(entry, (now - days * 86_400, now - days * 86_400))
    token_caches.sweep_token_caches(lambda: now)
    left = lambda: {p.name for p in token_caches.of_project("p").iterdir()}  # noqa: E731
    assert left() == {"large", "used", "just now"}
    monkeypatch.setattr(token_caches, "MOST_BYTES", 1300)
    token_caches.sweep_token_caches(lambda: now)
    assert left() == {"used", "just now"}
    monkeypatch.setattr(token_caches, "MOST_BYTES", 0)
    token_caches.sweep_token_caches(lambda: now)
    assert left() == {"just now"}, "a training may be reading it"
