"""Corrective actions at work in real trainings: each changes what it says, nothing at strength 0, and a resume is bit-equal."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch
from tiny_training import Diary, wish_at
from torch.nn.functional import cross_entropy

from core.data.encoding import Codec
from core.discovery import discover
from core.mitigations import registry as mitigations
from core.schemas.errors import UserError
from core.schemas.jobs import Desired
from core.schemas.recorder import Interrupted
from core.schemas.terms import TermSpec
from core.schemas.training import TrainingSpec
from core.training import device, loading
from core.training.checkpoints import newest_whole_checkpoint
from core.training.heads import OneOf
from core.training.terms.gradient_reversal import Reversed, pooled
from core.training.train import encode, train, trainer_of

pytestmark = pytest.mark.usefixtures("one_thread")


def spec_of(folder: Path, base: Path, *terms: TermSpec, kind: str = "classifier, full", **recipe: Any) -> TrainingSpec:
    given = {"epochs": 1, "evaluations_per_epoch": 1, **recipe}
    return tiny.spec_of(kind, folder, base, rows=48, **given).model_copy(update={"terms": terms})


def prepared(spec: TrainingSpec) -> Any:
    """A trainer on one fixed model, ready for a step."""
    chosen = device.choose("float32", spec.recipe.method)
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    torch.manual_seed(1)
    head = OneOf(spec.labels) if spec.family == "classifier" else None
    base = loading.base_model(spec.base_folder, spec.family, chosen.weights, head)
    model = loading.prepared(base, spec.family, spec.recipe)
    trainer = trainer_of(
        spec, chosen, model, loading.tokenizer(spec.base_folder), encode(codec, spec), Path(spec.folder)
    )
    trainer.state.max_steps = 10
    trainer.state.epoch = 0.0
    trainer.model.train()
    return trainer


def rows() -> list[Any]:
    return list(tiny.classification(1, 48))


def twins() -> dict[str, tuple[str, ...]]:
    return {e.row_id: (e.text.replace("the", "a big"), e.text.replace("the", "my")) for e in rows()[:40]}


def groups() -> dict[str, str]:
    """Two groups; a third of the rows is about nobody."""
    return {e.row_id: "ab"[i % 2] for i, e in enumerate(rows()) if i % 3}


WEIGHTS = TermSpec(key="reweighing", weights={e.row_id: 0.5 + i / 24 for i, e in enumerate(rows())})
PAIRED = TermSpec(key="logit_pairing", config={"strength": 4.0}, twins=twins())
REVERSAL = TermSpec(key="gradient_reversal", config={"strength": 1.0}, groups=groups())
FGM = TermSpec(key="adversarial_embeddings", config={"size": 0.1, "mix": 0.5})
QUIET = {
    "weights of 1": TermSpec(key="reweighing", weights={e.row_id: 1.0 for e in rows()}),
    "pairing at 0": PAIRED.model_copy(update={"config": {"strength": 0.0}}),
    "reversal at 0": REVERSAL.model_copy(update={"config": {"strength": 0.0}}),
    "FGM at 0": FGM.model_copy(update={"config": {"mix": 0.0}}),
}


@pytest.fixture(scope="module")
def plain(small_model: Path, tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Diary:
    diary = Diary()
    train(spec_of(tmp_path_factory.mktemp("plain"), small_model), diary)
    return diary


@pytest.mark.parametrize("name", QUIET)
def test_a_term_without_strength_changes_no_loss(small_model: Path, tmp_path: Path, plain: Diary, name: str) -> None:
    diary = Diary()
    train(spec_of(tmp_path, small_model, QUIET[name]), diary)
    assert tiny.exact(diary) == tiny.exact(plain)


def test_each_row_counts_by_its_weight_in_training_and_not_in_evaluation(small_model: Path, tmp_path: Path) -> None:
    trainer = prepared(spec_of(tmp_path, small_model, WEIGHTS))
    batch = next(iter(trainer.get_train_dataloader()))
    inputs = {k: v for k, v in batch.items() if k not in ("labels", "row_weight")}
    with torch.no_grad():
        losses = cross_entropy(trainer.model(**inputs).logits, batch["labels"], reduction="none")
        said = trainer.compute_loss(trainer.model, dict(batch)).item()
    wanted = (losses * batch["row_weight"]).mean().item()
    assert said == pytest.approx(wanted, rel=1e-5) and said != pytest.approx(losses.mean().item(), rel=1e-3)
    seen = sorted(w for one in trainer.get_train_dataloader() for w in one["row_weight"].tolist())
    assert seen == pytest.approx(sorted(WEIGHTS.weights.values()))
    assert "row_weight" not in next(iter(trainer.get_eval_dataloader(trainer.eval_dataset["validation"])))


@pytest.mark.parametrize("way", ["oversample", "undersample"])
def test_every_cell_is_read_equally_often_and_rows_about_nobody_once(
    small_model: Path, tmp_path: Path, way: str
) -> None:
    tied = {e.row_id: "a" if e.label == "praise" or i % 12 == 0 else "b" for i, e in enumerate(rows()) if i % 8}
    trainer = prepared(
        spec_of(tmp_path, small_model, TermSpec(key="balanced_sampling", config={"way": way}, groups=tied))
    )
    chosen = trainer.rounds.rows(0)
    cells = Counter((tied.get(rows()[i].row_id), rows()[i].label) for i in chosen)
    free = sum(n for (group, _), n in cells.items() if group is None)
    read = [place for batch in trainer.get_train_dataloader() for place in batch["input_ids"]]
    assert free == 6 and len(read) == len(chosen)
    counts = Counter((tied[e.row_id], e.label) for e in rows() if e.row_id in tied)
    if way == "oversample":
        most = max(counts.values())
        assert all(cells[cell] == min(most, 10 * n) for cell, n in counts.items())
    assert trainer.rounds.rows(0) == chosen and len(trainer.rounds.rows(1)) == len(chosen)


def test_the_answers_to_twins_come_nearer(small_model: Path, tmp_path: Path) -> None:
    from core.training import predictors

    distances = []
    for name, terms in (("without", ()), ("with", (PAIRED,))):
        spec = spec_of(tmp_path / name, small_model, *terms, epochs=3)
        result = train(spec, Diary())
        assert result.steps == 18
        model = predictors.tuned(tmp_path / name, spec.plan)
        own = model.classify([e.text for e in rows()[:40]])
        other = model.classify([twins()[e.row_id][0] for e in rows()[:40]])
        distances.append(sum(abs(a - b) for x, y in zip(own, other, strict=True) for a, b in zip(x, y, strict=True)))
    assert distances[1] < distances[0] / 2


def test_pairing_is_the_formula_and_rises_over_the_first_half(small_model: Path, tmp_path: Path) -> None:
    trainer = prepared(spec_of(tmp_path, small_model, PAIRED))
    (term,) = trainer.terms
    assert [term.at(done) for done in (0.0, 0.25, 0.5, 1.0)] == [0.0, 2.0, 4.0, 4.0]
    term.ramp = False
    assert term.at(0.0) == 4.0
    batch = next(iter(trainer.get_train_dataloader()))
    inputs = {k: v for k, v in batch.items() if k not in ("labels", "place")}
    with torch.no_grad():
        own = trainer.model(**inputs).logits
        apart = []
        for i, place in enumerate(batch["place"].tolist()):
            if term.twins[place]:
                ids = torch.tensor([term.twins[place][place % 2]])
                apart.append((own[i] - trainer.model(input_ids=ids).logits[0]).abs().mean().item())
        said = trainer.compute_loss(trainer.model, dict(batch)).item()
        plain = cross_entropy(own, batch["labels"]).item()
    assert said == pytest.approx(plain + 4 * sum(apart) / len(apart), rel=1e-4)


def test_the_gradient_of_the_second_head_reaches_the_model_with_the_opposite_sign(
    small_model: Path, tmp_path: Path
) -> None:
    read = torch.ones(2, 3, requires_grad=True)
    (Reversed.apply(read, 0.5) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert read.grad is not None and read.grad[0].tolist() == [-0.5, -1.0, -1.5]
    ids = torch.tensor([[7, 8, 0], [7, 0, 9]])
    states = torch.arange(6.0).reshape(2, 3, 1)
    assert pooled(states, "score", ids, 0)[:, 0].tolist() == [1.0, 5.0]

    trainer = prepared(spec_of(tmp_path, small_model, REVERSAL))
    (term,) = trainer.terms
    trainer.state.global_step = 10  # the strength has risen
    batch = next(iter(trainer.get_train_dataloader()))
    before = [p.clone() for p in term.head.parameters()]
    trainer.compute_loss(trainer.model, dict(batch)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in term.head.parameters())
    own = trainer.model.score.weight.grad.clone()
    term.stepped()
    assert any(not torch.equal(a, b) for a, b in zip(before, term.head.parameters(), strict=True))
    trainer.model.zero_grad()
    term.strength = 0.0
    trainer.compute_loss(trainer.model, dict(batch)).backward()
    assert torch.allclose(
        own, trainer.model.score.weight.grad
    )  # it reads what the head reads, and does not touch the head


def test_the_second_head_reads_what_the_model_decides_by_where_padding_is_the_end_of_text(
    small_model: Path, tmp_path: Path
) -> None:
    trainer = prepared(spec_of(tmp_path, small_model, REVERSAL))
    (term,) = trainer.terms
    end = int(trainer.train_dataset[0]["input_ids"][-1])  # every text ends with it
    trainer.model.config.pad_token_id = end
    batch = next(iter(trainer.get_train_dataloader()))
    batch["input_ids"][batch["attention_mask"] == 0] = end
    given: list[torch.Tensor] = []
    term.head.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0].detach()))
    trainer.compute_loss(trainer.model, dict(batch))
    said = trainer.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    torch.testing.assert_close(trainer.model.score(given[0]), said)


@pytest.mark.parametrize("kind", ["classifier, full", "classifier, LoRA", "chat, full, packed"])
def test_fgm_adds_the_loss_of_the_shifted_input_and_leaves_the_embeddings(
    small_model: Path, tmp_path: Path, kind: str
) -> None:
    trainer = prepared(spec_of(tmp_path, small_model, FGM, kind=kind, lora_dropout=0.0))
    (term,) = trainer.terms
    batch = next(iter(trainer.get_train_dataloader()))
    table = trainer.model.get_input_embeddings()
    before = table.weight.detach().clone()
    loss = trainer.compute_loss(trainer.model, dict(batch))
    loss.backward()
    assert torch.equal(table.weight, before) and not table._forward_hooks and term.shift is None
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in trainer.model.parameters() if p.requires_grad)
    term.mix = 0.0
    assert loss.item() > trainer.compute_loss(trainer.model, dict(batch)).item()  # the worst direction is worse
    gradient = torch.randn(4, 7, before.shape[1])
    length = 0.1 * before.norm(dim=1).mean()
    assert torch.allclose(term.shifted(gradient, table.weight).flatten(1).norm(dim=1), length)


def test_two_actions_at_once_add_what_each_adds(small_model: Path, tmp_path: Path) -> None:
    def loss(*terms: TermSpec) -> float:
        trainer = prepared(spec_of(tmp_path, small_model, *terms))
        trainer.state.global_step = 10
        batch = next(iter(trainer.get_train_dataloader()))
        return float(trainer.compute_loss(trainer.model, dict(batch)).detach())

    plain, together = loss(), loss(PAIRED, FGM, REVERSAL)
    assert together - plain == pytest.approx(sum(loss(term) - plain for term in (PAIRED, FGM, REVERSAL)), rel=1e-4)


def test_fgm_accumulates_as_one_larger_batch_would(small_model: Path, tmp_path: Path) -> None:
    """Each row is moved by its own gradient's direction, so that what shares its batch does not matter."""
    losses = []
    for name, size in (("whole", {"batch_size": 8}), ("parts", {"batch_size": 4, "accumulation": 2})):
        diary = Diary()
        train(spec_of(tmp_path / name, small_model, FGM, weight_decay=0.0, **size), diary)
        losses.append(diary.points["validation", "loss"])
    assert losses[0].keys() == losses[1].keys()
    assert all(losses[0][step] == pytest.approx(losses[1][step], rel=2e-3) for step in losses[0])


