"""Predict: read a file, say something about each of its rows in parts that are whole or absent, and write both into one file."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from core.atomic import write_json
from core.data import real_use
from core.data.columns import shorten
from core.data.predicted import (
    CUT,
    EMPTY,
    FAILED,
    UNFINISHED,
    Columns,
    Said,
    cell,
    one_label,
    one_number,
    several_labels,
    to_table,
)
from core.data.stats_proportions import wilson
from core.data.table_files import refuse_too_large, windows
from core.schemas.batch import BatchSpec, BatchSummary, Hint, LabelShare
from core.schemas.errors import UserError, is_disk_full
from core.schemas.examples import Example
from core.schemas.families import FAMILIES
from core.schemas.imports import COLUMNS_SHOWN
from core.schemas.jobs import Job
from core.schemas.plan import PreparationPlan
from core.services import batch, batch_files, output_filters, preparation, reading, runs
from core.store.files import folder, run_folder
from core.store.records import change
from core.store.tables import Batch, Run
from core.worker.recorder import JobRecorder

READ_AT_ONCE, WRITTEN_AT_ONCE = 4_096, 64  # rows of a part: what a kill costs, and what is sorted by length
PREDICTING = "Predicting rows"
LOOKED_AT = 1_000  # texts that are compared with the training data
UNLIKE = 0.75  # lower bound of the area: as strong as where the health report speaks of another kind of text
TOO_FEW = 30
ROW_FAULTS = (UserError, RuntimeError, ValueError, IndexError, KeyError)  # what one odd row may do to a model


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    training = runs.get(job.payload["run_id"])
    if "preview" in job.payload:
        return _preview(training, job, recorder)
    kept = batch.get(job.payload["batch_id"])
    spec, place = batch.spec_of(kept), folder("batches", kept.id)
    say = _obedient(recorder)
    batch_files.read(spec, place, say, recorder.guard)
    rows, own = batch_files.rows(place), batch_files.column_names(place)
    if spec.format == "xlsx":
        refuse_too_large(rows, len(own) + 1)
    size = _part_rows(training)
    count = -(-rows // size)
    recorder.phase("Starting the model engine")
    model = _Asked(training, spec, recorder)
    _start_anew_under_another_filter(place, model.filter_version, recorder)
    began, predicted = time.monotonic(), 0
    for number, table in enumerate(windows(place / batch_files.ROWS, size, list(spec.columns.values()))):
        if not batch_files.has_part(place, number, table.num_rows):
            part = to_table(model.said(table.to_pylist(), number * size, rows))
            recorder.guard()
            batch_files.keep_part(place, number, part)
            predicted += table.num_rows
        say(PREDICTING, min(rows, (number + 1) * size), rows)
    seconds = time.monotonic() - began
    columns = model.columns(own)
    joined = batch_files.join(
        spec, place, size, columns, lambda done: say("Writing the file, rows", done, rows), recorder.guard
    )
    say("Looking at the whole", 0, 0)
    certain = batch_files.certainties(place, count)
    first = batch_files.keep_first(place, size, columns, certain, recorder.guard)
    summary = BatchSummary(
        rows=rows,
        file=joined.name,
        bytes=(place / joined.name).stat().st_size,
        encoding=joined.encoding,
        protected=joined.protected,
        shortened=joined.shortened,
        first=first,
        filter_version=model.filter_version,
        hints=tuple(_hints(training, spec, place, rows, size)),
        columns=tuple(columns.order),
        seconds=round(seconds, 2),
        rows_per_second=round(predicted / max(seconds, 1e-6), 1),
        peak_memory=model.peak_memory(),
        below=_below(certain),
        **_counted(training, place, count, rows),
    )

    def store() -> dict[str, Any]:
        change(Batch, kept.id, {"summary": summary.model_dump(mode="json")})
        return {"batch_id": kept.id, "rows": rows, "file": str(place / joined.name)}

    return recorder.deliver(store)


def _start_anew_under_another_filter(place: Path, version: int | None, recorder: JobRecorder) -> None:
    """Parts hold answers as the filter of their time left them: where another one counts now, they are written again."""
    mark = place / "filter.json"
    if mark.exists() and json.loads(mark.read_text("utf-8")) == version:
        return
    recorder.guard()
    shutil.rmtree(place / batch_files.PARTS, ignore_errors=True)
    write_json(mark, version)


def _part_rows(training: Run) -> int:
    return READ_AT_ONCE if FAMILIES[_family(training)].reads else WRITTEN_AT_ONCE


def _family(training: Run) -> str:
    from core.tasks import registry

    return str(registry()[training.task].family)


def _obedient(recorder: JobRecorder) -> Callable[[str, float, float], None]:
    def say(name: str, done: float, total: float) -> None:
        recorder.obey()
        recorder.phase(name, done, total)

    return say


def _preview(training: Run, job: Job, recorder: JobRecorder) -> dict[str, Any]:
    """The first rows with what is said about them, cells shortened for a screen."""
    spec = BatchSpec.model_validate(job.payload["spec"])
    rows = reading.source(spec.file).first(int(job.payload["preview"]))
    recorder.phase("Starting the model engine")
    model = _Asked(training, spec, recorder)
    table = pa.Table.from_pylist(rows)
    columns = model.columns(table.column_names)
    said = columns.rows(to_table(model.said(rows, 0, len(rows))))
    shown = table.column_names[:COLUMNS_SHOWN]
    made = [
        {**{name: cell(value) for name, value in new.items()}, **{name: shorten(own[name] or "") for name in shown}}
        for own, new in zip(rows, said, strict=True)
    ]
    return {"rows": made, "columns": [*columns.order, *shown]}


class _Asked:
    """The round's model, asked for some rows at a time."""

    def __init__(self, training: Run, spec: BatchSpec, recorder: JobRecorder) -> None:
        from core.training import predictors

        self._run, self._spec, self._recorder, self._family = training, spec, recorder, _family(training)
        self._before, self._all = 0, 0
        plan = PreparationPlan.model_validate(preparation.get_plan(training.plan_id).config)
        self._model = predictors.tuned(run_folder(training.id), plan, self._tick)
        version = output_filters.current(training) if output_filters.fits(training) else None
        self.filter_version = version.number if version else None
        self._guard = output_filters.guard_of(training)

    def columns(self, own: Sequence[str]) -> Columns:
        labels, guarded = self._model.labels, self._guard is not None
        return Columns.of(self._family, labels, own, each=self._spec.probabilities, guarded=guarded)

    def peak_memory(self) -> int:
        from core.training import device

        return device.peak_memory(device.choose("auto", False))

    def said(self, rows: Sequence[dict[str, str | None]], before: int, of: int) -> list[Said]:
        """What is said about these rows, in their order; `before` rows of `of` are done. No row is lost: one without a text,
        or with which the model cannot do anything, says so in its note."""
        self._before, self._all = before, of
        examples = [batch.example(self._run, self._spec.columns, row, str(i)) for i, row in enumerate(rows)]
        there = [(i, e) for i, e in enumerate(examples) if e is not None]
        out = [Said().noted(EMPTY, "There is no text in this row: nothing was predicted.") for _ in rows]
        for (i, _), one in zip(there, self._each([e for _, e in there]), strict=True):
            out[i] = one
        return out

    def _each(self, examples: list[Example]) -> list[Said]:
        if not examples:
            return []
        failures: list[BaseException] = []
        found = self._safely(examples, failures)
        if len(failures) == len(examples) and len(examples) > 1:
            raise failures[-1]  # the model, not a row
        from core.training.too_long import cut

        for place, tokens in cut(self._model, examples, self._spec.decoding).items():
            found[place].noted(CUT, f"The text is longer than what the model reads: {tokens:,} tokens of it were read.")
        return found

    def _safely(self, examples: list[Example], failures: list[BaseException]) -> list[Said]:
        """All at once; where that fails each half by itself, down to the rows with which it fails."""
        try:
            return self._ask(examples)
        except ROW_FAULTS as failure:
            if is_disk_full(failure):
                raise
            if len(examples) > 1:
                half = len(examples) // 2
                return [*self._safely(examples[:half], failures), *self._safely(examples[half:], failures)]
            failures.append(failure)
            why = failure.title if isinstance(failure, UserError) else f"{type(failure).__name__}."
            return [Said().noted(FAILED, f"This row could not be predicted: {why}")]

    def _ask(self, examples: list[Example]) -> list[Said]:
        model, texts = self._model, [e.text for e in examples]
        if self._family == "classifier":
            return [self._without(one_label(model.labels, p)) for p in model.classify(texts)]
        if self._family == "multi-label":
            return [self._without(several_labels(model.labels, p, model.thresholds)) for p in model.classify(texts)]
        if self._family == "regression":
            return [one_number(value) for value in model.values(texts)]
        prompts = [e.prompt if e.messages else e.text for e in examples]
        return [self._written(g.text, g.finished, g.tokens) for g in model.generate(prompts, self._spec.decoding)]

    def _without(self, said: Said) -> Said:
        """Without the probability of each label where nobody asked for them: they would fill the disk."""
        if not self._spec.probabilities:
            said.probabilities = None
        return said

    def _written(self, text: str, finished: bool, tokens: int) -> Said:
        said = Said(answer=text)
        if self._guard is not None:
            done = self._guard.apply(text)
            said = Said(answer=done.text, filtered=done.sentence() or None)
        return said if finished else said.noted(UNFINISHED, f"The answer was ended after {tokens:,} tokens.")

    def _tick(self, done: float) -> None:
        self._recorder.obey()
        self._recorder.phase(PREDICTING, min(self._all, self._before + done), self._all)


