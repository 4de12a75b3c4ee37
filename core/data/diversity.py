"""How varied a set of texts is: different words and word pairs, how well it can be compressed, and the Vendi score.

Each is measured on random draws of the same size, because all three depend on how many texts are looked at. Distinct-n:
Li et al. 2016 (NAACL). Compression ratio: Shaib et al. 2024, "Standardizing the measurement of text diversity". Vendi score:
Friedman and Dieng 2023 (TMLR), with the cosine of TF-IDF as the similarity.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence

import numpy as np

from core.schemas.estimates import Estimate

from .wordsplit import words

DRAWS, TEXTS, WORDS = 20, 200, 60  # draws; texts a draw; words read of each text
TITLES = {
    "distinct_1": "Different words",
    "distinct_2": "Different word pairs",
    "compression": "Compression",
    "vendi": "Different texts (Vendi score)",
}


def measure(texts: Sequence[str], seed: int = 0) -> dict[str, Estimate]:
    """`distinct_1`, `distinct_2` (share of different ones), `compression` (size before over after; higher is more alike) and
    `vendi` (how many wholly different texts a draw of `TEXTS` amounts to). The interval is the range of 95% of the draws; n
    is the number of texts. Empty where there are fewer than twice `TEXTS`, too few for draws that differ.
    """
    read = [found for text in texts if (found := words(text[: WORDS * 20])[:WORDS])]
    if len(read) < 2 * TEXTS:
        return {}
    rng = random.Random(seed)
    draws = [rng.sample(read, TEXTS) for _ in range(DRAWS)]
    measures: dict[str, Callable[[list[list[str]]], float]] = {
        "distinct_1": lambda draw: distinct(draw, 1),
        "distinct_2": lambda draw: distinct(draw, 2),
        "compression": compression,
        "vendi": vendi,
    }
    return {name: _estimate([of(draw) for draw in draws], len(read)) for name, of in measures.items()}


def _estimate(values: Sequence[float], n: int) -> Estimate:
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(
        value=float(np.mean(values)), n=n, low=float(low), high=float(high), method=f"{DRAWS} draws of {TEXTS} texts"
    )


def distinct(texts: Sequence[Sequence[str]], n: int) -> float:
    """Different runs of n words over all runs of n words; 0 where there are none."""
    runs = [tuple(text[i : i + n]) for text in texts for i in range(len(text) - n + 1)]
    return len(set(runs)) / len(runs) if runs else 0.0


def compression(texts: Sequence[Sequence[str]]) -> float:
    """Bytes before over bytes after compression (zlib, level 9)."""
    raw = "\n".join(" ".join(text) for text in texts).encode()
    return len(raw) / max(1, len(zlib.compress(raw, 9)))


def vendi(texts: Sequence[Sequence[str]]) -> float:
    """exp of the entropy of the eigenvalues of K / n, K the cosine similarity of TF-IDF: 1 where all texts are the same, n
    where no two share a word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        matrix = TfidfVectorizer(analyzer=lambda text: text).fit_transform(texts)
    except ValueError:  # no words at all
        return 1.0
    values = np.linalg.eigvalsh((matrix @ matrix.T).toarray() / matrix.shape[0])
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
