"""Simpson's paradox: a difference between groups that vanishes, or turns round, or only appears, inside a third column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from core.data.statistics import z_value
from core.schemas.estimates import Estimate

from .group_rates import RATIO, Contrast, GroupedRows, Outcomes, Q, ratio_of

SMALLEST = 10  # rows of each side in a value of the third column for it to be looked into
COVERED = 0.8  # share of both sides that must lie in such values
LEFT = 0.25  # of the difference that may be left for it to have vanished
DECIDES = 0.98  # share of rows whose label the third column tells: then it is the label by another name
NOBODY, SEVERAL = "nobody named", "several named"

How = Literal["reversed", "vanishes", "hidden"]


@dataclass(frozen=True)
class Third:
    """A third way to sort the rows: `codes` number the values, -1 where a row has none."""

    key: str
    title: str
    names: tuple[str, ...]
    codes: NDArray[np.int64]

    @classmethod
    def of_column(cls, key: str, title: str, values: Sequence[str]) -> Third:
        names = tuple(dict.fromkeys(value for value in values if value))
        number = {name: i for i, name in enumerate(names)}
        return cls(key, title, names, np.array([number.get(value, -1) for value in values], dtype=np.int64))

    @classmethod
    def of_axis(cls, axis: GroupedRows, total: int) -> Third:
        """Rows by the group that they name: a row may name none, or several."""
        groups = list(axis.rows)
        codes, named = np.full(total, len(groups)), np.zeros(total, dtype=np.int64)
        for i, group in enumerate(groups):
            mask = axis.mask(group, total)
            codes[mask] = i
            named += mask
        codes[named > 1] = len(groups) + 1
        return cls(axis.key, axis.title.lower(), (*(axis.titles[g] for g in groups), NOBODY, SEVERAL), codes)


@dataclass(frozen=True)
class Stratum:
    """One value of the third column: label and rows of the group, and of the others."""

    name: str
    hits: int
    n: int
    other_hits: int
    other_n: int


@dataclass(frozen=True)
class Within:
    """A contrast looked at inside each value of a third column. `common` is the difference of rates that the values share
    (Mantel-Haenszel); `rate` and `other_rate` are the rates that this difference stands for."""

    contrast: Contrast
    third: Third
    strata: tuple[Stratum, ...]
    common: Estimate
    rate: float
    other_rate: float
    p_common: float
    q: float = 1.0

    @property
    def ratio(self) -> float:
        return ratio_of(self.rate, self.other_rate)

    @property
    def p(self) -> float:
        """Of a difference inside the values that is large enough to be flagged."""
        return self.p_common if self.ratio < RATIO else 1.0

    @property
    def how(self) -> How | None:
        """What the third column does to the contrast, once that has its q."""
        overall = self.contrast.rate - self.contrast.other_rate
        low, high = self.common.low or 0.0, self.common.high or 0.0
        if not self.contrast.flagged:
            return "hidden" if self.q < Q and self.ratio < RATIO else None
        if overall * self.common.value < 0 and low * high > 0 and self.ratio < RATIO:
            return "reversed"
        left = self.common.value / overall if overall else 1.0  # negative where it points the other way
        return "vanishes" if left <= LEFT and not low <= overall <= high else None


def within(found: Sequence[Contrast], outcomes: Outcomes, thirds: Sequence[Third]) -> Iterator[Within]:
    """Each contrast inside each third column that is neither its own axis nor the label by another name."""
    told: dict[tuple[str, str], bool] = {}
    for contrast in found:
        hit = outcomes.has(contrast.label)
        for third in thirds:
            if third.key == contrast.axis.key:
                continue
            key = (third.key, contrast.label)
            if key not in told:
                told[key] = _decides(third, hit, outcomes)
            if not told[key] and (made := _inside(contrast, hit, third)) is not None:
                yield made


def _decides(third: Third, hit: NDArray[np.bool_], outcomes: Outcomes) -> bool:
    rows = outcomes.known & (third.codes >= 0)
    totals = np.bincount(third.codes[rows], minlength=len(third.names))
    hits = np.bincount(third.codes[rows & hit], minlength=len(third.names))
    return not rows.any() or bool(np.maximum(hits, totals - hits).sum() >= DECIDES * rows.sum())


def _inside(contrast: Contrast, hit: NDArray[np.bool_], third: Third) -> Within | None:
    """None where too few rows of both sides share a value of the third column."""
    assert contrast.mine is not None and contrast.theirs is not None
    count = len(third.names)

    def counted(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(third.codes[rows & (third.codes >= 0)], minlength=count)

    n1, n0 = counted(contrast.mine), counted(contrast.theirs)
    x1, x0 = counted(contrast.mine & hit), counted(contrast.theirs & hit)
    usable = (n1 >= SMALLEST) & (n0 >= SMALLEST)
    if usable.sum() < 2 or n1[usable].sum() < COVERED * contrast.n or n0[usable].sum() < COVERED * contrast.other_n:
        return None
    strata = tuple(
        Stratum(third.names[k], int(x1[k]), int(n1[k]), int(x0[k]), int(n0[k])) for k in np.flatnonzero(usable)
    )
    common, rate, other_rate = mantel_haenszel(strata)
    return Within(contrast, third, strata, common, rate, other_rate, cochran_p(strata))


def mantel_haenszel(strata: Sequence[Stratum]) -> tuple[Estimate, float, float]:
    """The common difference of rates with its 95% interval (Greenland & Robins 1985, Biometrics 41, with the variance of
    Sato 1989, Biometrics 45), and the two rates under the same weights."""
    x1, n1, x0, n0 = (np.array([getattr(s, k) for s in strata], float) for k in ("hits", "n", "other_hits", "other_n"))
    total = n1 + n0
    weights = n1 * n0 / total
    rate, other = float((weights * x1 / n1).sum() / weights.sum()), float((weights * x0 / n0).sum() / weights.sum())
    value = rate - other
    p = (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2) / total**2
    q = (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * total)
    error = sqrt(max(0.0, value * p.sum() + q.sum())) / weights.sum()
    reach = z_value() * error
    low, high = max(-1.0, value - reach), min(1.0, value + reach)
    return Estimate(value=value, n=int(total.sum()), low=low, high=high, method="Mantel-Haenszel"), rate, other


def cochran_p(strata: Sequence[Stratum]) -> float:
    """That no value has a difference: Cochran-Mantel-Haenszel with continuity correction (Mantel & Haenszel 1959)."""
    gap, variance = 0.0, 0.0
    for s in strata:
        total, hits = s.n + s.other_n, s.hits + s.other_hits
        gap += s.hits - s.n * hits / total
        variance += s.n * s.other_n * hits * (total - hits) / (total**2 * (total - 1))
    return float(chdtrc(1, max(0.0, abs(gap) - 0.5) ** 2 / variance)) if variance else 1.0


def thirds_of(columns: Mapping[str, Sequence[str]], axes: Sequence[GroupedRows], total: int) -> list[Third]:
    """The person's columns (name to the value of each row), and the axes that are named in the texts."""
    found = [Third.of_column(f"column:{name}", f"“{name}”", values) for name, values in columns.items()]
    known = {third.key for third in found}
    return [*found, *(Third.of_axis(axis, total) for axis in axes if axis.key not in known)]
