"""How well each base model of this machine knows a project's texts: asked for here, measured by the worker, kept by content."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from core import metrics
from core.data import cost, hardware
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate, Verdict
from core.schemas.examples import Example
from core.schemas.families import FAMILIES, unfit
from core.schemas.jobs import Job, JobKind
from core.schemas.knowing import Knowing
from core.schemas.models import ModelFacts
from core.schemas.predictions import TextPrediction, TextPredictions
from core.store import jobs, records
from core.store.config import storage_root
from core.store.tables import DatasetVersion, ModelKnowing, Project
from core.tasks import registry as tasks

from . import datasets, fixes, models, rows

ROWS, CLIP = 120, 600  # rows of the sample, and characters of a text: a billion weights take minutes on a processor
FEWEST = 10  # rows; fewer say nothing
SPREAD = 300  # rows that are drawn before those of the test set are left out


@dataclass(frozen=True)
class Sample:
    """The same rows for every model. `pairs` is set where an encoder-decoder writes the second text after the first; then
    only the second is judged. `key` is the hash of what is judged."""

    key: str
    content: str
    texts: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def rows(self) -> int:
        return len(self.pairs or self.texts)


@dataclass(frozen=True)
class Known:
    """`bits` a byte with its interval; `why` says in a sentence why there are none. `standing` compares with the lowest one
    on the same rows: best, like the best (no evidence that it is worse), or worse. `more` is how many bits above the lowest."""

    bits: Estimate | None = None
    why: str = ""
    lossy: float = 0.0
    standing: str = ""
    more: Estimate | None = None


def sample(project: Project, version: DatasetVersion | None) -> Sample | None:
    """What the models of a project are asked about; None before there are enough texts. Rows of the locked test set are
    left out, so that no base model is chosen by them."""
    if version is None or not project.task:
        return None
    locked = frozenset(fixes.locked_rows(version))
    found = _sample(version.id, project.task, locked)
    return found if found.rows >= FEWEST else None


@lru_cache(maxsize=16)
def _sample(version_id: str, task: str, locked: frozenset[str]) -> Sample:
    version = datasets.get_version(version_id)
    drawn = [e for e in rows.spread(version, task, SPREAD) if e.row_id not in locked]
    pairs = FAMILIES[tasks()[task].family].pairs
    if pairs:
        judged = [(e.prompt[-1].content[:CLIP], e.reference[:CLIP]) for e in drawn if e.messages]
        judged = [(read, told) for read, told in judged if read.strip() and told.strip()]
    else:
        judged = [("", whole(e)[:CLIP]) for e in drawn if whole(e).strip()]
    count = min(ROWS, len(judged))
    judged = [judged[i * len(judged) // count] for i in range(count)]
    key = hashlib.sha256(json.dumps([pairs, judged]).encode()).hexdigest()[:24]
    texts = () if pairs else tuple(told for _, told in judged)
    return Sample(key, version.content, texts, tuple(judged) if pairs else ())


def whole(example: Example) -> str:
    """What a model reads of an example: its text, or the whole conversation without role names."""
    return example.text or "\n".join(m.content for m in example.messages)


def cannot(facts: ModelFacts, family: str) -> str:
    """Why this model has no likelihood of such texts, in a sentence; empty where it has one."""
    if reason := unfit(family, writes=facts.causal, pairs=facts.encoder_decoder):
        return reason
    if not facts.causal and not facts.encoder_decoder:
        return (
            "It reads a text from both sides and cannot write one, so it has no likelihood of a text that could be compared. "
            "That says nothing against it: try a short training."
        )
    return ""


def too_large(facts: ModelFacts) -> str:
    """Why it cannot be measured here for lack of memory; empty where it can."""
    machine = hardware.look(storage_root())
    gpu = machine.device == "cuda"
    needed = facts.parameters * (2 if gpu else 4) + (cost.GPU_BASE if gpu else cost.CPU_BASE) + 2**29
    if needed <= machine.available:
        return ""
    return f"Only to read with it takes {needed / 2**30:.1f} GB; {machine.available / 2**30:.1f} GB are free."


def to_measure(project: Project, version: DatasetVersion | None) -> list[ModelFacts]:
    """Models whose figure for the project's texts is not there yet, the smallest first."""
    asked = sample(project, version)
    if asked is None:
        return []
    family = tasks()[project.task or ""].family
    kept = _kept(asked)
    able = [f for f in models.all_models() if not cannot(f, family) and Path(f.folder).is_dir()]
    missing = [f for f in able if not (found := kept.get(_id(f, asked))) or found.why]
    return sorted(missing, key=lambda f: f.parameters)


