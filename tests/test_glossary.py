"""The glossary explains every term that the dashboard uses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from core.ui.glossary import PAGE, glossary, term

ROOT = Path(__file__).parents[1]

EXPECTED = """example, split, training set, validation set, test set, base model, token, tokenizer, chat template,
context length, padding, truncation, adapter, LoRA, full fine-tuning, learning rate, batch size, gradient accumulation,
effective batch size, epoch, step, weight decay, warm-up, scheduler, gradient clipping, gradient norm, seed, loss,
eval loss, perplexity, accuracy, macro-F1, confusion matrix, token accuracy, chrF, ROUGE-L, overfitting, underfitting,
early stopping, checkpoint, precision, interval, baseline, TF-IDF, majority baseline, counterfactual, probe, leakage,
duplicate, near duplicate, worker, run, job, round, quantisation, licence, safetensors"""


def used_terms() -> list[tuple[str, str]]:
    """Every `term("...")` in the code, with where it stands."""
    files = [ROOT / "app.py", *(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    return [
        (node.args[0].value, f"{file.relative_to(ROOT)}:{node.lineno}")
        for file in files
        if file.exists()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") == "term" or getattr(node.func, "attr", "") == "term")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]


def test_every_term_that_a_screen_uses_is_explained() -> None:
    missing = [f"{name!r} in {where}" for name, where in used_terms() if name.lower() not in glossary()]
    assert missing == []


@pytest.mark.parametrize("name", [name.strip() for name in EXPECTED.split(",")])
def test_the_words_of_the_field_are_explained(name: str) -> None:
    assert term(name).endswith(".")


def test_an_entry_is_short_enough_for_a_tooltip() -> None:
    assert {name: len(text) for name, text in glossary().items() if len(text) > 260} == {}


def test_entries_stand_in_alphabetical_order_and_once() -> None:
    headings = [line[3:] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
    assert headings == sorted(set(headings), key=str.lower)


def test_an_unknown_term_names_similar_ones() -> None:
    with pytest.raises(KeyError, match="learning rate"):
        term("lerning rate")
