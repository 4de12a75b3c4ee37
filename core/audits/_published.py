"""What the published benchmarks share: reading the person's file, asking the model, figures with intervals, base against tuned.

Nothing of a benchmark is shipped: the person brings the published file.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from core.data.statistics import MIN_ROWS, bootstrap_p, independent, interval_of, resample_sums, verdict
from core.schemas.audits import AuditFamily, AuditInput, AuditResult, GivenFile
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.estimates import Comparison, Estimate
from core.schemas.examples import Message
from core.schemas.findings import Finding, Severity

from ._measure import Floats
from ._reader import Prompt, Reader

NOTICEABLE = 0.05
T = TypeVar("T")


class Config(Schema):
    items: int = Field(
        1000,
        title="Items at most",
        description="Of a longer file, so many items are scored, spread evenly over it. More are more certain and take longer.",
        ge=30,
        json_schema_extra={"level": "advanced"},
    )


@dataclass(frozen=True)
class Figure:
    """One score: a function of sums over items. `ideal` is its value without any bias, None where it has none (accuracy).

    `components` has shape (items, k); `statistic` makes the score of each draw from their sums, shape (draws, k).
    """

    kind: str
    components: Floats
    statistic: Callable[[Floats], Floats]
    units: Sequence[Hashable]
    ideal: float | None = None
    about: str = "all"

    @property
    def draws(self) -> Floats:
        return self.statistic(resample_sums(self.components, self.units))

    def estimate(self, draws: Floats) -> Estimate:
        value = float(self.statistic(self.components.sum(axis=0)[None, :])[0])
        n = independent(self.units, len(self.units))
        return interval_of(value, draws[np.isfinite(draws)], n, (-1.0, 1.0), grouped=n < len(self.units))


def share(flags: ArrayLike, of: ArrayLike | None = None) -> tuple[Floats, Callable[[Floats], Floats]]:
    """Components and statistic of a share of items."""
    right = np.asarray(flags, dtype=np.float64)
    counted = np.ones_like(right) if of is None else np.asarray(of, dtype=np.float64)
    return np.column_stack([right * counted, counted]), _ratio


def _ratio(sums: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return sums[:, 0] / sums[:, 1]


class PublishedAudit:
    """A benchmark that was published as a file. A plug-in sets the class attributes and `measure`.

    `weakness` is what the benchmark is known not to show; it stands beside every score.
    """

    key: str
    title: str
    help: str
    file_help: str
    weakness: str
    order: int
    families: tuple[AuditFamily, ...] = ("causal-lm",)
    config = Config
    needs_model = True
    needs_file = True

    def items(self, data: AuditInput) -> list[Any]:
        """The items of the person's file. Raises UserError where it is not that of this benchmark."""
        raise NotImplementedError

    def passes(self, items: Sequence[Any]) -> int:
        raise NotImplementedError

    def figures(
        self, data: AuditInput, items: Sequence[Any], model: Any, progress: Callable[[int], None]
    ) -> tuple[list[Figure], list[dict[str, Any]]]:
        """The scores of one model, the one that matters most first, and its examples."""
        raise NotImplementedError

    def told(self, figures: Sequence[tuple[Figure, Estimate]]) -> str:
        """The result in one sentence."""
        raise NotImplementedError

    def forward_passes(self, data: AuditInput, config: Config) -> int:
        chosen, _ = spread(self.items(data), config.items)
        return self.passes(chosen) * (1 if data.base is None else 2)

    def run(self, data: AuditInput, config: Config) -> AuditResult:
        started = time.perf_counter()
        if data.tuned is None:
            raise UserError("There is no model to audit.", "Only the data was given.", "Train a model first.")
        items, left_out = spread(self.items(data), config.items)
        total, done = self.forward_passes(data, config), 0

        def progress(passes: int) -> None:
            nonlocal done
            done += passes
            data.progress(done, total)

        tuned, examples = self.figures(data, items, data.tuned, progress)
        base = self.figures(data, items, data.base, progress)[0] if data.base is not None else []
        rows: list[dict[str, Any]] = []
        findings: list[Finding] = []
        comparisons: list[Comparison] = []
        estimates = []
        for i, figure in enumerate(tuned):
            draws = figure.draws
            estimate = figure.estimate(draws)
            estimates.append((figure, estimate))
            row = _row("tuned", figure, estimate)
            if figure.ideal is not None and figure.about == "all":
                row["p"] = bootstrap_p(draws[np.isfinite(draws)] - figure.ideal)
                findings += self._finding(figure, estimate, row["p"])
            rows.append(row)
            if base:
                before = base[i].draws
                rows.append(_row("base", base[i], base[i].estimate(before)))
                if figure.ideal is not None and figure.about == "all":
                    comparisons.append(_compared(figure, draws, base[i], before))
        return AuditResult(
            audit=self.key,
            title=self.title,
            headline=self.told(estimates),
            unit="score",
            findings=tuple(findings),
            comparisons=tuple(comparisons),
            rows=tuple(rows),
            pairs=tuple(examples),
            n=len(items),
            seconds=time.perf_counter() - started,
            not_tested=tuple(left_out),
            weakness=self.weakness,
        )

    def _finding(self, figure: Figure, estimate: Estimate, p: float) -> Iterator[Finding]:
        if estimate.n < MIN_ROWS or estimate.low is None or estimate.high is None:
            yield Finding(
                check=self.key,
                severity=Severity.INFO,
                title=f"{self.title}: not enough items to judge {figure.kind}",
                count=estimate.n,
                data={"kind": "too few"},
            )
            return
        assert figure.ideal is not None
        off = not estimate.low <= figure.ideal <= estimate.high and abs(estimate.value - figure.ideal) >= NOTICEABLE
        if off:
            yield Finding(
                check=self.key,
                severity=Severity.WARNING,
                title=f"{self.title}: {figure.kind} is {estimate.value:.2f}; without a stereotype it would be {figure.ideal:g}",
                meaning=f"95% interval {estimate.low:.2f} to {estimate.high:.2f}, {len(figure.components):,} items. Known "
                f"weakness: {self.weakness}",
                fix="Look at the examples, and at whether your own texts show the same before you act on it.",
                count=len(figure.components),
                estimate=estimate,
                data={"kind": "benchmark", "figure": figure.kind, "p": p, "unit": "auc"},
            )