def test_a_corrected_run_that_was_interrupted_ends_as_if_it_had_not_been(small_model: Path, tmp_path: Path) -> None:
    """Twins change with the epoch, the strength with the step, and the second head has weights and moments of its own."""
    recipe = {"epochs": 2, "evaluations_per_epoch": 2, "method": "lora", "kind": "classifier, LoRA"}
    whole, first, second = Diary(), Diary(wish_at(8, Desired.PAUSE)), Diary()
    train(spec_of(tmp_path / "whole", small_model, PAIRED, REVERSAL, **recipe), whole)
    spec = spec_of(tmp_path / "parts", small_model, PAIRED, REVERSAL, **recipe)
    with pytest.raises(Interrupted):
        train(spec, first)
    found = newest_whole_checkpoint(spec.folder)
    assert found is not None and found[1] == 8
    train(spec.model_copy(update={"resume_from": str(found[0])}), second)
    assert tiny.exact(first, second) == tiny.exact(whole)
    assert not (tmp_path / "parts" / "model" / "gradient_reversal.safetensors").exists()


def test_every_torch_half_belongs_to_an_action_and_fits_the_same_models() -> None:
    halves, actions = discover("core.training.terms"), mitigations()
    assert halves and all(set(half.families) == set(actions[key].families) for key, half in halves.items())


def test_what_a_term_cannot_do_is_refused_in_words(small_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not fit the model"):
        prepared(spec_of(tmp_path, small_model, PAIRED, kind="chat, full, packed"))
    spec = spec_of(tmp_path, small_model, PAIRED)
    two = spec.model_copy(update={"recipe": spec.recipe.model_copy(update={"devices": 2})})
    with pytest.raises(UserError, match="one device"):
        prepared(two)
