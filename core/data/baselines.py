"""The plain methods that every fine-tuned model has to beat: the most frequent answer (or the mean), word counts with a
linear model, and the stored answer to the most similar question."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.number_predictions import NumberPredictions
from core.schemas.predictions import ClassPredictions, TextPrediction, TextPredictions, conversation_text

from .wordsplit import without_spaces, words

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_ROWS = 30_000
"""More training rows than this are sampled, which keeps the slowest baseline (77 classes) near a minute a core."""
_MOST_FEATURES = 50_000
_RARE_FROM_ROWS = 1_000
_REGULARISATION = 10.0  # Best of 1, 10 and 100 on five public sets from 2 to 77 classes, or within .1 point of it.
_QUESTIONS_AT_ONCE = 256
_FOLDS = 5


def majority(
    train: Sequence[Example], test: Sequence[Example], labels: Sequence[str] | None = None
) -> ClassPredictions:
    """Answers the most frequent training label whatever the text; its probabilities are the shares of the labels.

    `labels` sets the order of the labels (default: sorted). Raises UserError where there are no labelled training rows.
    """
    train, labels = _labelled(train, labels)
    counts = Counter(example.label for example in train)
    shares = [counts[label] / len(train) for label in labels]
    return ClassPredictions.of(labels, test, [shares] * len(test))


def word_counts(
    train: Sequence[Example], test: Sequence[Example], labels: Sequence[str] | None = None, seed: int = 0
) -> ClassPredictions:
    """TF-IDF of words, word pairs and character runs within words, then logistic regression (scikit-learn, lbfgs).

    Scripts without spaces get character runs alone. Falls back to `majority` where there is nothing to tell apart (one
    label, or no text at all). `seed` matters only beyond 30,000 training rows, which are sampled.
    """
    from sklearn.linear_model import LogisticRegression

    train, labels = _labelled(train, labels)
    train = _sample(train, seed)
    if len({example.label for example in train}) < 2 or not test:
        return majority(train, test, labels)
    features = _features([example.text for example in train], [example.text for example in test])
    if features is None:
        return majority(train, test, labels)
    model = LogisticRegression(C=_REGULARISATION, max_iter=300)
    model.fit(features[0], [example.label or "" for example in train])
    probabilities = np.zeros((len(test), len(labels)))
    probabilities[:, [labels.index(label) for label in model.classes_]] = model.predict_proba(features[1])
    return ClassPredictions.of(labels, test, probabilities.tolist())


def frequent_set(train: Sequence[Example], test: Sequence[Example], labels: Sequence[str]) -> LabelSetPredictions:
    """Gives every text the commonest set of labels (the first of equals by name), which may be the empty one."""
    if not train:
        raise _nothing_to_learn("There are no training rows.")
    counts = Counter(tuple(sorted(example.labels or ())) for example in train)
    commonest = min(counts, key=lambda names: (-counts[names], names))
    row = [float(label in commonest) for label in labels]
    return LabelSetPredictions.of(labels, test, [row] * len(test))


def word_counts_sets(
    train: Sequence[Example], test: Sequence[Example], labels: Sequence[str], seed: int = 0
) -> LabelSetPredictions:
    """The features of `word_counts`, then one logistic regression for each label (one against the rest), cut at one half.
    A label that all or no training rows have keeps its share. Falls back to `frequent_set` without text."""
    from sklearn.linear_model import LogisticRegression

    train = _sample(train, seed)
    features = _features([e.text for e in train], [e.text for e in test]) if train and test else None
    if features is None:
        return frequent_set(train, test, labels)
    columns = []
    for label in labels:
        own = [label in (e.labels or ()) for e in train]
        if len(set(own)) < 2:
            columns.append(np.full(len(test), float(own[0])))
            continue
        model = LogisticRegression(C=_REGULARISATION, max_iter=300).fit(features[0], own)
        columns.append(model.predict_proba(features[1])[:, 1])
    return LabelSetPredictions.of(labels, test, np.column_stack(columns).tolist())


def mean_number(train: Sequence[Example], test: Sequence[Example]) -> NumberPredictions:
    """Says the mean of the training rows whatever the text."""
    return NumberPredictions.of(test, [float(np.mean(_numbers(train)))] * len(test))


def word_counts_number(train: Sequence[Example], test: Sequence[Example], seed: int = 0) -> NumberPredictions:
    """The features of `word_counts`, then ridge regression of the centred number (scikit-learn); the strength is the best
    of five by 5-fold cross-validation on training rows. Falls back to `mean_number` where there is no text."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV

    train = _sample(train, seed)
    values = np.array(_numbers(train))
    features = _features([e.text for e in train], [e.text for e in test]) if test else None
    if features is None or len(train) < 2 * _FOLDS:
        return mean_number(train, test)
    search = GridSearchCV(Ridge(solver="sag", random_state=0, max_iter=500, tol=1e-3), {"alpha": [0.03, 0.1, 0.3, 1.0, 3.0]},
                          cv=_FOLDS, scoring="neg_mean_squared_error")  # fmt: skip
    search.fit(features[0], values - values.mean())
    return NumberPredictions.of(test, (search.predict(features[1]) + values.mean()).tolist())


