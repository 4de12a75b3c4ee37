"""What an audit gets and what it says: findings with intervals, rows for charts, what was not tested, and the gaps
that a later audit is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from .base import Schema
from .estimates import Comparison, Estimate
from .examples import Example
from .families import Family
from .findings import Finding
from .identity import OwnWords
from .predictor import Predictor

AuditFamily = Family


class GapSeries(Schema):
    """Gaps of the tuned model by independent unit (row id or template), so that a later audit can be paired with them.

    `group` empty: all groups of the axis together. `values` are means within a unit, in `unit` of the audit.
    """

    axis: str
    group: str = ""
    values: dict[str, float]


class AuditResult(Schema):
    """`headline` says in one sentence what was found. `rows` feed charts and tables (plain JSON, one measurement a
    row); `cells` are the cells of a heat map, each with ids of its rows; `pairs` are the examples that show it best: two texts
    that differ in the identity words only.

    `unit` names what gaps are measured in. `top_class_share` is the share of rows that the tuned classifier gives its
    favourite class: near 1 it decides nothing and looks fair for that reason alone. `weakness` is what a published
    benchmark is known not to be good for.
    """

    audit: str
    title: str
    headline: str
    unit: str = ""
    findings: tuple[Finding, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    pairs: tuple[dict[str, Any], ...] = ()
    cells: tuple[dict[str, Any], ...] = ()
    gaps: tuple[GapSeries, ...] = ()
    top_class_share: Estimate | None = None
    n: int
    seconds: float
    not_tested: tuple[str, ...] = ()
    weakness: str = ""


class GateState(StrEnum):
    VERIFIED = "verified"
    NOT_VERIFIED = "not verified"
    REFUSED = "refused"


class GateResult(Schema):
    """Whether a corrective action did what it should. `gates` names those that did not open (`gap`, `quality`,
    `groups`, `collapse`); `reasons` are sentences for a person, also where all opened."""

    state: GateState
    gates: tuple[str, ...] = ()
    reasons: tuple[str, ...]
    gap_change: Estimate | None = None
    quality_change: Estimate | None = None
    group_changes: dict[str, Estimate] = {}


def _silent(done: int, total: int) -> None:
    pass


class GivenFile(NamedTuple):
    """A file that a person brought: what it was called, and where it lies now."""

    name: str
    path: Path

    @classmethod
    def at(cls, path: str | Path) -> GivenFile:
        return cls(Path(path).name, Path(path))


@dataclass(frozen=True)
class AuditInput:
    """What there is to audit. `examples` are validation rows (test rows only for a final audit); `groups` maps a column
    of the person's own to `{row_id: group}`; `categories` are other columns of few values in the same shape, which may
    explain a difference; `own_words` is what the person changed in the word list. `base` is None where only one model is
    audited.

    `progress` is called with forward passes done and in all; it may raise to cancel. `files` are published benchmarks
    that the person brought, by audit key; `scorer` a text classifier of their own that judges written answers.
    """

    examples: Sequence[Example] = ()
    tuned: Predictor | None = None
    base: Predictor | None = None
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    language: str = "en"
    own_words: OwnWords = field(default_factory=OwnWords)
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    progress: Callable[[int, int], None] = _silent
    files: Mapping[str, Sequence[GivenFile]] = field(default_factory=dict)
    scorer: Predictor | None = None


class Audit(Protocol):
    """One plug-in of `core/audits`. `families` are the kinds of model it can judge, `config` declares its settings.

    One with `needs_file` scores a published benchmark and runs only where the person brought its file; it then says in
    `file_help` which. One with `optional` set runs only where it is chosen.
    """

    key: str
    title: str
    help: str
    order: int
    families: tuple[AuditFamily, ...]
    config: type[Schema]
    needs_model: bool

    def forward_passes(self, data: AuditInput, config: Any) -> int:
        """How many texts the models will have to read, to be shown before the start."""
        ...

    def run(self, data: AuditInput, config: Any) -> AuditResult: ...
