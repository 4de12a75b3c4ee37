"""What the Tokenization screen shows is what training gets: the same tokens, learned in the same places, in every batch."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import ready_processes
import tiny_training as tiny
import torch

from core.data.encoding import Codec
from core.data.lengths import kept
from core.schemas.examples import Example, Message
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding
from core.training import device, export, loading, predictors
from core.training.heads import OneOf
from core.training.train import encode, train, trainer_of

pytestmark = pytest.mark.usefixtures("one_thread", "ready_readers")
ready_readers = ready_processes.ready_readers
OWN_TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + '<|end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)
TALKS = tuple(
    Example(
        row_id=e.row_id,
        messages=(*e.messages, Message(role="user", content="Thank you"), Message(role="assistant", content="Yes.")),
    )
    for e in tiny.chats(1, 40)
)
LONG = tuple(Example(row_id=f"l{i}", text=" ".join(e.text for e in tiny.texts(i, 8))) for i in range(12))
CHAT_PLANS = {
    "as it comes": {},
    "packed": {"packing": True},
    "random batches": {"padding": "batch"},
    "a fixed width": {"padding": "fixed"},
    "the last answer": {"turns": "last"},
    "everything": {"answers_only": False},
    "cut at the left": {"truncation_side": "left", "max_length": 40},
    "another template": {"chat_template": OWN_TEMPLATE, "system_prompt": "Be kind.", "packing": True},
}
Row = tuple[tuple[int, ...], tuple[bool, ...]]


def spec_with(folder: Path, base: Path, kind: str, rows: tuple[Example, ...], **plan: Any) -> Any:
    spec = tiny.spec_of(kind, folder, base)
    changed = PreparationPlan(**{"max_length": 96, "packing": False, **plan})
    return spec.model_copy(update={"plan": changed, "train": rows, "validation": rows[:8]})


def trained_on(spec: Any) -> tuple[list[Row], list[dict[str, torch.Tensor]]]:
    """Every row of a real round, unpadded and unpacked, and the batches themselves."""
    chosen = device.choose("float32", "full")
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    model = loading.base_model(spec.base_folder, spec.family, chosen.weights, OneOf(spec.labels))
    trainer = trainer_of(
        spec, chosen, model, loading.tokenizer(spec.base_folder), encode(codec, spec), Path(spec.folder)
    )
    batches = list(trainer.get_train_dataloader())
    rows: list[Row] = []
    for batch in batches:
        for i, ids in enumerate(batch["input_ids"]):
            labels = batch["labels"][i]
            if "position_ids" in batch:
                starts = [*(batch["position_ids"][i] == 0).nonzero()[:, 0].tolist(), len(ids)]
                stretches = [slice(a, b) for a, b in pairwise(starts)]
            else:
                stretches = [slice(0, int(batch["attention_mask"][i].sum()))]
            for at in stretches:
                if bool((ids[at] != trainer.data_collator.pad_token_id).any()):
                    assert all(label in (-100, token) for label, token in zip(labels[at], ids[at], strict=True))
                    rows.append((tuple(ids[at].tolist()), tuple((labels[at] != -100).tolist())))
    return rows, batches


def shown(spec: Any) -> list[Row]:
    """What the screen draws for the same examples: one strip for each part."""
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    return [(part.ids, part.trained) for e in spec.train for part in codec.encode_parts(e)]


@pytest.mark.parametrize("plan", CHAT_PLANS.values(), ids=CHAT_PLANS)
def test_conversations_are_learned_as_they_are_shown(small_model: Path, tmp_path: Path, plan: dict[str, Any]) -> None:
    spec = spec_with(tmp_path, small_model, "chat, LoRA", TALKS, **plan)
    rows, batches = trained_on(spec)
    assert Counter(rows) == Counter(shown(spec))
    if plan.get("padding") == "fixed":
        assert {batch["input_ids"].shape[1] for batch in batches} == {96}


@pytest.mark.parametrize("overlap", [0, 8])
@pytest.mark.parametrize("packing", [False, True])
def test_long_texts_are_learned_in_the_parts_that_are_shown(
    small_model: Path, tmp_path: Path, packing, overlap
) -> None:
    spec = spec_with(tmp_path, small_model, "chat, LoRA", LONG, max_length=32, packing=packing, chunk_overlap=overlap)
    rows, _ = trained_on(spec)
    assert Counter(rows) == Counter(shown(spec))
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    whole = codec.lengths(spec.train)
    assert sum(sum(trained) for _, trained in rows) == sum(whole) - len(whole) - (overlap == 0) * (
        len(rows) - len(whole)
    )
    predicted = kept(whole, 32, in_parts=True, opening=codec.opening, overlap=overlap)
    assert sorted(len(ids) for ids, _ in rows) == sorted(predicted)


def test_texts_to_classify_are_read_as_they_are_shown(small_model: Path, tmp_path: Path) -> None:
    for padding in ("bucket", "batch", "fixed"):
        spec = tiny.spec_of("classifier, full", tmp_path, small_model)
        spec = spec.model_copy(update={"plan": PreparationPlan(max_length=16, padding=padding, truncation_side="left")})
        chosen = device.choose("float32", "full")
        codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
        model = loading.base_model(spec.base_folder, spec.family, chosen.weights, OneOf(spec.labels))
        trainer: Any = trainer_of(
            spec, chosen, model, loading.tokenizer(spec.base_folder), encode(codec, spec), Path(spec.folder)
        )
        rows = Counter(
            tuple(ids[: int(mask.sum())].tolist())
            for batch in trainer.get_train_dataloader()
            for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
        )
        assert rows == Counter(codec.encode(e).ids for e in spec.train)


def test_an_edited_template_reaches_the_model_the_answers_and_the_export(small_model: Path, tmp_path: Path) -> None:
    """Trained, asked, scored and exported with the same template; another program finds it with the tokenizer."""
    plan = {"chat_template": OWN_TEMPLATE, "turns": "last", "packing": True}
    spec = spec_with(tmp_path / "run", small_model, "chat, full, packed", TALKS[:16], **plan)
    spec = spec.model_copy(update={"recipe": spec.recipe.model_copy(update={"epochs": 1.0})})
    train(spec, tiny.Diary())
    model: Any = predictors.tuned(spec.folder, spec.plan)
    (encoded,) = model.codec.encode_parts(TALKS[0])
    scored = model.codec.scored(TALKS[0].prompt, TALKS[0].reference)
    assert (scored[0], scored[1]) == (list(encoded.ids), list(encoded.trained))
    assert model.codec.prompt_text(TALKS[0].prompt).endswith("<|assistant|>\n")
    assert model.generate([TALKS[0].prompt], Decoding(max_new_tokens=2))

    target = tmp_path / "export" / "model"
    export.export(f"{spec.folder}/model", "merged", target, spec.plan, TALKS[:2], {}, tiny.Diary())
    tokenizer = loading.tokenizer(target)
    assert tokenizer.chat_template == OWN_TEMPLATE
    turns = [m.model_dump() for m in TALKS[0].messages]
    assert tokenizer.apply_chat_template(turns)["input_ids"] == list(encoded.ids)
    assert json.loads((Path(spec.folder) / "model" / "tunewell.json").read_text())["plan"]["turns"] == "last"
