"""How often a 95% interval holds the true value, over a wide grid of rows, shares, group sizes and correlations.

    python -m benchmarks.coverage [--cases 2000] [--processes 2] [--json FILE]

Prints one line a point: coverage, and how often the truth lay below and above. The tests hold a smaller grid
(`tests/test_coverage.py`); `docs/decisions.md` says which intervals err to the safe side. With 2,000 cases the standard error of
a coverage of 95% is half a point.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product

import numpy as np

from core.data import statistics as s
from core.data.logistic import fit

DRAWS = 300
Interval = tuple[float, float, float]  # low, truth, high
Study = Callable[[np.random.Generator], Interval]


def share(rng: np.random.Generator, n: int, p: float) -> Interval:
    e = s.wilson(int(rng.binomial(n, p)), n)
    return e.low or 0.0, p, e.high or 0.0


def difference(rng: np.random.Generator, n: int, p: float, gap: float) -> Interval:
    e = s.newcombe_difference(int(rng.binomial(n, p)), n, int(rng.binomial(n, p - gap)), n)
    return e.low or 0.0, gap, e.high or 0.0


def paired(rng: np.random.Generator, n: int, only_base: float, only_tuned: float) -> Interval:
    counts = rng.multinomial(n, (0.7 - only_base, only_base, only_tuned, 0.3 - only_tuned))
    e = s.newcombe_paired(*(int(c) for c in counts))
    return e.low or 0.0, only_tuned - only_base, e.high or 0.0


def grouped_share(rng: np.random.Generator, groups: int, size: int, p: float, alike: float) -> Interval:
    sizes = rng.integers(1, 2 * size, groups)
    own = rng.beta(p * (1 - alike) / alike, (1 - p) * (1 - alike) / alike, groups)
    keys = np.repeat(np.arange(groups), sizes)
    e = s.wilson_by_group((rng.random(len(keys)) < own[keys]).astype(float).tolist(), keys.tolist())
    return e.low or 0.0, p, e.high or 0.0


def grouped_mean(rng: np.random.Generator, groups: int, size: int, skewed: bool) -> Interval:
    sizes = rng.integers(1, 2 * size, groups) if size > 1 else np.ones(groups, int)
    keys = np.repeat(np.arange(groups), sizes)
    own = rng.exponential(size=groups) - 1 if skewed else rng.normal(size=groups)
    e = s.bootstrap_mean(own[keys] + rng.normal(size=len(keys)), keys.tolist(), draws=DRAWS)
    return e.low or 0.0, 0.0, e.high or 0.0


def equal_length(rng: np.random.Generator, votes: int, quality: float) -> Interval:
    extra = rng.normal(0, 20, votes)
    won = rng.random(votes) < 1 / (1 + np.exp(-(quality + np.tanh(extra / 20))))
    found = fit(np.column_stack([np.ones(votes), np.tanh(extra / 20)]), won.astype(float))
    _, low, high = found.interval(np.array([1.0, 0.0]))
    return low, quality, high


def grid() -> Iterator[tuple[str, Study]]:
    shares = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
    for n, p in product((20, 30, 50, 100, 200, 500, 1000), shares):
        yield f"share: n {n}, p {p}", partial(share, n=n, p=p)
    for n, p, gap in product((30, 100, 300), (0.6, 0.9), (0.0, 0.1)):
        yield f"difference: n {n}, p {p}, gap {gap}", partial(difference, n=n, p=p, gap=gap)
    for n, a, b in product((30, 100, 1000), (0.03, 0.1), (0.05, 0.15)):
        yield f"paired: n {n}, only base {a}, only tuned {b}", partial(paired, n=n, only_base=a, only_tuned=b)
    for g, m, p, alike in product((10, 30, 100, 300), (2, 5), (0.7, 0.9, 0.95), (0.05, 0.3)):
        study = partial(grouped_share, groups=g, size=m, p=p, alike=alike)
        yield f"share by group: {g} groups, size {m}, p {p}, alike {alike}", study
    for g, m, skewed in product((10, 30, 100), (1, 5), (False, True)):
        study = partial(grouped_mean, groups=g, size=m, skewed=skewed)
        yield f"mean by group: {g} groups, size {m}{', skewed' if skewed else ''}", study
    for votes, quality in product((30, 50, 100, 200), (0.0, 1.0)):
        yield (
            f"win rate at equal length: {votes} votes, log-odds {quality}",
            partial(equal_length, votes=votes, quality=quality),
        )


def run(point: tuple[str, Study], cases: int) -> dict[str, str | float]:
    name, study = point
    rng = np.random.default_rng(sum(map(ord, name)))
    found = np.array([study(rng) for _ in range(cases)])
    low, truth, high = found.T
    below, above = float((truth < low - 1e-9).mean()), float((truth > high + 1e-9).mean())
    return {"point": name, "covered": round(1 - below - above, 4), "below": below, "above": above}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", default="")
    given = parser.parse_args()
    with ProcessPoolExecutor(given.processes) as pool:
        rows = list(pool.map(partial(run, cases=given.cases), list(grid())))
    for row in rows:
        print(f"{row['covered']:.3f}  {row['below']:.3f} {row['above']:.3f}  {row['point']}")
    if given.json:
        with open(given.json, "w", encoding="utf-8") as out:
            json.dump({"cases": given.cases, "rows": rows}, out, indent=1)


if __name__ == "__main__":
    main()