def _numbers(train: Sequence[Example]) -> list[float]:
    found = [example.value for example in train if example.value is not None]
    if not found:
        raise _nothing_to_learn("No training row has a number.")
    return found


def one_word(train: Sequence[Example], test: Sequence[Example]) -> tuple[str, float] | None:
    """The word whose presence alone answers best, and its accuracy on `test`: one label where the word stands, another
    where it does not (both the most frequent in training; 1R of Holte 1993). None where no text holds a word.
    """
    rows = [(set(words(e.text)), e.label or "") for e in train if e.label]
    total = Counter(label for _, label in rows)
    with_word: dict[str, Counter[str]] = defaultdict(Counter)
    for found, label in rows:
        for word in found:
            with_word[word][label] += 1
    best: tuple[int, str, str, str] | None = None
    for word, counts in with_word.items():
        here, right = counts.most_common(1)[0]
        elsewhere, rest = max(((label, n - counts[label]) for label, n in total.items()), key=lambda item: item[1])
        if best is None or (right + rest, word) > (best[0], best[1]):
            best = (right + rest, word, here, elsewhere)
    if best is None or not test:
        return None
    _, word, here, elsewhere = best
    hits = sum((here if word in words(e.text) else elsewhere) == e.label for e in test)
    return word, hits / len(test)


def nearest_answers(train: Sequence[Example], test: Sequence[Example]) -> TextPredictions:
    """Answers each conversation with the training answer whose prompt is most similar (TF-IDF, cosine; the earlier row
    at a tie). No likelihood: only metrics of text apply. Raises UserError where training has no answers.
    """
    answered = [example for example in train if example.reference]
    if not answered:
        raise _nothing_to_learn("No training row has an answer.")
    prompts = [conversation_text(example.prompt) for example in answered]
    questions = [conversation_text(example.prompt) for example in test]
    features = _features(prompts, questions)
    nearest = [0] * len(test) if features is None else _nearest(*features)
    return TextPredictions(
        tuple(
            TextPrediction(example.row_id, question, example.reference, answered[best].reference, finished=True)
            for example, question, best in zip(test, questions, nearest, strict=True)
        )
    )


def _features(train: list[str], test: list[str]) -> tuple[csr_matrix, csr_matrix] | None:
    """TF-IDF rows of both, from the training vocabulary; None where the training texts hold no characters to count."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    seldom = 2 if len(train) >= _RARE_FROM_ROWS else 1
    common = {"sublinear_tf": True, "max_features": _MOST_FEATURES, "min_df": seldom}
    if without_spaces(train):
        vectorizers = [TfidfVectorizer(analyzer="char", ngram_range=(1, 3), **common)]
    else:
        by_word = {"tokenizer": words, "token_pattern": None, "lowercase": False}
        vectorizers = [
            TfidfVectorizer(ngram_range=(1, 2), **by_word, **common),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **common),
        ]
    columns = []
    for vectorizer in vectorizers:
        try:
            columns.append((vectorizer.fit_transform(train), vectorizer.transform(test)))
        except ValueError as error:
            # scikit-learn's way to say that no word is left (only emoji, or every word unique): the others may do.
            if "empty vocabulary" not in str(error) and "no terms remain" not in str(error):
                raise
    if not columns:
        return None
    return hstack([fitted for fitted, _ in columns]).tocsr(), hstack([seen for _, seen in columns]).tocsr()


def _nearest(train: csr_matrix, test: csr_matrix) -> list[int]:
    """For each test row the training row with the greatest inner product, a block of questions at a time."""
    found: list[int] = []
    for start in range(0, test.shape[0], _QUESTIONS_AT_ONCE):
        similarity = (test[start : start + _QUESTIONS_AT_ONCE] @ train.T).toarray()
        found += similarity.argmax(axis=1).tolist()
    return found


def _labelled(train: Sequence[Example], labels: Sequence[str] | None) -> tuple[Sequence[Example], list[str]]:
    """The rows that have a label, and the order of the labels."""
    rows = [example for example in train if example.label]
    if not rows:
        raise _nothing_to_learn("No training row has a label.")
    seen = {example.label or "" for example in rows}
    if labels is None:
        return rows, sorted(seen)
    if not seen <= set(labels):
        raise ValueError(f"training labels {sorted(seen - set(labels))} are not among the labels")
    return rows, list(labels)


def _sample(train: Sequence[Example], seed: int) -> Sequence[Example]:
    if len(train) <= MOST_ROWS:
        return train
    kept = np.sort(np.random.default_rng(seed).choice(len(train), MOST_ROWS, replace=False))
    return [train[i] for i in kept]


def _nothing_to_learn(cause: str) -> UserError:
    return UserError(
        "There is nothing to compare with.", cause, "Check the columns of the dataset and the sizes of its split."
    )