def _below(certain: np.ndarray) -> tuple[int, ...]:
    known = certain[~np.isnan(certain)]
    return tuple(int((known < step / 100).sum()) for step in range(101)) if len(known) else ()


def _counted(training: Run, place: Any, count: int, rows: int) -> dict[str, Any]:
    """What was said, counted over all parts."""
    given: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    numbers: list[np.ndarray] = []
    predicted = filtered = 0
    for part in batch_files.parts(place, count):
        found = part.to_pydict()
        for answer, labels, note in zip(found["answer"], found["labels"], found["kind"], strict=True):
            given.update(labels if labels is not None else [answer] if answer is not None else [])
            kinds.update([note] if note else [])
        numbers.append(part["number"].drop_null().to_numpy())
        filtered += sum(bool(said) for said in found["filtered"])
        said = zip(found["answer"], found["labels"], found["number"], strict=True)
        predicted += sum(any(value is not None for value in one) for one in said)
    values = np.concatenate(numbers) if numbers else np.empty(0)
    trained = batch.trained_shares(training)
    shares = [
        LabelShare(label=label, n=given[label], share=wilson(given[label], predicted), trained=trained[label])
        for label in sorted(trained, key=lambda name: (-given[name], name))
        if predicted
    ]
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95]) if len(values) else (0, 0, 0)
    figures = {"n": float(len(values)), "low": float(low), "middle": float(middle), "high": float(high)}
    return {
        "predicted": predicted,
        "notes": dict(kinds),
        "labels": tuple(shares),
        "numbers": figures if len(values) else {},
        "filtered": filtered,
    }


def _hints(training: Run, spec: BatchSpec, place: Any, rows: int, size: int) -> list[Hint]:
    """Whether these texts look like those that the model learned: a quick model that tells them apart says that they do not."""
    column = spec.columns[batch.reads(training.task)]
    step, texts = max(1, rows // LOOKED_AT), []
    for number, table in enumerate(windows(place / batch_files.ROWS, size, [column])):
        first = -(number * size) % step
        texts += [text for text in table[column].to_pylist()[first::step] if text and text.strip()]
    learned = [batch.read_of(e) for e in batch.training_rows(training)]
    if min(len(texts), len(learned)) < TOO_FEW:
        return []
    found = real_use.compare(learned[:: max(1, len(learned) // LOOKED_AT)], texts)
    if found is None or (found.auc.low or 0.0) <= UNLIKE:
        return []
    words = f" Words that the training rows hardly have: {', '.join(found.words[:8])}." if found.words else ""
    return [
        Hint(
            title="These texts do not look like the training data.",
            text=f"A quick model can tell them apart: given one of each, it picks the one of this file in {found.auc.value:.0%} "
            f"of the cases (50% would be guessing). How good the predictions are was measured on other texts.{words}",
            estimate=found.auc,
        )
    ]
