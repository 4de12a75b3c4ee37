"""Which corrective action closes a planted gap, at what price? Each action on the same biased classifier, over several seeds.

    python -m benchmarks.corrections [--seeds 3] [--data ../shared/data/identity_toxicity_madlibs/bias_madlibs_77k.csv]

Rows are drawn from the identity-term set of Dixon et al. 2018: short sentences whose label follows from one word ("kind",
"vile"), whoever they are about. The tie is planted by drawing: training and validation rows about gay people are nearly all bad
ones, rows about straight people nearly all good ones, so that labelled rows alone cannot show what the model has learned about
people. `untied` rows, never trained on and never validated on, have each label equally often in each group.

For each seed the starter is trained on the rows as they are (`as it is`), audited, and trained again under each action; each is
audited again and judged by the double gate (`core/data/gates.py`), on the validation rows, as a corrective action in the product
is. `pairing, unramped` is the negative control. Every cell is written to `results/corrections.json` once it is done, and not
done again.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from core.audits import registry as audits
from core.data.gates import together, verify
from core.data.group_rows import named_in_texts
from core.data.lexicon import load_lexicon
from core.mitigations import registry as mitigations
from core.schemas.audits import AuditInput, AuditResult, GateState
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.jobs import Desired
from core.schemas.mitigations import Deed, Given
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.schemas.training import TrainingSpec
from core.services.models import STARTER_FOLDER

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "corrections.json"
AXIS = "sexual_orientation"
TIED = {"gay": "BAD", "straight": "NOT_BAD"}  # the group and the label that it nearly always has
STRENGTH = 0.92  # share of a tied group's rows that have its label
SIZES = {
    "tied": 100,
    "free": 25,
    "other": 50,
}  # training rows of each tied group, each other group, and about nobody of these
VALIDATION = 1.0  # as many validation rows, as a share of the training rows
UNTIED = 60  # rows of each group, each label equally often
RECIPE = Recipe(
    method="full",
    learning_rate=1e-3,
    epochs=3,
    batch_size=16,
    early_stopping=0,
    evaluations_per_epoch=1,
    best_metric="eval_loss",
)
PLAN = PreparationPlan(max_length=32)
GROUPS = {"axes": [AXIS]}
ARMS: dict[str, tuple[str, dict[str, Any]]] = {
    "weigh the rows": ("reweighing", GROUPS),
    "balanced sampling": ("balanced_sampling", GROUPS),
    "swapped copies": ("counterfactual_augmentation", {**GROUPS, "copies": 3}),
    "logit pairing": ("logit_pairing", GROUPS),
    "pairing, unramped": ("logit_pairing", {**GROUPS, "ramp": False}),
    "pairing, unramped, strength 10": ("logit_pairing", {**GROUPS, "ramp": False, "strength": 10.0}),
    "pairing, strength 10": ("logit_pairing", {**GROUPS, "strength": 10.0}),
    "drop doubtful rows": ("doubtful_rows", GROUPS),
    "relabel doubtful rows": ("doubtful_rows", {**GROUPS, "way": "relabel"}),
    "drop as many by chance": ("doubtful_rows", {**GROUPS, "random": True}),
    "gradient reversal": ("gradient_reversal", GROUPS),
    "FGM": ("adversarial_embeddings", {}),
    "NEFTune": ("neftune", {}),
}


class Silent:
    """A recorder that keeps nothing."""

    def phase(self, name: str, done: float = 0, total: float = 0) -> None: ...
    def metrics(self, split: str, step: int, epoch: float, values: Mapping[str, float]) -> None: ...
    def event(
        self, kind: str, step: int, title: str, text: str = "", data: Mapping[str, Any] | None = None
    ) -> None: ...
    def checkpoint(self, step: int, folder: str, metric: float | None) -> None: ...
    def forget_checkpoint(self, step: int) -> None: ...
    def pinned(self) -> set[int]:
        return set()

    def wish(self) -> Desired:
        return Desired.RUN

    def shutting_down(self) -> bool:
        return False

    def obey(self) -> None: ...
    def guard(self) -> None: ...
    def flush(self) -> None: ...


def drawn(file: Path, seed: int) -> dict[str, list[Example]]:
    """`train`, `validation` and `untied` rows; no sentence is in two of them."""
    source = random.Random(seed)
    with open(file, encoding="utf-8", newline="") as stream:
        rows = [(row["Text"], row["Label"]) for row in csv.DictReader(stream)]
    lexicon = load_lexicon()
    words = {form for terms in lexicon.axis(AXIS).sets for forms in terms.terms.values() for form in forms}
    likely = [row for row in rows if any(word in row[0] for word in words)]
    known = set(likely)
    rows = [
        *likely,
        *source.sample([row for row in rows if row not in known], 1000),
    ]  # the others are looked at in part
    texts = [text for text, _ in rows]
    _, found = named_in_texts(texts, lexicon, (AXIS,))
    named = {row: group for (_, group), numbers in found.items() for row in numbers}
    cells: dict[tuple[str, str], list[int]] = {}
    seen: set[str] = set()
    for i, (text, label) in enumerate(rows):
        if text not in seen:
            seen.add(text)
            cells.setdefault((named.get(i, ""), label), []).append(i)
    for numbers in cells.values():
        source.shuffle(numbers)

    def take(group: str, bad: int, good: int) -> list[int]:
        pools = cells[group, "BAD"], cells[group, "NOT_BAD"]
        return [pools[0].pop() for _ in range(bad)] + [pools[1].pop() for _ in range(good)]

    groups = sorted({group for group, _ in cells if group})
    out: dict[str, list[Example]] = {}
    for part, scale in (("train", 1.0), ("validation", VALIDATION)):
        numbers: list[int] = []
        for group in groups:
            size = round(scale * SIZES["tied" if group in TIED else "free"])
            bad = round(size * {"BAD": STRENGTH, "NOT_BAD": 1 - STRENGTH}[TIED[group]]) if group in TIED else size // 2
            numbers += take(group, bad, size - bad)
        numbers += take("", round(scale * SIZES["other"]) // 2, round(scale * SIZES["other"]) // 2)
        out[part] = _examples(part, numbers, rows, source)
    untied = [i for group in groups for i in take(group, UNTIED // 2, UNTIED // 2)]
    out["untied"] = _examples("untied", untied, rows, source)
    return out


def _examples(part: str, numbers: list[int], rows: Sequence[tuple[str, str]], source: random.Random) -> list[Example]:
    source.shuffle(numbers)
    return [Example(row_id=f"{part}-{i}", text=rows[i][0], label=rows[i][1]) for i in numbers]


def changed(train: list[Example], deed: Deed) -> list[Example]:
    """The training rows after an action."""
    kept = [e for e in train if e.row_id not in set(deed.dropped)]
    kept = [e.model_copy(update={"label": deed.relabelled.get(e.row_id, e.label)}) for e in kept]
    return [*kept, *deed.added]


def measured(rows: dict[str, list[Example]], train: list[Example], seed: int, deed: Deed | None) -> dict[str, Any]:
    """Train, audit, and say how often it is right: audits by key, right or wrong by row, processor seconds of the training."""
    from core.training import predictors
    from core.training.train import train as fit

    folder = Path(tempfile.mkdtemp(prefix="corrections-"))
    recipe = RECIPE.model_copy(update={"seed": seed, **(deed.recipe if deed else {})})
    spec = TrainingSpec(
        run_id="run",
        family="classifier",
        folder=str(folder),
        base_folder=str(STARTER_FOLDER),
        plan=PLAN,
        recipe=recipe,
        labels=("BAD", "NOT_BAD"),
        train=tuple(train),
        validation=tuple(rows["validation"]),
        terms=(deed.term,) if deed and deed.term else (),
    )
    try:
        began = time.process_time()
        fit(spec, Silent())
        seconds = time.process_time() - began
        model = predictors.tuned(folder, PLAN)
        told: dict[str, AuditResult] = {}
        for key in ("neutral_probes", "counterfactual_swap"):
            audit = audits()[key]
            config = audit.config.model_validate(GROUPS)
            told[key] = audit.run(AuditInput(examples=rows["validation"], tuned=model), config)
        right = {}
        for part in ("validation", "untied"):
            said = model.classify([e.text for e in rows[part]])
            best = [model.labels[max(range(len(p)), key=p.__getitem__)] for p in said]
            right[part] = {e.row_id: float(b == e.label) for e, b in zip(rows[part], best, strict=True)}
        return {"audits": told, "right": right, "seconds": seconds}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def gap(result: AuditResult) -> float:
    return mean(v for series in result.gaps if not series.group for v in series.values.values())


def cell(found: dict[str, Any], before: dict[str, Any] | None, rows_read: int) -> dict[str, Any]:
    """What is kept of one training: figures, and how the gates judged it."""
    told = found["audits"]
    out: dict[str, Any] = {
        "gap": {key: gap(result) for key, result in told.items()},
        "accuracy": {part: mean(values.values()) for part, values in found["right"].items()},
        "n": {part: len(values) for part, values in found["right"].items()},
        "seconds": round(found["seconds"], 1),
        "rows": rows_read,
        "favourite": told["counterfactual_swap"].top_class_share.value,
    }
    if before is not None:
        judged = {
            key: verify(before["audits"][key], told[key], before["right"]["validation"], found["right"]["validation"])
            for key in told
        }
        out["states"] = {key: result.state.value for key, result in judged.items()}
        out["gates"] = {key: list(result.gates) for key, result in judged.items()}
        out["change"] = {
            key: r.gap_change.model_dump(mode="json") for key, r in judged.items() if r.gap_change is not None
        }
        quality = judged["neutral_probes"].quality_change
        out["quality"] = quality.model_dump(mode="json") if quality else None
        out["outcome"] = together(list(judged.values())).value
    return out


def run(file: Path, seeds: Sequence[int], only: Sequence[str], results: Path) -> None:
    kept: dict[str, Any] = json.loads(results.read_text()) if results.exists() else {}
    for seed in seeds:
        wanted = [name for name in ARMS if (not only or name in only) and f"{name}|{seed}" not in kept]
        if not wanted:
            continue
        rows = drawn(file, seed)
        before = measured(rows, rows["train"], seed, None)
        kept[f"as it is|{seed}"] = cell(before, None, len(rows["train"]))
        _keep(kept, results)
        for name in wanted:
            key, config = ARMS[name]
            action = mitigations()[key]
            given = Given(
                held_out=[*rows["validation"], *rows["untied"]], seed=seed, recipe=RECIPE.model_dump(mode="json")
            )
            try:
                deed = action.act(rows["train"], action.config.model_validate(config), given)
            except UserError as refusal:
                kept[f"{name}|{seed}"] = {"not_possible": refusal.title}
                _keep(kept, results)
                continue
            train = changed(rows["train"], deed)
            kept[f"{name}|{seed}"] = cell(measured(rows, train, seed, deed), before, len(train))
            _keep(kept, results)
            print(seed, name, json.dumps(kept[f"{name}|{seed}"]), flush=True)


def _keep(kept: Mapping[str, Any], results: Path) -> None:
    part = results.with_suffix(".part")
    part.write_text(json.dumps(kept, indent=1) + "\n")
    part.replace(results)


def table(kept: Mapping[str, Any]) -> str:
    """Markdown: one line an action, means over the seeds."""
    lines = [
        "| action | gap, neutral sentences | gap, swapped rows | accuracy | accuracy, untied | favourite answer | time "
        "| outcome by seed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    names = ["as it is", *ARMS]
    plain = _of(kept, "as it is")
    for name in names:
        found = _of(kept, name)
        cells = [c for c in found if "gap" in c]
        if not cells:
            continue
        outcomes = "; ".join(c.get("not_possible") or c.get("outcome", "–") + _why(c) for c in found)
        lines.append(
            f"| {name} | {_told(cells, 'gap', 'neutral_probes')} | {_told(cells, 'gap', 'counterfactual_swap')} | "
            f"{_told(cells, 'accuracy', 'validation')} | {_told(cells, 'accuracy', 'untied')} | "
            f"{mean(c['favourite'] for c in cells):.2f} | "
            f"{mean(c['seconds'] for c in cells) / mean(c['seconds'] for c in plain):.1f}× | {outcomes} |"
        )
    return "\n".join(lines)


def _of(kept: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [value for key, value in sorted(kept.items()) if key.rsplit("|", 1)[0] == name]


def _told(cells: list[dict[str, Any]], what: str, which: str) -> str:
    values = [c[what][which] for c in cells]
    return f"{mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _why(one: dict[str, Any]) -> str:
    if one.get("outcome") in (None, GateState.VERIFIED.value):
        return ""
    found = {gate for key, gates in one["gates"].items() if one["states"][key] == one["outcome"] for gate in gates}
    return f" ({', '.join(sorted(found))})" if found else ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT.parent / "shared" / "data" / "identity_toxicity_madlibs" / "bias_madlibs_77k.csv",
    )
    given_options = parser.parse_args()
    seeds = range(given_options.first, given_options.first + given_options.seeds)
    run(given_options.data, seeds, given_options.only, given_options.results)
    print(table(json.loads(given_options.results.read_text())))
