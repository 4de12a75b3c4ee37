"""A quick linear model on words, asked about rows that it was not trained on: for label noise, and to tell two sets apart."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .wordsplit import without_spaces, words

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FOLDS = 5
READ = 2_000  # characters of a text that are read
FEATURES = 30_000
STRENGTH = (
    3.0  # C of the logistic regression: of 1, 3, 10 and 30 the best balance of planted errors found and false ones
)


def features(texts: Sequence[str]) -> tuple[csr_matrix, list[str]] | None:
    """TF-IDF of words and word pairs (runs of 1 to 3 characters where a script has no spaces), with the feature names.
    None where no text holds a word. The weights use no labels, so they are fitted once on all texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    read = [text[:READ] for text in texts]
    common = {
        "sublinear_tf": True,
        "max_features": FEATURES,
        "min_df": 2 if len(read) >= 200 else 1,
        "dtype": np.float32,
    }
    if without_spaces(read[:2_000]):
        vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), **common)
    else:
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), tokenizer=words, token_pattern=None, lowercase=False, **common)
    try:
        matrix = vectorizer.fit_transform(read)
    except ValueError as error:
        if "empty vocabulary" in str(error) or "no terms remain" in str(error):
            return None
        raise
    return matrix.tocsr(), list(vectorizer.get_feature_names_out())


def out_of_fold(
    matrix: csr_matrix, y: np.ndarray, groups: Sequence[str] | None = None, strength: float = STRENGTH, seed: int = 0
) -> np.ndarray:
    """Probabilities of the classes 0..K-1 for each row (rows x K), from a model that saw neither the row nor one of its
    group (equal texts, so that a copy does not confirm its own label): logistic regression, 5 folds stratified by class.
    Every class needs rows in two groups or more. Scores are rounded to single precision, so that they are repeatable.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    names = np.arange(len(y)).astype(str) if groups is None else np.asarray(groups, dtype=object)
    _, first, group = np.unique(names, return_index=True, return_inverse=True)
    fold_of_group = np.zeros(len(first), dtype=np.int64)
    rarest = np.bincount(y[first]).min() if len(first) else 0
    folds = max(2, min(FOLDS, int(rarest)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds
        warnings.simplefilter("ignore", ConvergenceWarning)
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        for fold, (_, held) in enumerate(splitter.split(np.zeros(len(first)), y[first])):
            fold_of_group[held] = fold
        fold_of = fold_of_group[group]
        found = np.zeros((len(y), int(y.max()) + 1), dtype=np.float64)
        for fold in range(folds):
            test = fold_of == fold
            model = LogisticRegression(C=strength, max_iter=200, tol=1e-3)
            model.fit(matrix[~test], y[~test])
            found[np.ix_(np.flatnonzero(test), model.classes_)] = model.predict_proba(matrix[test])
    return found


def out_of_fold_numbers(matrix: csr_matrix, y: np.ndarray, groups: Sequence[str], seed: int = 0) -> np.ndarray:
    """The number of each row by ridge regression (strength 1) on rows of other groups (equal texts), 5 folds."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GroupKFold

    _, group = np.unique(np.asarray(groups, dtype=object), return_inverse=True)
    found = np.full(len(y), y.mean(), dtype=np.float64)
    folds = min(FOLDS, int(group.max()) + 1)
    if folds < 2:
        return found
    for train, test in GroupKFold(folds, shuffle=True, random_state=seed).split(matrix, y, group):
        found[test] = Ridge(alpha=1.0).fit(matrix[train], y[train]).predict(matrix[test])
    return found