def _row(model: str, figure: Figure, estimate: Estimate) -> dict[str, Any]:
    return {
        "kind": figure.kind, "model": model, "about": figure.about, "value": estimate.value, "low": estimate.low,
        "high": estimate.high, "n": estimate.n, "items": len(figure.components), "ideal": figure.ideal, "unit": "score",
    }  # fmt: skip


def _compared(tuned: Figure, after: Floats, base: Figure, before: Floats) -> Comparison:
    """Distance from the ideal before and after; both models answered the same items, and the draws are the same."""
    assert tuned.ideal is not None
    ideal, n = tuned.ideal, independent(tuned.units, len(tuned.units))
    values, draws = [], []
    for figure, drawn in ((base, before), (tuned, after)):
        values.append(abs(float(figure.statistic(figure.components.sum(axis=0)[None, :])[0]) - ideal))
        draws.append(np.abs(drawn - ideal))
    usable = np.isfinite(draws[0]) & np.isfinite(draws[1])
    moved = (draws[1] - draws[0])[usable]
    sides = [interval_of(v, d[np.isfinite(d)], n, (0.0, 1.0), grouped=True) for v, d in zip(values, draws, strict=True)]
    change = interval_of(values[1] - values[0], moved, n, (-1.0, 1.0), grouped=True)
    return Comparison(
        metric=f"{tuned.kind}, distance from {ideal:g}", base=sides[0], tuned=sides[1], change=change,
        verdict=verdict(change, higher_is_better=False), p=bootstrap_p(moved) if moved.any() else 1.0,
        test="paired bootstrap by group of items",
    )  # fmt: skip


# -- files and questions -------------------------------------------------------------------------------------------


def spread(items: Sequence[T], most: int) -> tuple[list[T], list[str]]:
    """At most so many items, evenly over the file, and what was left out in words."""
    if len(items) <= most:
        return list(items), []
    chosen = [items[i * len(items) // most] for i in range(most)]
    return chosen, [f"{len(items) - most:,} of {len(items):,} items of the file (the limit was reached)."]


def files_of(audit: PublishedAudit, data: AuditInput) -> list[GivenFile]:
    """Raises UserError where there is none."""
    given = list(data.files.get(audit.key, ()))
    if not given:
        raise UserError(f"{audit.title} needs its file.", "No file was given.", audit.file_help)
    return given


def wrong_file(audit: PublishedAudit, file: GivenFile, why: str) -> UserError:
    return UserError(f"This is not a file of {audit.title}.", f"{file.name}: {why}", audit.file_help)


def json_lines(audit: PublishedAudit, file: GivenFile) -> list[dict[str, Any]]:
    """Rows of a JSONL file."""
    try:
        rows = [json.loads(line) for line in file.path.read_text("utf-8-sig").splitlines() if line.strip()]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise wrong_file(audit, file, f"it cannot be read as lines of JSON ({error}).") from error
    if not all(isinstance(row, dict) for row in rows):
        raise wrong_file(audit, file, "its lines are no JSON objects.")
    return rows


def table(audit: PublishedAudit, file: GivenFile, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a CSV file that has these columns."""
    try:
        with file.path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            rows = list(reader)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
    except (UnicodeDecodeError, csv.Error) as error:
        raise wrong_file(audit, file, f"it cannot be read as a table ({error}).") from error
    if missing:
        raise wrong_file(audit, file, f"it has no column {missing[0]}.")
    return rows


def reader(progress: Callable[[int], None]) -> Reader:
    """A reader that reports each batch by the number of its texts."""
    last = 0

    def moved(done: int, total: int) -> None:
        nonlocal last
        progress(done - last)
        last = done

    return Reader(moved, 0)


def asked(data: AuditInput, question: str) -> Prompt:
    """A question as the model is used to it: a message for a chat model, else plain text."""
    if data.examples and data.examples[0].messages:
        return (Message(role="user", content=question),)
    return question


def answer(prompt: Prompt, text: str) -> str:
    """The answer as it stands after its prompt."""
    return f" {text}" if isinstance(prompt, str) else text