def submit(project: Project) -> str:
    """Queue the measurement. Raises UserError where there is nothing to measure."""
    if not to_measure(project, datasets.current(project)):
        raise UserError(
            "There is nothing to measure.",
            "Every model that can be asked about your texts was asked, or there are too few texts.",
            "Add a model, or import more rows.",
        )
    return jobs.submit(JobKind.COMPARE, project.id, {})


def newest(project_id: str) -> Job | None:
    found = jobs.find(project_id=project_id, kinds=[JobKind.COMPARE])
    return found[0] if found else None


def keep(facts: ModelFacts, asked: Sample, found: Knowing) -> None:
    """Kept by model, weights and texts: the same for every project that has these texts."""
    records.upsert(
        ModelKnowing(
            id=_id(facts, asked),
            model_key=facts.key,
            content=asked.content,
            sample=asked.key,
            found=found.model_dump(mode="json"),
        )
    )


def of(asked: Sample | None, candidates: Sequence[ModelFacts], family: str) -> dict[str, Known]:
    """What is known of each candidate (by key); candidates that were not measured and could be are left out."""
    if asked is None:
        return {}
    kept = _kept(asked)
    found: dict[str, Known] = {}
    measured: dict[str, tuple[tuple[float, ...], tuple[int, ...]]] = {}
    for facts in candidates:
        if why := cannot(facts, family):
            found[facts.key] = Known(why=why)
        elif (one := kept.get(_id(facts, asked))) is not None:
            found[facts.key] = Known(why=one.why, lossy=one.lossy)
            if not one.why:
                measured[facts.key] = (one.nll, one.n_bytes)
    for key, (bits, standing, more) in _compared(asked.texts or asked.pairs, tuple(sorted(measured.items()))).items():
        found[key] = replace(found[key], bits=bits, standing=standing, more=more)
    return found


@lru_cache(maxsize=16)
def _compared(
    texts: tuple[object, ...], measured: tuple[tuple[str, tuple[tuple[float, ...], tuple[int, ...]]], ...]
) -> Mapping[str, tuple[Estimate, str, Estimate | None]]:
    """Bits a byte of each model, and whether it differs from the lowest on the same rows (paired bootstrap over rows; equal
    texts count once)."""
    metric = metrics.registry()["bits_per_byte"]
    told = {key: _predictions(texts, *figures) for key, figures in measured}
    bits = {key: estimate for key, one in told.items() if (estimate := metric.compute(one)) is not None}
    if not bits:
        return {}
    best = min(bits, key=lambda key: bits[key].value)
    out: dict[str, tuple[Estimate, str, Estimate | None]] = {}
    for key, estimate in bits.items():
        compared = metrics.compare(metric, told[best], told[key], min_n=FEWEST) if key != best else None
        worse = compared is not None and compared.verdict is Verdict.WORSE
        standing = "" if len(bits) == 1 else "best" if key == best else "worse" if worse else "like the best"
        out[key] = (estimate, standing, compared.change if compared else None)
    return out


def _predictions(texts: Sequence[object], nll: Sequence[float], n_bytes: Sequence[int]) -> TextPredictions:
    return TextPredictions(
        tuple(
            TextPrediction(row_id=str(i), prompt=str(text), nll=loss, scored_tokens=1, n_bytes=count)
            for i, (text, loss, count) in enumerate(zip(texts, nll, n_bytes, strict=True))
            if math.isfinite(loss)
        )
    )


def _kept(asked: Sample) -> dict[str, Knowing]:
    return {row.id: Knowing.model_validate(row.found) for row in records.find(ModelKnowing, sample=asked.key)}


def _id(facts: ModelFacts, asked: Sample) -> str:
    """Changes with the model's weights or tokenizer, as far as sizes and times of the files tell."""
    folder = Path(facts.folder)
    files = sorted([*folder.glob("*.safetensors"), *folder.glob("tokenizer.json")])
    what = [facts.key, asked.key, [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]
